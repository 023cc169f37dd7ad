import hashlib
from typing import Any

import pytest
from fastbencode import bdecode, bencode
from hypothesis import given
from hypothesis import strategies as st

from etracker_admin_api.errors import TorrentError, TorrentTooLargeError
from etracker_admin_api.torrent_file.bencoding import MAX_TORRENT_BYTES
from etracker_admin_api.torrent_file.parsing import parse_torrent
from etracker_admin_api.torrent_file.rewriting import personal_start, strip_file
from tests.support.torrent_files import PIECE, folder_info, opened, torrent, v1_info, v2_info

URL = "http://tracker.test/0123/announce"


def test_a_private_torrent_keeps_its_infohash() -> None:
    info = v1_info()
    parsed = parse_torrent(torrent(info))
    assert parsed.v1 == hashlib.sha1(bencode(info)).digest()
    assert (parsed.name, parsed.length, parsed.made_private) == ("a film.mkv", 100_000, False)


@pytest.mark.parametrize("private", [None, 0, 2, b"1"])
def test_a_public_torrent_gets_the_flag_and_says_so(private: object) -> None:
    parsed = parse_torrent(torrent(v1_info(private=private)))
    assert parsed.made_private
    assert parsed.v1 == hashlib.sha1(bencode(v1_info(private=1))).digest()
    assert bdecode(parsed.file)[b"info"][b"private"] == 1


def test_every_other_way_to_find_peers_is_removed() -> None:
    upload = torrent(
        v1_info(),
        announce=b"http://other.test/announce",
        **{"announce-list": [[b"http://other.test/announce"]], "url-list": [b"http://w.test/"]},
        httpseeds=[b"http://w.test/"],
        nodes=[[b"192.0.2.1", 6881]],
        azureus_properties={b"dht_backup_enable": 1},
    )
    assert set(bdecode(parse_torrent(upload).file)) == {b"info"}


def test_what_describes_the_torrent_is_kept() -> None:
    upload = torrent(v1_info(), comment=b"hello", created_by=b"a client", creation_date=1_700_000_000)
    kept = bdecode(parse_torrent(upload).file)
    assert (kept[b"comment"], kept[b"created by"], kept[b"creation date"]) == (b"hello", b"a client", 1_700_000_000)


def test_fields_of_the_info_dictionary_that_nobody_knows_are_kept() -> None:
    info = v1_info(source=b"somewhere")
    assert parse_torrent(torrent(info)).v1 == hashlib.sha1(bencode(info)).digest()


KEPT = {"comment": b"c", "created by": b"b", "creation date": 1, "encoding": b"UTF-8", "piece layers": {}}
DROPPED = {"a": b"sorts before announce", "announce-list": [[b"http://other.test/"]], "nodes": [], "url-list": b"http:"}


@pytest.mark.parametrize("outside", [{}, KEPT, DROPPED, {**KEPT, **DROPPED}])
def test_the_announce_url_before_unchanged_bytes_is_what_encoding_it_again_gives(outside: dict[str, Any]) -> None:
    stored = parse_torrent(torrent(v1_info(), **outside)).file
    assert personal_start(URL) + stored[1:] == bencode({**bdecode(stored), b"announce": URL.encode()})


def test_a_file_stored_by_hand_loses_its_trackers_and_keeps_its_info() -> None:
    by_hand = torrent(v1_info(private=None), announce=b"http://other.test/", **DROPPED)
    assert strip_file(by_hand).file == torrent(v1_info(private=None))


