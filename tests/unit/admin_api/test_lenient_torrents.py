"""Torrents that break a rule and that every client opens all the same: each is opened in libtorrent here."""

import hashlib
from typing import Any

import pytest
from fastbencode import bencode

from etracker_admin_api.errors import TorrentError
from etracker_admin_api.torrent_file.parsing import parse_torrent
from etracker_admin_api.torrent_file.rewriting import strip_file
from tests.support.torrent_files import (
    BLOCK,
    InOrder,
    encode,
    folder_info,
    hybrid_torrent,
    many_info,
    opened,
    torrent,
    v1_info,
    v2_torrent,
)

LINK = {b"attr": b"l", b"path": [b"link"], b"symlink path": [b"a"]}
A = {b"length": 5, b"path": [b"a"]}
PAD = {b"attr": b"p", b"length": BLOCK - 5}
CONTENTS = {b"a": b"a" * 20_000, b"b": b"b" * 9, b"c": b"c" * BLOCK}


def reversed_keys(value: Any) -> Any:
    if isinstance(value, list):
        return [reversed_keys(one) for one in value]
    if isinstance(value, dict):
        return InOrder([(key, reversed_keys(value[key])) for key in sorted(value, reverse=True)])
    return value


@pytest.mark.parametrize("info", [v1_info(), folder_info(([b"a", b"b"], 100), ([b"c"], 5))])
def test_a_private_torrent_with_unsorted_keys_keeps_its_info_dictionary(info: dict[bytes, Any]) -> None:
    data = encode(reversed_keys({b"info": info, b"announce": b"http://x.test/", b"comment": b"c"}))
    parsed = parse_torrent(data)
    unsorted_info = encode(reversed_keys(info))
    assert parsed.v1 == hashlib.sha1(unsorted_info).digest()
    assert unsorted_info in parsed.file
    assert (parsed.made_private, parsed.remarks) == (False, ())
    opened(parsed)
    assert strip_file(data).file == parsed.file


def test_a_public_torrent_with_unsorted_keys_is_sorted_and_says_so() -> None:
    parsed = parse_torrent(encode(reversed_keys({b"info": v1_info(private=None)})))
    assert parsed.v1 == hashlib.sha1(bencode(v1_info())).digest()
    assert parsed.remarks == ("The keys of its info dictionary were sorted.",)
    opened(parsed)


@pytest.mark.parametrize("after", [b"\n", b"\r\n", bytes(64), b"e", torrent(v1_info())])
def test_bytes_after_the_end_are_removed_and_said_to_be(after: bytes) -> None:
    parsed = parse_torrent(torrent(v1_info()) + after)
    assert parsed.file == torrent(v1_info())
    assert parsed.remarks == (f"Bytes after its end were removed: {len(after)}.",)
    assert strip_file(torrent(v1_info()) + after).file == parsed.file
    opened(parsed)


def test_a_key_that_is_repeated_where_nobody_reads_it_does_no_harm() -> None:
    comments = [(b"announce", b"http://x.test/"), (b"announce", b"http://y.test/"), (b"info", v1_info())]
    assert parse_torrent(encode(InOrder(comments))).file == torrent(v1_info())


@pytest.mark.parametrize(
    ("info", "size"),
    [
        pytest.param(many_info(A, LINK), 5, id="a link without length"),
        pytest.param(many_info(A, {**LINK, b"length": 7}), 5, id="a link with a length"),
        pytest.param(many_info(A, PAD, {b"length": 5, b"path": [b"b"]}), 10, id="a pad without path"),
        pytest.param(many_info(A, PAD, {**A, b"path": [b"b"]}, PAD), 10, id="two pads without path"),
        pytest.param(
            many_info(A, {**PAD, b"path": [b".pad", b"1"]}, {**PAD, b"path": [b".pad", b"1"]}), 5, id="one path"
        ),
        pytest.param(
            many_info(A, {b"length": BLOCK - 5, b"path": [b"_____padding_file_0_if you see this file, update____"]}),
            5,
            id="padding of BitComet",
        ),
        pytest.param(many_info(A, {b"attr": b"hx", b"length": 5, b"path": [b"b"]}), 10, id="hidden and executable"),
        pytest.param(v1_info(piece_length=1000, pieces=bytes(2000)), 100_000, id="small pieces"),
        pytest.param(v1_info(meta_version=1), 100_000, id="version 1 by name"),
    ],
)
def test_what_bep_47_and_older_programs_leave_out_is_taken(info: dict[bytes, Any], size: int) -> None:
    parsed = parse_torrent(torrent(info))
    assert parsed.length == size
    opened(parsed)


