"""Whatever is accepted opens in libtorrent, as what the tracker says that it is."""

from typing import Any

from fastbencode import bencode
from hypothesis import given, settings
from hypothesis import strategies as st

from etracker_admin_api.errors import TorrentError
from etracker_admin_api.torrent_file.parsing import ParsedTorrent, parse_torrent
from tests.support.torrent_files import (
    BLOCK,
    InOrder,
    encode,
    hybrid_torrent,
    many_info,
    opened,
    stream_bytes,
    v1_info,
    v2_torrent,
)
from tests.support.torrent_names import HOSTILE, STRANGE

NAMES = st.sampled_from([b"a", b"b", b"c", b"folder", b"_____padding_file_0_", *STRANGE]) | st.binary(max_size=8)
ANY_NAMES = NAMES | st.sampled_from(HOSTILE)
SIZES = st.sampled_from([0, 1, 5, BLOCK - 5, BLOCK, 20_000, 70_000])
PATHS = st.lists(NAMES, min_size=1, max_size=3)
ENTRIES = st.fixed_dictionaries(
    {b"length": SIZES},
    optional={
        b"path": PATHS,
        b"path.utf-8": PATHS,
        b"attr": st.sampled_from([b"p", b"l", b"x", b"lp"]),
        b"symlink path": PATHS,
    },
)
CONTENTS = st.dictionaries(NAMES, SIZES.map(bytes), min_size=1, max_size=4)
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "name": ANY_NAMES,
        "name.utf-8": ANY_NAMES,
        "private": st.sampled_from([0, 1, 2, b"1"]),
        "piece_length": st.sampled_from([1, 1000, BLOCK, 2 * BLOCK, 2**29, 2**29 - BLOCK]),
        "meta_version": st.integers(-1, 3),
        "attr": st.sampled_from([b"l", b"p", b"x"]),
    },
)


def v1_torrents() -> st.SearchStrategy[dict[bytes, Any]]:
    many = st.lists(ENTRIES, min_size=1, max_size=5).map(
        lambda entries: many_info(*entries, pieces=b"", piece_length=BLOCK)
    )
    return (many | st.just(v1_info())).map(lambda info: {b"info": info})


def hybrids() -> st.SearchStrategy[dict[bytes, Any]]:
    pads = st.none() | st.just({b"path": [b".pad", b"1"]}) | st.just({b"length": 7})
    return st.builds(
        lambda contents, last_pad, pad: hybrid_torrent(contents, last_pad=last_pad, pad=pad),
        CONTENTS,
        st.booleans(),
        pads,
    )


TORRENTS = v1_torrents() | CONTENTS.map(v2_torrent) | hybrids()


@settings(max_examples=150, deadline=None)
@given(TORRENTS, CHANGES, st.booleans(), st.data())
def test_accepted_torrents_open_as_what_they_are_said_to_be(
    made: dict[bytes, Any], changes: dict[str, Any], fit: bool, data: st.DataObject
) -> None:
    info = made[b"info"] | {key.replace("_", " ").encode(): value for key, value in changes.items()}
    if fit and b"files" in info:
        size = sum(map(stream_bytes, info[b"files"]))
        info[b"pieces"] = bytes(20 * min(-(-size // info[b"piece length"]), 5000))
    order = InOrder(data.draw(st.permutations(sorted(info.items())))) if data.draw(st.booleans()) else info
    check(encode({**made, b"info": order}) + data.draw(st.sampled_from([b"", b"\n", b"d1:ai1ee"])))


@settings(max_examples=150, deadline=None)
@given(TORRENTS, st.data())
def test_accepted_torrents_with_errors_in_their_bytes_open_too(made: dict[bytes, Any], data: st.DataObject) -> None:
    mutated = bytearray(bencode(made))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(mutated) - 1))
        mutated[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    check(bytes(mutated))


def check(data: bytes) -> None:
    try:
        parsed = parse_torrent(data)
    except TorrentError as error:
        refusal = str(error)
    else:
        refusal = "."
        opened(parsed)
        again = parse_torrent(parsed.file)
        assert (again.file, again.info_hashes, again.made_private) == (parsed.file, parsed.info_hashes, False)
        assert parsed.made_private or info_bytes(parsed) in data
    assert refusal.isprintable()
    assert refusal.endswith(".")


def info_bytes(parsed: ParsedTorrent) -> bytes:
    start = parsed.file.index(b"4:info") + 6
    layers = parsed.file.rfind(b"12:piece layers")
    return parsed.file[start : layers if layers > 0 else -1]