@pytest.mark.parametrize("data", [b"", b"i1e", b"de", b"le", b"d4:infoi1ee", b"d4:infole" + b"e", b"d4:infode" + b"e"])
def test_what_is_no_torrent_is_refused(data: bytes) -> None:
    with pytest.raises(TorrentError):
        parse_torrent(data)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(torrent(v1_info())[:-1], id="truncated"),
        pytest.param(torrent(v1_info()).replace(b"i100000e", b"i0100000e"), id="leading zero"),
        pytest.param(torrent(v1_info()).replace(b"10:a film.mkv", b"010:a film.mkv"), id="leading zero of a string"),
        pytest.param(b"d4:infode4:infodee", id="repeated key"),
        pytest.param(
            torrent({**v1_info(), b"x": [[]]}).replace(b"llee", b"l" * 98 + b"e" * 98), id="too deep for clients"
        ),
        pytest.param(b"di1ei2ee", id="a key that is a number"),
        pytest.param(b"d4:infoe", id="a key without a value"),
        pytest.param(b"l" * 3_000_000 + b"e" * 3_000_000, id="nested three million deep"),
        pytest.param(b"d4:info" * 100_000 + b"e" * 100_000, id="dictionaries nested deeply"),
        pytest.param(b"l" + b"le" * 5_000_000 + b"e", id="ten million tokens"),
        pytest.param(b"i" + b"9" * 5_000_000 + b"e", id="five million digits"),
        pytest.param(b"999999999:a", id="a string longer than the file"),
        pytest.param(b"9" * 1_000_000 + b":", id="a length of a million digits"),
        pytest.param(b"e" * 100 + b"l" * 100, id="ends before beginnings"),
    ],
)
def test_malformed_and_hostile_bencoding_is_refused(data: bytes) -> None:
    with pytest.raises(TorrentError):
        parse_torrent(data)


def test_an_oversized_file_is_refused_as_such() -> None:
    with pytest.raises(TorrentTooLargeError, match="larger than 16 MiB"):
        parse_torrent(bytes(MAX_TORRENT_BYTES + 1))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": None}, 'key "name" is missing'),
        ({"name": 5}, 'key "name" isn\'t a string'),
        ({"piece_length": None}, "piece length"),
        ({"piece_length": 0}, "piece length"),
        ({"piece_length": -PIECE}, "piece length"),
        ({"piece_length": 512 * 1024 * 1024}, "piece length"),
        ({"piece_length": 2**40}, "piece length"),
        ({"piece_length": b"32768"}, "piece length"),
        ({"length": -1}, "negative"),
        ({"length": 2**62}, "larger than the 16 TiB"),
        ({"length": b"100000"}, "isn't a number"),
        ({"length": 0, "pieces": b""}, "no content"),
        ({"length": None}, 'key "length" of "a film.mkv" is missing'),
        ({"files": []}, '"length" and "files"'),
        ({"pieces": None}, 'key "pieces" is missing'),
        ({"pieces": bytes(79)}, "has 79 bytes"),
        ({"pieces": bytes(100)}, "need 80"),
        ({"meta_version": 3}, "meta version"),
        ({"meta_version": b"2"}, "meta version"),
        ({"file tree": {}}, "meta version"),
    ],
)
def test_absurd_fields_of_a_v1_torrent_are_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(TorrentError, match=sentence):
        parse_torrent(torrent(v1_info(**changes)))


@pytest.mark.parametrize(
    "info",
    [
        folder_info(([b"a"], 100), ([b"a"], 100)),
        folder_info(([b"a"], 100), ([b"a", b"b"], 100)),
        folder_info(([], 100)),
        folder_info((([b"a"] * 65), 100)),
        folder_info(([b"a"], 100), files=[]),
        folder_info(([b"a"], 100), files={b"a": 1}),
        folder_info(([b"a"], 100), files=[b"a"]),
        folder_info(([b"a"], 100), files=[{b"path": b"a", b"length": 100}]),
        folder_info(([b"a"], 100), files=[{b"path": [b"a"], b"length": -100}]),
        folder_info(([b"a"], 100), files=[{b"path": [b"a"], b"length": 100, b"attr": 1}]),
        folder_info(*(([b"a", b"%d" % index], 0) for index in range(100_001))),
    ],
    ids=lambda _info: "",
)
def test_impossible_file_lists_are_refused(info: dict[bytes, Any]) -> None:
    with pytest.raises(TorrentError):
        parse_torrent(torrent(info))


