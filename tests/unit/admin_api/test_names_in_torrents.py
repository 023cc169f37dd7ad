"""Names in torrents. The kind: whatever a client shows or writes to a disk, wherever it stands in the file."""

from collections.abc import Callable
from typing import Any

import pytest
from fastbencode import bencode

from etracker_admin_api.errors import TorrentError
from etracker_admin_api.torrent_file.parsing import parse_torrent
from tests.support.torrent_files import (
    folder_info,
    hybrid_torrent,
    many_info,
    opened,
    torrent,
    v1_info,
    v2_torrent,
)
from tests.support.torrent_names import HOSTILE, STRANGE

TWIN = b"twin"


def in_name(name: bytes) -> dict[str, Any]:
    return {"info": v1_info(name=name)}


def in_name_of_a_folder(name: bytes) -> dict[str, Any]:
    return {"info": folder_info(([b"a"], 100), name=name)}


def in_name_utf8(name: bytes) -> dict[str, Any]:
    return {"info": v1_info(**{"name.utf-8": name})}


def in_name_with_a_twin(name: bytes) -> dict[str, Any]:
    return {"info": v1_info(name=name, **{"name.utf-8": TWIN})}


def in_path(name: bytes) -> dict[str, Any]:
    return {"info": folder_info(([b"folder", name], 100))}


def in_path_of_a_folder(name: bytes) -> dict[str, Any]:
    return {"info": folder_info(([name, b"file"], 100))}


def in_path_utf8(name: bytes) -> dict[str, Any]:
    return {"info": many_info({b"length": 5, b"path": [b"a"], b"path.utf-8": [b"b", name]})}


def in_path_with_a_twin(name: bytes) -> dict[str, Any]:
    return {"info": many_info({b"length": 5, b"path": [name], b"path.utf-8": [TWIN]})}


def in_link(name: bytes) -> dict[str, Any]:
    link = {b"attr": b"l", b"path": [b"link"], b"symlink path": [b"a", name]}
    return {"info": many_info({b"length": 5, b"path": [b"a"]}, link)}


def in_tree(name: bytes) -> dict[str, Any]:
    return in_v2(v2_torrent({name: b"content"}))


def in_name_of_v2(name: bytes) -> dict[str, Any]:
    made = v2_torrent({b"a": b"content"})
    return in_v2({**made, b"info": {**made[b"info"], b"name.utf-8": name}})


def in_link_of_v2(name: bytes) -> dict[str, Any]:
    return in_v2(v2_torrent({b"a": b"content"}, {b"link": {b"attr": b"l", b"symlink path": [name]}}))


def in_hybrid(name: bytes) -> dict[str, Any]:
    return in_v2(hybrid_torrent({b"a": b"content", name: b"more"}))


def in_v2(made: dict[bytes, Any]) -> dict[str, Any]:
    return {"info": made[b"info"], "piece_layers": made[b"piece layers"]}


PLACES = [
    in_name,
    in_name_of_a_folder,
    in_name_utf8,
    in_name_with_a_twin,
    in_path,
    in_path_of_a_folder,
    in_path_utf8,
    in_path_with_a_twin,
    in_link,
    in_tree,
    in_name_of_v2,
    in_link_of_v2,
    in_hybrid,
]
Place = Callable[[bytes], dict[str, Any]]


@pytest.mark.parametrize("place", PLACES)
def test_hostile_names_are_refused_wherever_they_stand(place: Place) -> None:
    sentences = {name: refusal(torrent(**place(name))) for name in HOSTILE}
    ending = "Rename it, and create the torrent again."
    assert {name for name, said in sentences.items() if not (said.isprintable() and said.endswith(ending))} == set()


def refusal(data: bytes) -> str:
    try:
        parse_torrent(data)
    except TorrentError as error:
        return str(error)
    return "accepted"


@pytest.mark.parametrize("place", PLACES)
def test_names_that_clients_open_are_taken_and_kept_byte_for_byte(place: Place) -> None:
    for name in STRANGE:
        made = place(name)
        parsed = parse_torrent(torrent(**made))
        assert bencode(made["info"]) in parsed.file
        opened(parsed)


@pytest.mark.parametrize("name", ["\u65e5\u672c\u8a9e.mkv", "AC/DC", "Q: a", "con-air", "x" * 255, "\u200dzero-width"])
def test_a_name_in_utf8_is_shown_as_it_is(name: str) -> None:
    assert parse_torrent(torrent(v1_info(name=name.encode()))).name == name


@pytest.mark.parametrize(
    "raw", ["\u6d4b\u8bd5.mkv".encode("gbk"), "Beyonc\u00e9".encode("latin-1"), b"\xff\xfe", b"a\xe3b"]
)
def test_a_name_in_another_encoding_is_listed_as_clients_show_it_and_said_to_be(raw: bytes) -> None:
    parsed = parse_torrent(torrent(v1_info(name=raw)))
    assert parsed.name == opened(parsed).name()
    assert f'clients show it as "{parsed.name}"' in parsed.remarks[0]


@pytest.mark.parametrize("name", [b"____.mkv", "\u6d4b\u8bd5.mkv".encode("gbk"), b"quite another"])
def test_the_utf8_twin_is_the_name(name: bytes) -> None:
    twin = "\u5f71\u7247.mkv"
    parsed = parse_torrent(torrent(v1_info(name=name, **{"name.utf-8": twin.encode()})))
    assert (parsed.name, parsed.remarks) == (twin, ())
    assert opened(parsed).name() == twin


@pytest.mark.parametrize(
    "info",
    [
        v1_info(**{"name.utf-8": 1}),
        v1_info(**{"name.utf-8": [b"a"]}),
        many_info({b"length": 5, b"path": [b"a"], b"path.utf-8": b"..\\evil"}),
        many_info({b"length": 5, b"path": [b"a"], b"path.utf-8": []}),
        many_info({b"length": 5, b"path": [b"a"], b"path.utf-8": [1]}),
        many_info({b"length": 5, b"path": [b"a"]}, {b"attr": b"l", b"path": [b"l"], b"symlink path": b".."}),
        many_info({b"length": 5, b"path": [b"a"]}, {b"attr": b"l", b"path": [b"l"], b"symlink path": []}),
        many_info({b"length": 5, b"path": [b"a"], b"symlink path": [b".."]}),
        many_info({b"length": 5, b"path": [b"a"]}, {b"attr": b"p", b"length": 5, b"path": [b".."]}),
    ],
)
def test_a_name_of_the_wrong_type_is_no_way_round_the_rules(info: dict[bytes, Any]) -> None:
    with pytest.raises(TorrentError):
        parse_torrent(torrent(info))


def test_names_that_clients_would_all_write_alike_are_refused() -> None:
    names = [
        "\u7b2c{}\u96c6".format("\u4e00\u4e8c\u4e09\u56db\u4e94"[at % 5] * (1 + at // 5)).encode("gbk")
        for at in range(40)
    ]
    parsed = parse_torrent(torrent(folder_info(*(([name], 5) for name in names))))
    opened(parsed)
    alike = [bytes([0x80 + at]) + b".txt" for at in range(40)]
    with pytest.raises(TorrentError, match=r'write 40 files as "_\.txt"'):
        parse_torrent(torrent(folder_info(*(([name], 5) for name in alike))))
