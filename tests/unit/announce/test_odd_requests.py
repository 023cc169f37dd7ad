"""Requests as only a few clients write them: other methods, HEAD, offers to upgrade, tracker URLs without /announce."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from etracker_announce.frontends.http.connection import Timeouts
from tests.support.announce import query
from tests.support.announce_ports import PEER, Scripted
from tests.support.wire import DEADLINE_SECONDS, KEY, Wire, announce, request


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    async with Scripted().serving(Timeouts(idle_seconds=1)) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        yield Wire(reader, writer)
        writer.close()


@pytest.mark.promise(32)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"])
@pytest.mark.parametrize("path", ["/announce", f"//{KEY}/%73crape/", "/?info_hash=x"])
async def test_nobody_announces_by_another_method_than_get(wire: Wire, method: str, path: str) -> None:
    """On whatever path an announce or a scrape is understood."""
    wire.send(request(path, "Content-Length: 2", "Connection: close").replace(b"GET", method.encode()) + b"xx")
    answer = await wire.rest()
    assert answer.startswith(b"HTTP/1.1 405 ")
    assert b"Allow: GET, HEAD\r\n" in answer
    assert answer.endswith(b"\r\n\r\nAnnounce and scrape with GET.")


@pytest.mark.promise(32)
@pytest.mark.parametrize(
    "path",
    [
        f"/{KEY}/announce?{query(bytes(20), PEER)}",
        "/announce",
        f"/scrape?info_hash={'%00' * 20}",
        "/?info_hash=x",
        "/healthz",
    ],
)
async def test_head_gets_the_head_of_a_get(wire: Wire, path: str) -> None:
    """And the connection goes on after it."""
    wire.send(request(path).replace(b"GET", b"HEAD") + request(path))
    async with asyncio.timeout(DEADLINE_SECONDS):
        head = await wire.reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert (await wire.answer())[0] == head


@pytest.mark.promise(33)
@pytest.mark.parametrize("path", ["/", "/?", f"/{KEY}", f"/{KEY}/", "/index.php", "/a/b/announce", "http://t", "//"])
@pytest.mark.parametrize("name", ["info_hash", "info%5Fhash", "?info_hash"])
async def test_a_tracker_url_without_announce_says_where_to_go(wire: Wire, path: str, name: str) -> None:
    wire.send(request(f"{path.removesuffix('?')}?{query(bytes(20), PEER).replace('info_hash', name)}"))
    head, body = await wire.answer()
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"14:failure reason" in body
    assert b"must end in /announce" in body


@pytest.mark.promise(33)
@pytest.mark.parametrize("path", ["/", f"/{KEY}/", "/?x=info_hash"])
async def test_without_an_info_hash_such_a_path_isn_t_there(wire: Wire, path: str) -> None:
    wire.send(request(path))
    async with asyncio.timeout(DEADLINE_SECONDS):
        assert (await wire.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 404 ")


OFFERS = {
    "h2c": ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"),
    "websocket": ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"),
    "tls": ("Connection: keep-alive, Upgrade", "Upgrade: TLS/1.2, HTTP/2.0"),
}


@pytest.mark.promise(32)
@pytest.mark.parametrize("path", ["/healthz", f"/{KEY}/announce?{query(bytes(20), PEER)}"])
@pytest.mark.parametrize("offer", OFFERS.values(), ids=OFFERS)
async def test_an_offer_to_upgrade_is_ignored_and_the_connection_kept(
    wire: Wire, path: str, offer: tuple[str, ...]
) -> None:
    """In one packet and in several."""
    offering = request(path, *offer)
    wire.send(offering + offering + request(path))
    for _ in range(3):
        assert (await wire.answer())[0].startswith(b"HTTP/1.1 200 ")
    wire.send(offering)
    assert (await wire.answer())[0].startswith(b"HTTP/1.1 200 ")
    wire.send(request(path, *offer[1:], offer[0] + ", close"))
    assert (await wire.rest()).startswith(b"HTTP/1.1 200 ")


@pytest.mark.promise(32)
@pytest.mark.parametrize("length", ["Content-Length: %d", "Transfer-Encoding: chunked"])
async def test_the_body_of_an_offer_is_never_read_as_a_request(wire: Wire, length: str) -> None:
    """Otherwise a proxy in front would give its answer to somebody else's request."""
    body = request("/healthz")
    if "%d" in length:
        length = length % len(body)
    else:
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    wire.send(announce(6881, *OFFERS["h2c"], length) + body)
    answer = await wire.rest()
    assert answer.count(b"HTTP/1.1") == 1
    assert b"Connection: close" in answer
    assert b"5:peers0:" in answer


async def test_a_tunnel_is_not_dug(wire: Wire) -> None:
    wire.send(b"CONNECT tracker.test:80 HTTP/1.1\r\nHost: tracker.test:80\r\n\r\n" + announce())
    answer = await wire.rest()
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert answer.count(b"HTTP/1.1") == 1
