"""Hostile requests to announce and admin API: no 5xx, no exception, no hang; refused ones change no row.

No log contains an announce key or a client's address.
"""

import asyncio
import base64
import json
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from tests.support.conversation import Answer, say
from tests.support.mutations import mutate, random_bytes
from tests.support.postgres import connect
from tests.support.settlers import all_settled
from tests.support.stack import StackRun, running_stack
from tests.support.torrents import Version, make_content, make_torrent
from tests.support.waiting import eventually

AMOUNTS = [pytest.param(10_000, id="10k"), pytest.param(1_000_000, id="1M", marks=pytest.mark.full)]
WORKERS = 16
SEED = 20_260_101
PARSING_SECONDS = 1.0
"""How long an upload may take to be answered: large torrents are parsed in a process of their own."""

pytestmark = [pytest.mark.timeout(2400), pytest.mark.parametrize("amount", AMOUNTS)]

KEY = "0123456789abcdef0123456789abcd"
INFO_HASH = bytes(range(20))
ADDRESS = IPv4Address("203.0.113.77")
"""Whose announces these are: the tracker believes a proxy on loopback."""
STRANGE_HASH = b"%EE" * 20

CHECKSUMS = """
SELECT 'infohashes', md5(string_agg((to_jsonb(t) - 'counted_time')::text, '|' ORDER BY t.id)) FROM infohashes t
UNION ALL SELECT 'peers', md5(string_agg(t::text, '|' ORDER BY t.id)) FROM peers t
UNION ALL SELECT 'announces', md5(string_agg(t::text, '|' ORDER BY t.id)) FROM announces t
UNION ALL SELECT 'memberships', md5(string_agg(t::text, '|' ORDER BY t.key_id, t.info_hash_id)) FROM memberships t
UNION ALL SELECT 'stream_positions', md5(string_agg(t::text, '|' ORDER BY t.shard)) FROM stream_positions t
UNION ALL SELECT 'totals', md5(string_agg(t::text, '|' ORDER BY t.id)) FROM totals t
UNION ALL SELECT 'torrent_counts', sum(torrents)::text FROM torrent_counts
UNION ALL SELECT 'operators', md5(string_agg(t::text, '|' ORDER BY t.id)) FROM operators t
UNION ALL SELECT 'audit_log', md5(string_agg(t::text, '|' ORDER BY t.id)) FROM audit_log t
UNION ALL SELECT 'tier_changes', md5(string_agg(t::text, '|' ORDER BY t.key_id, t.at)) FROM tier_changes t
UNION ALL SELECT 'tier_thresholds', md5(string_agg(t::text, '|' ORDER BY t.tier)) FROM tier_thresholds t
UNION ALL SELECT 'facts', md5(string_agg(t::text, '|' ORDER BY t.at, t.fact)) FROM facts t
UNION ALL SELECT 'secrets', md5(string_agg(t::text, '|' ORDER BY t.name)) FROM secrets t
"""
"""Every table but the samples, which the tracker takes by itself."""

UNHANDLED_LEVELS = frozenset({"error", "critical"})
"""The levels at which services log unhandled exceptions, under any name; nothing else here is logged at these."""

Asker = Callable[[random.Random], Awaitable[None]]


@pytest.fixture(scope="module")
def stack() -> Iterator[StackRun]:
    environment = {
        "ETRACKER_LOG_LEVEL": "info",
        "ETRACKER_KEY_LIMIT": "1000000/minute",
        "ETRACKER_BUDGET_BURST": "0",  # every accepted announce takes its step, however often the client announces
        "ETRACKER_FAILURE_LIMIT": "1000000/minute",  # the limit must not affect these tests
    }
    with running_stack(environment) as run:
        run.program.wait_until(lambda: "announce URL" in run.output, "the stack has made its first key")
        yield run


@pytest.fixture
async def database(stack: StackRun) -> AsyncIterator[asyncpg.Connection]:
    """A database with one key and one infohash that mutated requests may hit."""
    connection = await connect(stack.postgres_settings())
    await connection.execute("INSERT INTO peers (announce_key) VALUES ($1) ON CONFLICT DO NOTHING", KEY)
    await connection.execute("INSERT INTO infohashes (info_hash) VALUES ($1) ON CONFLICT DO NOTHING", INFO_HASH)
    yield connection
    await connection.close()


def address_of(stack: StackRun, name: str) -> tuple[str, int]:
    host, port = stack.state()["processes"][name]["address"].rsplit(":", 1)
    return host, int(port)


