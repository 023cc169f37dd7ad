"""A page costs what it holds, not what the list holds: seen in the plans, since timings say little on a busy machine.

``listing_plans.txt`` next to this has the plans over 1,000,000 torrents, and how long answers took there; the full test
writes it again into ``build/``.
"""

import asyncio
import os
import statistics
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import asyncpg
import pytest
from httpx import AsyncClient

from etracker_admin_api.settings import AdminSettings
from etracker_admin_api.statistics.counting import LIVE_SECONDS
from etracker_admin_api.statistics.torrent_counts import add_up
from etracker_admin_api.statistics.tracker import FRESH_SECONDS
from etracker_admin_api.torrents.list_store import MOST_SORTED
from etracker_admin_api.torrents.listing import TorrentQuery
from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from tests.integration.admin_api.v1.listing_plans import QUESTIONS, SEARCHES, explain, plans_of
from tests.support.admin_api import serving
from tests.support.catalogue import fill_catalogue
from tests.support.postgres import PostgresServer, cloned_database, connect

SMALL, LARGE = 20_000, 1_000_000
PAGE = 51
LARGEST_READ = 4 * MOST_SORTED
MOST_READ = 3 * LARGE // 20
"""Where all matches are at the far end of the order: each is read, with its name, and no other torrent."""

REPORT = Path(__file__).parents[4] / "build" / "listing_plans.txt"
ROUNDS = 15


@pytest.fixture(scope="module")
def catalogue(shared_postgres: PostgresServer) -> Iterator[PostgresSettings]:
    with cloned_database(shared_postgres) as settings:
        yield settings


@pytest.fixture
async def filled(catalogue: PostgresSettings) -> AsyncIterator[asyncpg.Connection]:
    connection = await connect(catalogue)
    if not await connection.fetchval("SELECT EXISTS (SELECT FROM infohashes)"):
        await fill_catalogue(connection, SMALL)
    yield connection
    await connection.close()


@pytest.mark.parametrize("query", QUESTIONS.values(), ids=list(QUESTIONS))
async def test_every_page_is_read_along_indexes_and_no_further_than_needed(
    filled: asyncpg.Connection, query: TorrentQuery
) -> None:
    plans = await plans_of(filled, query)
    for plan in plans:
        assert "Seq Scan" not in plan.scanned, plan.text
        assert plan.indexes, plan.text
        assert plan.rows_read <= LARGEST_READ, plan.text
    if query.search is None:
        assert plans[0].rows_read <= PAGE + 3, plans[0].text  # one row ahead in each of the four walks


async def test_torrents_are_counted_without_reading_them(filled: asyncpg.Connection) -> None:
    plan = await explain(filled, add_up(), "SELECT")
    assert {node["Relation Name"] for node in plan.nodes if "Relation Name" in node} == {"torrent_counts"}
    assert plan.rows_read == 1


@pytest.mark.full
@pytest.mark.timeout(1800)
async def test_a_million_torrents(shared_postgres: PostgresServer, redis_settings: RedisSettings) -> None:
    with cloned_database(shared_postgres) as postgres:
        connection = await connect(postgres)
        await fill_catalogue(connection, LARGE)
        settings = AdminSettings(**postgres.model_dump(), **redis_settings.model_dump())
        load = f"{os.getloadavg()[0] / (os.cpu_count() or 1):.1f} runnable processes per core"
        measured = f"Medians of {ROUNDS} requests, and the quickest of them, with {load}."
        lines = [f"{LARGE:,} torrents, {await _size(connection)}. {measured}"]
        async with serving(settings) as client:
            cached, fresh = await _times(client, "/api/v1/stats"), await _fresh_statistics(connection, client)
            lines += [f"\nstats: {fresh} read once a second; {cached} in between"]
            for name, query in QUESTIONS.items():
                text = SEARCHES[name][1] if name in SEARCHES else ""
                plans = await plans_of(connection, query)
                assert max(plan.rows_read for plan in plans) <= MOST_READ, name
                lines += [f"\n{name}: {await _times(client, '/api/v1/infohashes', query, text)}"]
                lines += [f"    {line}" for plan in plans for line in [*_shortened(plan.text), ""]]
        await connection.close()
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text("\n".join(lines))


async def _times(client: AsyncClient, path: str, query: TorrentQuery | None = None, text: str = "") -> str:
    parameters = {}
    if query is not None:
        parameters = {
            "sort": query.sort,
            **({"q": text} if text else {}),
            **({"health": query.health} if query.health else {}),
        }
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        assert (await client.get(path, params=parameters)).status_code == 200
        taken.append((time.perf_counter() - start) * 1000)
    return _summary(taken)


async def _fresh_statistics(connection: asyncpg.Connection, client: AsyncClient) -> str:
    """Time statistics while a torrent comes each time, so that nothing known before will do."""
    taken = []
    for number in range(ROUNDS):
        await connection.execute("INSERT INTO infohashes (info_hash) VALUES ($1)", number.to_bytes(20))
        await asyncio.sleep(LIVE_SECONDS + FRESH_SECONDS)
        start = time.perf_counter()
        answer = await client.get("/api/v1/stats")
        taken.append((time.perf_counter() - start) * 1000)
        assert answer.json()["torrents"] == LARGE + number + 1
    return _summary(taken)


def _summary(milliseconds: Sequence[float]) -> str:
    return f"{statistics.median(milliseconds):.1f} ms ({min(milliseconds):.1f})"


async def _size(connection: asyncpg.Connection) -> str:
    size = "SELECT pg_size_pretty(sum(pg_table_size(t))), pg_size_pretty(sum(pg_indexes_size(t)))"
    row = await connection.fetchrow(f"{size} FROM (VALUES ('infohashes'), ('torrent_names')) AS tables (t)")
    assert row is not None
    return f"{row[0]} of tables and {row[1]} of indexes"


def _shortened(plan: str) -> list[str]:
    """Leave out what is long and says nothing: lists of ids."""
    return [line if len(line) < 160 else f"{line[:157]}..." for line in plan.splitlines()]