def test_padding_files_may_share_a_path_and_are_no_content() -> None:
    info = folder_info(([b"a"], 100), ([b".pad", b"1"], 60), ([b"b"], 100), ([b".pad", b"1"], 60))
    for index in (1, 3):
        info[b"files"][index][b"attr"] = b"p"
    assert parse_torrent(torrent(info)).length == 200


@pytest.mark.parametrize(
    "info",
    [
        v2_info(piece_length=3 * 16384),
        v2_info(**{"file tree": None}),
        v2_info(**{"file tree": {}}),
        v2_info(**{"file tree": {b"a": {}}}),
        v2_info(**{"file tree": {b"a": 1}}),
        v2_info(**{"file tree": {b"": {b"length": 1}}}),
        v2_info(**{"file tree": {b"a": {b"": {b"length": 1}, b"b": {}}}}),
        v2_info(**{"file tree": {b"a": {b"": {b"length": 1}}}}),
        v2_info(**{"file tree": {b"a": {b"": {b"length": 1, b"pieces root": bytes(20)}}}}),
        v2_info(**{"file tree": {b"a": {b"": {b"length": 0}}}}),
        v2_info(**{"file tree": {b"a": {b"": {b"length": 1, b"pieces root": bytes(32)}}}}),
        v2_info(**{"file tree": {b"a": {b"": {b"length": 1, b"pieces root": b"r" * 32, b"attr": b"p"}}}}),
        v2_info(length=100),
    ],
    ids=lambda _info: "",
)
def test_absurd_fields_of_a_v2_torrent_are_refused(info: dict[bytes, Any]) -> None:
    with pytest.raises(TorrentError):
        parse_torrent(torrent(info))


def test_a_file_tree_too_deep_for_a_file_system_is_refused() -> None:
    tree: dict[bytes, Any] = {b"": {b"length": 1, b"pieces root": bytes(32)}}
    for _ in range(70):
        tree = {b"a": tree}
    with pytest.raises(TorrentError, match="parts"):
        parse_torrent(torrent(v2_info(**{"file tree": tree})))


VALUES = st.recursive(
    st.integers(-(2**63), 2**63 - 1) | st.binary(max_size=40) | st.sampled_from([b"..", b"length", b"pieces"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.binary(max_size=8), inner, max_size=4),
    max_leaves=10,
)
FIELDS = st.sampled_from(
    [b"name", b"length", b"files", b"pieces", b"piece length", b"meta version", b"file tree", b"private", b"attr"]
)


@given(st.binary(max_size=300))
def test_any_bytes_give_a_torrent_or_a_typed_error(data: bytes) -> None:
    _parse_or_refuse(data)


@given(st.sampled_from([v1_info, v2_info]), st.dictionaries(FIELDS, VALUES, max_size=4), st.data())
def test_any_fields_give_a_torrent_or_a_typed_error(make: Any, fields: dict[bytes, Any], data: st.DataObject) -> None:
    outside = data.draw(st.dictionaries(st.sampled_from(["piece_layers", "comment", "creation_date"]), VALUES))
    _parse_or_refuse(torrent({**make(), **fields}, **outside))


@given(st.data())
def test_mutated_torrents_give_a_torrent_or_a_typed_error(data: st.DataObject) -> None:
    mutated = bytearray(torrent(data.draw(st.sampled_from([v1_info(), v2_info(), folder_info(([b"a", b"b"], 100))]))))
    for _ in range(data.draw(st.integers(1, 8))):
        position = data.draw(st.integers(0, len(mutated) - 1))
        mutated[position : position + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    _parse_or_refuse(bytes(mutated))


def _parse_or_refuse(data: bytes) -> None:
    try:
        parsed = parse_torrent(data)
    except TorrentError as error:
        sentence = str(error)
    else:
        sentence = "It is accepted."
        again = parse_torrent(personal_start(URL) + parsed.file[1:])
        assert again.info_hashes == parsed.info_hashes
        assert not again.made_private
        opened(parsed)
    assert sentence.endswith(".")
    assert sentence.isprintable()
