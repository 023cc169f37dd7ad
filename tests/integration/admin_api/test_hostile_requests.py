"""Requests nobody should send: never a 5xx, and nothing changes."""

import random

import asyncpg
from httpx import URL, AsyncClient

from tests.support.admin_api import AUTHORIZED
from tests.support.torrent_files import torrent, v1_info

PATHS = ["/api/stats", "/api/infohashes", "/api/infohash", "/api/torrentfile", "/api/x", "//", "/%"]
METHODS = ["GET", "GET", "POST", "POST", "DELETE", "PUT", "PATCH", "OPTIONS", "HEAD", "TRACE"]
NAMES = ["info_hash", "announce_key", "after", "file", "", "name"]
TYPES = ["application/json", "multipart/form-data; boundary=x", "multipart/form-data", "text/plain", "\xff", ""]
PIECES = [
    b"--x\r\n",
    b"--x--",
    b"\r\n",
    b'Content-Disposition: form-data; name="file"; filename="a"',
    b"{",
    b'"info_hash":',
    b":",
]
HEADERS = [b"x-forwarded-for", b"x-forwarded-proto", b"host", b"cookie", b"content-length"]
REQUESTS = 1500


def value(chance: random.Random) -> str:
    noise = chance.randbytes(chance.randrange(40))
    return chance.choice([noise.hex(), "".join(f"%{byte:02x}" for byte in noise), "00" * 20, "0" * 30, "%00"])


def header(chance: random.Random) -> bytes:
    return chance.randbytes(12).replace(b"\r", b"").replace(b"\n", b"")


def body(chance: random.Random) -> bytes:
    parts = [*PIECES, chance.randbytes(50), torrent(v1_info())[: chance.randrange(200)]]
    return b"".join(chance.choice(parts) for _ in range(chance.randrange(8)))


async def test_no_random_request_gets_a_5xx_or_changes_anything(
    client: AsyncClient, database: asyncpg.Connection
) -> None:
    chance = random.Random(20)
    for number in range(REQUESTS):
        query = "&".join(f"{chance.choice(NAMES)}={value(chance)}" for _ in range(chance.randrange(4)))
        headers = [(b"content-type", chance.choice(TYPES).encode("latin-1"))]
        headers += [(name, header(chance)) for name in HEADERS if chance.random() < 0.2]
        if chance.random() < 0.7:
            headers.append((b"authorization", AUTHORIZED["Authorization"].encode()))
        url = URL("http://tracker.test").copy_with(raw_path=f"{chance.choice(PATHS)}?{query}".encode())
        response = await client.request(chance.choice(METHODS), url, headers=headers, content=body(chance))
        assert response.status_code < 500, (number, url, response.text)
    assert await database.fetchval("SELECT count(*) FROM infohashes") == 0
    assert await database.fetchval("SELECT count(*) FROM peers") == 0
