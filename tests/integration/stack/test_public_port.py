"""Announce's own public port: its replicas come and go, and it stays; nothing but announces and scrapes is served."""

import asyncio
import os
import re
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import quote_from_bytes

import httpx
import pytest
from fastbencode import bdecode

from tests.support.accounts import assert_acknowledged_counted, make_sessions
from tests.support.announce import query
from tests.support.announce_ports import PEER
from tests.support.load import UNLIMITED, Session
from tests.support.processes import wait_until
from tests.support.stack import StackRun, running_stack
from tests.support.visits import Broken, Visitors, Visits

REPLICAS = ("announce-1", "announce-2")
SHORT, FULL = 300.0, 2000.0
DYING_SECONDS = 0.1
"""How long a killed process may still accept connections on a busy machine."""


@pytest.fixture(scope="module")
def stack() -> Iterator[StackRun]:
    with running_stack({**UNLIMITED, "ETRACKER_ANNOUNCE_REPLICAS": "2"}) as stack:
        yield stack


@dataclass
class Crowd:
    """Those who announce, and what they sent since the tracker was new."""

    sessions: list[Session]
    visits: list[Visits] = field(default_factory=list)


@pytest.fixture(scope="module")
def crowd(stack: StackRun) -> Crowd:
    return Crowd(asyncio.run(make_sessions(stack.postgres_settings(), keys=4000, torrents=200, per_key=2)))


@asynccontextmanager
async def announcing(stack: StackRun, crowd: Crowd, per_second: float) -> AsyncIterator[Visits]:
    """Announce on the public port during the block, and until every announce has its answer."""
    host, _, port = stack.announce_address.rpartition(":")
    visitors = Visitors((host, int(port)), crowd.sessions)
    crowd.visits.append(visitors.visits)
    running = asyncio.create_task(visitors.run(per_second))
    try:
        yield visitors.visits
    finally:
        visitors.end()
        await running
        sys.stdout.write(f"{per_second:.0f}/s: {visitors.visits}\n")


async def end_each(stack: StackRun, number: signal.Signals) -> list[float]:
    """End the replicas in turn, each once the other is back; return when."""
    times = []
    for name in REPLICAS:
        await asyncio.sleep(0.5)
        returns = stack.output.count(f"{name} is back")
        os.kill(stack.pids()[name], number)
        times.append(time.monotonic())
        await asyncio.to_thread(wait_for_return, stack, name, returns + 1)
    return times


def wait_for_return(stack: StackRun, name: str, returns: int) -> None:
    wait_until(lambda: stack.output.count(f"{name} is back") == returns, f"{name} is back", 30)


def is_under_way(connection: Broken, killed: float) -> bool:
    """Return whether a process that was killed may have accepted a connection."""
    return connection.began < killed + DYING_SECONDS and connection.ended >= killed


async def assert_each_counted_once(stack: StackRun, crowd: Crowd) -> None:
    asked = [session for session in crowd.sessions if session.last_acknowledged is not None]
    acknowledged, sent = sum(len(one.waits) for one in crowd.visits), sum(one.sent for one in crowd.visits)
    await assert_acknowledged_counted(stack.postgres_settings(), asked, acknowledged=acknowledged, sent=sent)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("per_second", [SHORT, pytest.param(FULL, marks=pytest.mark.full)])
async def test_no_announce_is_lost_while_replicas_are_restarted(
    stack: StackRun, crowd: Crowd, per_second: float
) -> None:
    async with announcing(stack, crowd, per_second) as visits:
        await end_each(stack, signal.SIGTERM)
    assert visits.sent > 0
    assert visits.broken == []
    await assert_each_counted_once(stack, crowd)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("per_second", [SHORT, pytest.param(FULL, marks=pytest.mark.full)])
async def test_a_killed_replica_takes_only_what_it_was_answering_with_it(
    stack: StackRun, crowd: Crowd, per_second: float
) -> None:
    """No connection is refused, none that waits to be accepted is lost, and what was acknowledged counts."""
    async with announcing(stack, crowd, per_second) as visits:
        kills = await end_each(stack, signal.SIGKILL)
    assert "ConnectionRefusedError" not in {one.reason for one in visits.broken}
    assert [one for one in visits.broken if not any(is_under_way(one, kill) for kill in kills)] == []
    await assert_each_counted_once(stack, crowd)


def ask(stack: StackRun, path: str, **headers: str) -> httpx.Response:
    """Ask on the public port, from this machine, whose address the gateway's port trusts."""
    return httpx.get(f"http://{stack.announce_address}{path}", headers=headers, trust_env=False)


def test_a_client_on_the_same_machine_cant_choose_its_address_on_the_public_port(stack: StackRun, crowd: Crowd) -> None:
    path = f"/announce?{query(crowd.sessions[0].info_hash, PEER)}"
    forged = ask(stack, path, **{"X-Forwarded-For": "203.0.113.9"})
    assert bdecode(forged.content)[b"external ip"] == bytes([127, 0, 0, 1])
    header = "PROXY TCP4 203.0.113.9 127.0.0.1 5000 80\r\n"
    assert say(stack, f"{header}GET {path} HTTP/1.1\r\nHost: tracker\r\n\r\n").startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/metrics", "/settings", "/api/stats", "/standing"])
def test_the_public_port_serves_announces_and_scrapes_only(stack: StackRun, path: str) -> None:
    assert ask(stack, path).status_code == 404
    assert say(stack, f"HEAD {path} HTTP/1.1\r\nHost: tracker\r\n\r\n").startswith(b"HTTP/1.1 404 ")


def test_the_public_port_serves_scrapes_and_heads(stack: StackRun, crowd: Crowd) -> None:
    scrape = f"/scrape?info_hash={quote_from_bytes(crowd.sessions[0].info_hash)}"
    assert crowd.sessions[0].info_hash in bdecode(ask(stack, scrape).content)[b"files"]
    head, _, body = say(stack, f"HEAD {scrape} HTTP/1.1\r\nHost: tracker\r\nConnection: close\r\n\r\n").partition(
        b"\r\n\r\n"
    )
    assert (head[:15], body) == (b"HTTP/1.1 200 OK", b"")


def test_whatever_names_an_announce_url_names_the_public_port(stack: StackRun) -> None:
    expected = f"http://{stack.announce_address}"
    with httpx.Client(base_url=stack.base_url, trust_env=False) as site:
        new = site.post("/api/v1/keys").json()
        assert new["announce_url"] == f"{expected}/{new['announce_key']}/announce"
        assert site.get("/api/v1/announce_origin").json() == {"announce_origin": expected}
        over_tls = site.get("/api/v1/announce_origin", headers={"X-Forwarded-Proto": "https"}).json()
        assert over_tls == {"announce_origin": stack.base_url.replace("http://", "https://")}
    port = stack.announce_address.rpartition(":")[2]
    assert re.search(rf"announce URL +http://localhost:{port}/[0-9a-f]{{30}}/announce\n", stack.output)


def say(stack: StackRun, text: str) -> bytes:
    """Send bytes to the public port and return what comes back until it closes or pauses."""
    host, _, port = stack.announce_address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(text.encode())
        return connection.recv(65536)
