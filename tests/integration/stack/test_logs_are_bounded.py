"""Visitors can't make the logs grow at will, and no process makes them grow without bound."""

import asyncio
import os
import subprocess
import sys

import pytest

from etracker_shared.language.identity import hash_announce_key
from tests.support.conversation import say
from tests.support.processes import wait_until
from tests.support.stack import StackRun

pytestmark = pytest.mark.timeout(180)

REQUESTS_OF_A_KIND = 320
BYTES_OF_A_KIND = 5 * 2048
"""Five lines or tracebacks in a minute; a line for each request was seven times as much."""

HEAD = b"Host: tracker\r\nConnection: close\r\n"
BROKEN_BODY = b"Transfer-Encoding: chunked\r\n" + HEAD + b"\r\nZ\r\n"
AT_THE_GATEWAY = {
    "a page": b"GET / HTTP/1.1\r\n" + HEAD + b"\r\n",
    "statistics": b"GET /api/stats HTTP/1.1\r\n" + HEAD + b"\r\n",
    "no such route": b"GET /api/nothing HTTP/1.1\r\n" + HEAD + b"\r\n",
    "no such method": b"BREW /api/stats HTTP/1.1\r\n" + HEAD + b"\r\n",
    "no key": b"GET /api/v1/operators HTTP/1.1\r\n" + HEAD + b"\r\n",
    "a wrong key": b"GET /api/v1/operators HTTP/1.1\r\nAuthorization: wrong\r\n" + HEAD + b"\r\n",
    "a wrong announce key": b"GET /api/v1/standing HTTP/1.1\r\nX-Announce-Key: wrong\r\n" + HEAD + b"\r\n",
    "a NUL": b"GET /api/v1/torrents?search=%00 HTTP/1.1\r\n" + HEAD + b"\r\n",
    "a key": b"GET /api/generate HTTP/1.1\r\n" + HEAD + b"\r\n",
    "an announce": b"GET /announce?info_hash=1 HTTP/1.1\r\n" + HEAD + b"\r\n",
    "no HTTP": b"\x16\x03\x01 hello\r\n\r\n",
}
AT_ANNOUNCE = {
    "an announce": b"GET /announce?info_hash=1 HTTP/1.1\r\n" + HEAD + b"\r\n",
    "a strange method": b"POST /announce HTTP/1.1\r\n" + HEAD + b"\r\n",
    "no HTTP": b"\x16\x03\x01 hello\r\n\r\n",
    "a broken body": b"GET /announce HTTP/1.1\r\n" + BROKEN_BODY,
    "a broken body of a strange method": b"POST /healthz HTTP/1.1\r\n" + BROKEN_BODY,
    "a broken URL": b"GET http://[ HTTP/1.1\r\n" + HEAD + b"\r\n",
    "a head without an end": b"GET / HTTP/1.1\r\nX: " + b"x" * 40_000,
}


async def test_requests_of_any_kind_cause_few_log_lines(stack: StackRun) -> None:
    grown: dict[str, int] = {}
    for kind, request in AT_THE_GATEWAY.items():
        grown[f"the gateway: {kind}"] = await _growth(stack, stack.base_url.removeprefix("http://"), request)
    for kind, request in AT_ANNOUNCE.items():
        grown[f"announce: {kind}"] = await _growth(stack, stack.announce_addresses[0], request)
    for kind, size in grown.items():
        sys.stdout.write(f"{kind}: {size / REQUESTS_OF_A_KIND:.1f} bytes logged per request\n")
    assert {kind: size for kind, size in grown.items() if size > BYTES_OF_A_KIND} == {}


def test_the_log_of_postgres_shows_no_values_of_a_failed_statement(stack: StackRun) -> None:
    key = "k" * 30
    insert = f"INSERT INTO peers (announce_key) VALUES ('{key}')"
    command = [sys.executable, "-m", "etracker_stack.postgres_tools", "psql", "-c", insert, "-c", insert]
    environment = {**os.environ, "ETRACKER_DATA_DIR": str(stack.data)}
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stderr
    shown = hash_announce_key(key).hex()
    assert shown in said
    log = stack.data / "logs" / "postgres.log"
    wait_until(lambda: "duplicate key value" in log.read_text(), "Postgres logs the error")
    assert key not in log.read_text()
    assert shown not in log.read_text()


async def _growth(stack: StackRun, address: str, request: bytes) -> int:
    host, _, port = address.rpartition(":")
    before = _size_of_logs(stack)

    async def ask() -> None:
        for _ in range(REQUESTS_OF_A_KIND // 16):
            await say((host, int(port)), request)

    await asyncio.gather(*(ask() for _ in range(16)))
    return _size_of_logs(stack) - before


def _size_of_logs(stack: StackRun) -> int:
    return len(stack.output) + sum(path.stat().st_size for path in (stack.data / "logs").iterdir())