@pytest.mark.parametrize("pad", [None, {b"path": [b".pad", b"1"]}], ids=["without path", "with path"])
@pytest.mark.parametrize("last_pad", [False, True])
def test_a_hybrids_pads_need_no_path_and_the_last_one_may_be_left_out(pad: dict[bytes, Any], last_pad: bool) -> None:
    contents = {**CONTENTS, b"d": b"d" * 5}
    parsed = parse_torrent(bencode(hybrid_torrent(contents, pad=pad, last_pad=last_pad)))
    assert parsed.length == sum(map(len, contents.values()))
    opened(parsed)


def test_an_empty_file_may_stand_before_or_after_the_padding_of_a_hybrid() -> None:
    made = hybrid_torrent({b"a": b"a" * 5, b"b": b"", b"c": b"c" * BLOCK})
    files = made[b"info"][b"files"]
    files[1], files[2] = files[2], files[1]
    opened(parse_torrent(bencode(made)))


def test_a_link_in_v2_needs_no_length() -> None:
    parsed = parse_torrent(bencode(v2_torrent(CONTENTS, {b"link": {b"attr": b"l", b"symlink path": [b"a"]}})))
    assert parsed.length == sum(map(len, CONTENTS.values()))
    opened(parsed)


def broken_hybrid(**changes: Any) -> dict[bytes, Any]:
    made = hybrid_torrent(CONTENTS, last_pad=True)
    made[b"info"].update({key.replace("_", " ").encode(): value for key, value in changes.items()})
    return made


def without_version() -> dict[bytes, Any]:
    made = hybrid_torrent(CONTENTS)
    del made[b"info"][b"meta version"], made[b"piece layers"]
    return made


def short_pad(place: int) -> dict[bytes, Any]:
    made = hybrid_torrent({b"a": b"a", b"b": b"b"}, last_pad=True)
    made[b"info"][b"files"][place][b"length"] -= 1
    return made


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        pytest.param(without_version(), "must be 2", id="a file tree without meta version"),
        pytest.param(short_pad(1), "isn't padded", id="a pad that is a byte short"),
        pytest.param(short_pad(3), "isn't padded", id="the last pad a byte short"),
        pytest.param(reversed_keys(v2_torrent(CONTENTS)), "aren't sorted", id="v2 with unsorted keys"),
        pytest.param(
            v2_torrent(CONTENTS, {b"d": {b"attr": b"p", b"length": 5, b"pieces root": b"r" * 32}}),
            'of "d" calls a v2 file padding',
            id="a pad in v2",
        ),
        pytest.param(
            v2_torrent(CONTENTS, {b"d": {b"length": 5, b"pieces root": bytes(32)}}),
            'of "d" isn\'t a hash',
            id="zero root",
        ),
        pytest.param({b"info": many_info(A, A)}, 'Two files have the path "a"', id="two files of one path"),
        pytest.param({b"info": many_info(PAD)}, "empty or padding", id="nothing but padding"),
        pytest.param(
            {b"info": InOrder([(b"name", b"a"), *sorted(v1_info().items())])},
            '"name" twice',
            id="a name that occurs twice",
        ),
        pytest.param(InOrder([(b"info", v1_info()), (b"info", v1_info(name=b"b"))]), '"info" twice', id="two infos"),
    ],
)
def test_what_no_client_opens_or_not_two_in_the_same_way_is_refused(made: Any, sentence: str) -> None:
    with pytest.raises(TorrentError, match=sentence):
        parse_torrent(encode(made))