def request(target: bytes, *, method: bytes = b"GET", headers: bytes = b"", body: bytes = b"") -> bytes:
    if body:
        headers += b"Content-Length: %d\r\n" % len(body)
    return method + b" " + target + b" HTTP/1.1\r\nHost: tracker\r\n" + headers + b"Connection: close\r\n\r\n" + body


def announce(info_hash: bytes) -> bytes:
    query = b"&peer_id=-ET0001-abcdefghijkl&port=6881&uploaded=1&downloaded=2&left=3&event=started&numwant=50&compact=1"
    headers = b"X-Forwarded-For: " + str(ADDRESS).encode() + b"\r\n"
    return request(b"/" + KEY.encode() + b"/announce?info_hash=" + info_hash + query, headers=headers)


REFUSED_ANNOUNCES = (
    announce(STRANGE_HASH),
    request(
        b"/ffffffffffffffffffffffffffffff/announce?info_hash=" + b"%01" * 20 + b"&peer_id=-ET0001-abcdefghijkl&port=1"
    ),
    request(b"/" + KEY.encode() + b"/scrape?info_hash=" + STRANGE_HASH),
    request(b"/scrape"),
    request(b"/announce"),
)
ADMIN_REQUESTS = (
    request(b"/api/stats"),
    request(b"/api/infohashes"),
    request(b"/api/torrentfile?announce_key=" + KEY.encode() + b"&info_hash=" + b"ee" * 20),
    request(
        b"/api/infohash",
        method=b"POST",
        headers=b"Authorization: wrong\r\nContent-Type: application/json\r\n",
        body=b'{"info_hash": "' + base64.b64encode(b"\xee" * 20) + b'", "name": "x"}',
    ),
    request(
        b"/api/torrentfile",
        method=b"POST",
        headers=b"Authorization: wrong\r\nContent-Type: multipart/form-data; boundary=b\r\n",
        body=b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\nd4:infodee\r\n--b--\r\n',
    ),
    request(b"/"),
    request(b"/infohashes"),
)


@dataclass(frozen=True)
class OperatorBody:
    """What an operator sends. ``before`` and ``after``: the form around a file."""

    target: bytes
    media_type: bytes
    content: bytes
    before: bytes = b""
    after: bytes = b""


