"""Uploads through both APIs, small ones and those that are parsed in a process of their own."""

import pytest
from httpx import AsyncClient

from etracker_admin_api.torrents.files.parser import SMALL_BYTES
from tests.support.admin_api import AUTHORIZED
from tests.support.torrent_files import InOrder, encode, torrent, v1_info

ROUTES = ["/api/torrentfile", "/api/v1/torrents"]
NAME = "\u5f71\u7247.mkv"
GBK = NAME.encode("gbk")


def unsorted_and_public(*, large: bool, **changes: object) -> bytes:
    padding = bytes(SMALL_BYTES) if large else b""
    info = InOrder([(b"x padding", padding), *sorted(v1_info(private=None, **changes).items())])
    return encode(InOrder([(b"info", info), (b"announce", b"http://x.test/")])) + b"\r\n"


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("large", [False, True])
async def test_an_upload_says_what_was_changed_and_is_listed_under_the_name_that_clients_show(
    client: AsyncClient, route: str, large: bool
) -> None:
    data = unsorted_and_public(large=large, name=GBK, **{"name.utf-8": NAME.encode()})
    answer = await client.post(route, headers=AUTHORIZED, files={"file": data})
    assert answer.status_code == 201
    message = answer.json()["message"]
    assert message.startswith("The torrent is now tracked. It wasn't private, so it was made private")
    assert message.endswith(" Bytes after its end were removed: 2. The keys of its info dictionary were sorted.")
    assert [row["name"] for row in (await client.get("/api/infohashes")).json()] == [NAME]
    assert [row["name"] for row in (await client.get("/api/v1/infohashes")).json()["items"]] == [NAME]


@pytest.mark.parametrize("large", [False, True])
async def test_a_name_that_isnt_utf8_is_said_to_be_shown_otherwise(client: AsyncClient, large: bool) -> None:
    data = unsorted_and_public(large=large, name="Beyonc\u00e9".encode("latin-1"))
    answer = (await client.post("/api/torrentfile", headers=AUTHORIZED, files={"file": data})).json()
    assert answer["name"] == "Beyonc_"
    assert 'most clients show it as "Beyonc_"' in answer["message"]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (b"", "The file is empty."),
        (b"<!DOCTYPE html><html>", "The file is a web page"),
        (b"magnet:?xt=urn:btih:0123", "The file contains a magnet link"),
        (b"\x1aE\xdf\xa3" + bytes(SMALL_BYTES), "The file is a video"),
        (torrent(v1_info(name=b"..")), 'The torrent\'s name ".." in the key "name"'),
        (torrent(v1_info(name=b"..", x=bytes(SMALL_BYTES))), 'The torrent\'s name ".." in the key "name"'),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_refusal_has_the_shape_of_its_route(
    client: AsyncClient, route: str, file: bytes, sentence: str
) -> None:
    answer = await client.post(route, headers=AUTHORIZED, files={"file": file})
    assert answer.status_code == 400
    said = answer.json()["detail" if "v1" in route else "message"]
    assert said.startswith(sentence)
    assert said.endswith(".")
