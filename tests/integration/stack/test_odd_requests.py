"""Unusual requests that some clients send, through the gateway: offers to upgrade, and HEAD."""

from collections.abc import Iterator

import httpx
import pytest

from tests.support.gateway import Echo, Gateway, running_gateway

KEY = "0123456789abcdef0123456789abcd"


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with Echo("announce") as announce, Echo("admin_api") as api, running_gateway([announce], api) as running:
        yield running


OFFERS = [
    "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n",
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eHh4\r\n",
]


@pytest.mark.promise(32)
@pytest.mark.parametrize("offer", OFFERS, ids=["h2c", "websocket"])
@pytest.mark.parametrize("path", [f"/{KEY}/announce", "/scrape", "/api/stats", "/", "/healthz"])
def test_an_offer_to_upgrade_is_ignored_and_isnt_passed_on(gateway: Gateway, path: str, offer: str) -> None:
    """The connection continues with HTTP/1.1."""
    last = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answers = gateway.ask(f"GET {path} HTTP/1.1\r\nHost: x\r\n{offer}\r\n{last}".encode())
    assert answers.count(b"HTTP/1.1 200 OK") == 2
    assert b"upgrade" not in answers.lower()
    assert b"http2-settings" not in answers


@pytest.mark.promise(32)
@pytest.mark.parametrize("path", [f"/{KEY}/announce", "/scrape", "/api/stats", "/?info_hash=x", "/", "/healthz"])
def test_head_gets_the_head_of_a_get(gateway: Gateway, path: str) -> None:
    """The connection is kept, even if the request had a body."""
    with httpx.Client(base_url=gateway.url) as client:
        got = client.get(path)
        for body in (b"", b"abc"):
            head = client.request("HEAD", path, content=body)
            assert (head.status_code, head.content) == (200, b"")
            assert head.headers.get("content-type") == got.headers.get("content-type")
            assert int(head.headers["content-length"]) > 0