def operator_bodies(directory: Path) -> list[OperatorBody]:
    """Return uploads of torrents of each kind, and JSON that adds one infohash or many."""
    content = make_content(directory / "hostile.bin", 300_000)
    form = (b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n', b"\r\n--b--\r\n")
    new = b'"info_hash": "%s", "name": "x"' % base64.b64encode(b"\xee" * 20)
    many = [
        b'{"info_hash": "%s", "name": "torrent %d"}' % (bytes([number] * 20).hex().encode(), number)
        for number in range(5)
    ]
    return [
        *(
            OperatorBody(target, b"multipart/form-data; boundary=b", make_torrent(content, version=version), *form)
            for version in Version
            for target in (b"/api/torrentfile", b"/api/v1/torrents")
        ),
        *(
            OperatorBody(target, b"application/json", b"{" + new + b"}")
            for target in (b"/api/infohash", b"/api/v1/infohashes")
        ),
        OperatorBody(b"/api/v1/infohashes/bulk", b"application/json", b'{"items": [' + b", ".join(many) + b"]}"),
    ]


def operators_request(body: OperatorBody, api_key: str, rng: random.Random) -> bytes:
    """Write a request with the right key. A tenth are valid; in the others the file or the whole form is mutated."""
    whole = body.before + body.content + body.after
    chance = rng.random()
    if chance < 0.5:
        whole = body.before + mutate(body.content, rng) + body.after
    elif chance < 0.9:
        whole = mutate(whole, rng)
    headers = b"Authorization: " + api_key.encode() + b"\r\nContent-Type: " + body.media_type + b"\r\n"
    return request(body.target, method=b"POST", headers=headers, body=whole)


def assert_harmless(answer: Answer, sent: bytes) -> None:
    assert all(status < 500 for status in answer.statuses), (sent, answer.raw[:500])


async def ask_many(amount: int, ask: Asker) -> None:
    """Send requests over several connections at once, each with its own random generator."""

    async def work(number: int) -> None:
        rng = random.Random(f"{SEED}:{number}")
        for _ in range(amount // WORKERS):
            await ask(rng)

    await asyncio.gather(*(work(number) for number in range(WORKERS)))


async def until_all_is_settled(stack: StackRun) -> None:
    """Wait until all facts are settled. Announces write theirs before they are answered, so none is missed."""
    settings = stack.redis_settings()
    async with Redis.from_url(settings.redis_url, password=settings.redis.get_secret_value()) as client:
        await eventually(lambda: all_settled(client), "all facts are settled")


def assert_nothing_unhandled_or_secret_was_logged(stack: StackRun) -> None:
    events: Counter[str] = Counter()
    unhandled = []
    for line in stack.log_lines():
        level = level_of(line)
        events[level] += 1
        if level in UNHANDLED_LEVELS or any(word in line for word in ("Traceback", KEY, str(ADDRESS))):
            unhandled.append(line[:3000])
    assert unhandled == []
    assert events["info"] > 0, "the services' logs aren't in the expected format"


def level_of(line: str) -> str:
    """Return the level of a line that a service logged; an empty string for other lines of logs."""
    if not line.startswith("{"):
        return ""
    try:
        return str(json.loads(line).get("level", ""))
    except ValueError:
        return ""


async def test_requests_that_are_refused_change_no_row(
    stack: StackRun, database: asyncpg.Connection, amount: int
) -> None:
    pids = stack.pids()
    before = await database.fetch(CHECKSUMS)
    announce_address, admin = address_of(stack, "announce-1"), address_of(stack, "admin_api")
    answered: Counter[tuple[str, int]] = Counter()

    async def ask(rng: random.Random) -> None:
        to_admin = rng.random() < 0.4
        whole = rng.choice(ADMIN_REQUESTS if to_admin else REFUSED_ANNOUNCES)
        sent = random_bytes(rng) if rng.random() < 0.2 else mutate(whole, rng)
        if b"/api/generate" not in sent:
            answer = await say(admin if to_admin else announce_address, sent)
            assert_harmless(answer, sent)
            answered.update(("admin API" if to_admin else "announce", status) for status in answer.statuses)

    await ask_many(amount // 2, ask)
    await until_all_is_settled(stack)
    assert await database.fetch(CHECKSUMS) == before
    assert stack.pids() == pids
    sys.stdout.write(f"refused requests were answered {dict(answered)}\n")
    assert answered["admin API", 403] > 0
    assert answered["announce", 200] > 0
    assert_nothing_unhandled_or_secret_was_logged(stack)


async def test_mutated_requests_of_an_operator_are_answered_and_change_no_row_if_refused(
    stack: StackRun, database: asyncpg.Connection, amount: int, tmp_path: Path
) -> None:
    rng, admin = random.Random(SEED), address_of(stack, "admin_api")
    bodies = operator_bodies(tmp_path)
    statuses: Counter[int] = Counter()
    before = await database.fetch(CHECKSUMS)
    for _ in range(amount // 20):
        sent = operators_request(rng.choice(bodies), stack.api_key, rng)
        answer = await say(admin, sent, PARSING_SECONDS)
        assert_harmless(answer, sent)
        assert len(answer.statuses) == 1, (sent, answer.raw[:500])
        statuses.update(answer.statuses)
        if answer.statuses[0] < 300:
            await database.execute("DELETE FROM infohashes WHERE info_hash <> $1", INFO_HASH)
            before = await database.fetch(CHECKSUMS)
        else:
            assert await database.fetch(CHECKSUMS) == before, (sent, answer.raw[:500])
    sys.stdout.write(f"an operator's mutated requests were answered {dict(statuses)}\n")
    assert set(statuses) == {200, 201, 400}
    assert_nothing_unhandled_or_secret_was_logged(stack)


async def test_mutated_announces_are_answered_and_only_accepted_ones_are_recorded(
    stack: StackRun, database: asyncpg.Connection, amount: int
) -> None:
    accepted, address = 1, address_of(stack, "announce-1")
    valid = announce(b"".join(b"%%%02x" % byte for byte in INFO_HASH))
    assert b"11:external ip4:" + ADDRESS.packed in (await say(address, valid)).raw

    async def ask(rng: random.Random) -> None:
        nonlocal accepted
        sent = mutate(valid, rng)
        answer = await say(address, sent)
        assert_harmless(answer, sent)
        accepted += answer.raw.count(b"d8:complete")

    await ask_many(amount // 2, ask)
    await until_all_is_settled(stack)
    assert 0 < await database.fetchval("SELECT count(*) FROM announces") <= accepted
    assert await database.fetchval("SELECT count(*) FROM infohashes") == 1
    assert await database.fetchval("SELECT count(*) FROM peers WHERE key_hash = hash_announce_key($1)", KEY) == 1
    assert_nothing_unhandled_or_secret_was_logged(stack)
