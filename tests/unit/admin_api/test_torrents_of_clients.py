"""libtorrent makes the torrents and reads back what we hand out: another opinion on every hash."""

from pathlib import Path

import libtorrent
import pytest
from fastbencode import bdecode, bencode

from etracker_admin_api.errors import TorrentError
from etracker_admin_api.torrent_file.parsing import parse_torrent
from etracker_admin_api.torrent_file.rewriting import personal_start
from tests.support.torrents import Version

KIB = 1024
SIZES = [0, 100, 16 * KIB, 16 * KIB + 1, 100_000, 1_500_001]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("content") / "folder"
    (root / "sub").mkdir(parents=True)
    for index, size in enumerate(SIZES):
        (root / f"file {index}").write_bytes(bytes([index]) * size)
    (root / "sub" / "file").write_bytes(b"x" * 70_000)
    return root


def make(path: Path, version: Version, piece_length: int, *, private: bool) -> bytes:
    maker = libtorrent.create_torrent(libtorrent.list_files(str(path)), piece_length, version.value)
    maker.add_tracker("http://other.test/announce")
    maker.set_priv(private)
    libtorrent.set_piece_hashes(maker, str(path.parent))
    encoded: bytes = bencode(maker.generate())
    return encoded


@pytest.mark.parametrize("private", [True, False])
@pytest.mark.parametrize("piece_length", [16 * KIB, 64 * KIB, 2048 * KIB])
@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize("single", [True, False])
def test_libtorrent_reads_the_same_hashes(
    folder: Path, version: Version, piece_length: int, private: bool, single: bool
) -> None:
    path = folder / "file 5" if single else folder
    parsed = parse_torrent(make(path, version, piece_length, private=private))
    read = libtorrent.load_torrent_buffer(personal_start("http://tracker.test/key/announce") + parsed.file[1:])
    assert read.ti is not None
    hashes = read.ti.info_hashes()
    assert parsed.v1 == (hashes.v1.to_bytes() if hashes.has_v1() else None)
    assert parsed.v2 == (hashes.v2.to_bytes() if hashes.has_v2() else None)
    assert (read.ti.priv(), parsed.made_private) == (True, not private)
    assert parsed.length == (SIZES[5] if single else sum(SIZES) + 70_000)
    assert read.trackers == ["http://tracker.test/key/announce"]


def test_a_wrong_piece_layer_is_refused(folder: Path) -> None:
    torrent = bdecode(make(folder, Version.V2, 16 * KIB, private=True))
    root, layer = next(iter(torrent[b"piece layers"].items()))
    torrent[b"piece layers"][root] = bytes(32) + layer[32:]
    with pytest.raises(TorrentError, match="doesn't hash"):
        parse_torrent(bencode(torrent))


def test_a_missing_piece_layer_is_refused(folder: Path) -> None:
    torrent = bdecode(make(folder, Version.V2, 16 * KIB, private=True))
    torrent[b"piece layers"].pop(next(iter(torrent[b"piece layers"])))
    with pytest.raises(TorrentError, match="lacks the piece layer"):
        parse_torrent(bencode(torrent))


def test_a_piece_layer_of_no_file_is_refused(folder: Path) -> None:
    torrent = bdecode(make(folder, Version.V2, 16 * KIB, private=True))
    torrent[b"piece layers"][bytes(32)] = bytes(64)
    with pytest.raises(TorrentError, match="isn't in the torrent"):
        parse_torrent(bencode(torrent))


def test_a_hybrid_whose_halves_differ_is_refused(folder: Path) -> None:
    torrent = bdecode(make(folder, Version.HYBRID, 16 * KIB, private=True))
    next(file for file in torrent[b"info"][b"files"] if b"attr" not in file)[b"path"] = [b"another"]
    with pytest.raises(TorrentError, match="different files"):
        parse_torrent(bencode(torrent))


def test_a_hybrid_without_padding_is_refused(folder: Path) -> None:
    torrent = bdecode(make(folder, Version.HYBRID, 16 * KIB, private=True))
    files = torrent[b"info"][b"files"]
    torrent[b"info"][b"files"] = [file for file in files if b"attr" not in file]
    total = sum(file[b"length"] for file in torrent[b"info"][b"files"])
    torrent[b"info"][b"pieces"] = bytes(-(-total // (16 * KIB)) * 20)
    with pytest.raises(TorrentError, match="isn't padded"):
        parse_torrent(bencode(torrent))
