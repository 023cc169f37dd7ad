"""POST /v1/tiers on a real Postgres."""

import time
from collections.abc import AsyncIterator

import asyncpg
import pytest
from asgi_lifespan import LifespanManager
from httpx import ASGITransport, AsyncClient

from etracker_scoring.api.app import create_app
from etracker_scoring.settings import ScoringSettings
from etracker_shared.agreements.facts import Event
from etracker_shared.agreements.tiers import MAX_KEYS, TIERS_PATH, Sampling, TiersResponse, Treatment
from etracker_shared.language.identity import hash_announce_key
from etracker_shared.language.tier import Tier
from etracker_shared.plumbing.settings import PostgresSettings
from tests.support.facts import info_hash_of
from tests.support.postgres import PostgresServer
from tests.support.waiting import eventually

AT_ONCE_SECONDS = 1.0
"""Half of what the shortest time-out of a connection takes: a busy machine is slow, and waiting for one is slower."""

ALICE = hash_announce_key("alice").hex()
STRANGER = hash_announce_key("stranger").hex()


async def serve(settings: ScoringSettings) -> AsyncIterator[AsyncClient]:
    app = create_app(settings)
    async with LifespanManager(app), AsyncClient(transport=ASGITransport(app=app), base_url="http://scoring") as client:
        yield client


@pytest.fixture
async def client(postgres_settings: PostgresSettings, database: asyncpg.Connection) -> AsyncIterator[AsyncClient]:
    await database.execute("INSERT INTO peers (announce_key) VALUES ('alice')")
    async for client in serve(ScoringSettings(**postgres_settings.model_dump())):
        await until_ready(client)
        yield client


@pytest.fixture
async def ratio_client(postgres_settings: PostgresSettings, database: asyncpg.Connection) -> AsyncIterator[AsyncClient]:
    async for client in serve(ScoringSettings(**postgres_settings.model_dump(), policy="ratio")):
        await until_ready(client)
        yield client


async def until_ready(client: AsyncClient, status: int = 200) -> None:
    async def ready() -> bool:
        return (await client.get("/readyz")).status_code == status

    await eventually(ready, f"/readyz answers {status}")


async def ask(client: AsyncClient, *keys: str) -> list[Treatment]:
    answer = await client.post(TIERS_PATH, json={"keys": keys})
    assert answer.status_code == 200, answer.text
    return TiersResponse.model_validate_json(answer.content).peers


async def test_standings_come_in_the_order_of_the_question(client: AsyncClient) -> None:
    member = Treatment(registered=True, tier=Tier.LITTLE_HISTORY, sampling=Sampling.PREFIX)
    nobody = Treatment(registered=False, tier=Tier.FREE_RIDER, sampling=Sampling.PREFIX)
    assert await ask(client, STRANGER, ALICE, "", ALICE) == [nobody, member, nobody, member]
    assert await ask(client) == []


async def test_under_ratio_all_is_withheld_from_a_guest_that_can_be(ratio_client: AsyncClient) -> None:
    assert [peer.share for peer in await ask(ratio_client, "", STRANGER)] == [1.0, 1.0]


async def test_a_key_inserted_through_psql_is_known_at_once(client: AsyncClient, database: asyncpg.Connection) -> None:
    assert [peer.registered for peer in await ask(client, STRANGER)] == [False]
    await database.execute("INSERT INTO peers (announce_key) VALUES ('stranger')")
    assert [peer.registered for peer in await ask(client, STRANGER)] == [True]


async def test_a_disabled_key_counts_as_unregistered(client: AsyncClient, database: asyncpg.Connection) -> None:
    await database.execute("UPDATE peers SET disabled_time = now()")
    assert [peer.registered for peer in await ask(client, ALICE)] == [False]
    await database.execute("UPDATE peers SET disabled_time = NULL")
    assert [peer.registered for peer in await ask(client, ALICE)] == [True]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"{}",
        b'{"keys": "abc"}',
        b'{"keys": [1]}',
        b'{"keys": ["zz"]}',
        b'{"keys": ["%s"]}' % (b"z" * 32),
        b'{"keys": ["%s"]}' % (b"a" * 30 + b"  "),
        b'{"keys": ["%s"]}' % (b"a" * 34),
        b'{"keys": [%s""]}' % (b'"",' * MAX_KEYS),
        b'{"keys": [], "prefixes": {"%s": "04"}}' % (b"a" * 32),
        b'{"keys": [], "prefixes": {"%s": "%s"}}' % (b"a" * 32, b"z" * 14),
        b'{"keys": [], "prefixes": {"a": "%s"}}' % (b"0" * 14),
        b"\xff\xfe",
    ],
)
async def test_a_wrong_request_is_told_what_is_wrong(client: AsyncClient, body: bytes) -> None:
    answer = await client.post(TIERS_PATH, content=body)
    assert answer.status_code == 422
    assert answer.json()["message"]


async def test_ratio_withholds_by_what_is_seeded_now(ratio_client: AsyncClient, database: asyncpg.Connection) -> None:
    key_id = await database.fetchval(
        "INSERT INTO peers (announce_key, snatched, uploaded, downloaded) VALUES ('alice', 4, 50, 100) RETURNING id"
    )
    sessions = [
        ("seeded", 0, Event.REGULAR, 0),
        ("seeded", 0, Event.REGULAR, 60),  # by a second client instance: one torrent all the same
        ("leeched", 1, Event.REGULAR, 0),
        ("stopped", 0, Event.STOPPED, 0),
        ("silent", 0, Event.REGULAR, 3700),
    ]
    for number, (name, left, event, silent_seconds) in enumerate(sessions):
        torrent_id = await database.fetchval(
            "INSERT INTO infohashes (info_hash) VALUES ($1)"
            " ON CONFLICT (info_hash) DO UPDATE SET name = '' RETURNING id",
            info_hash_of(name),
        )
        await database.execute(
            "INSERT INTO announces (key_id, info_hash_id, peer_id, amount_left, event, last_seen)"
            " VALUES ($1, $2, $3, $4, $5, now() - make_interval(secs => $6))",
            *(key_id, torrent_id, bytes([number]) * 20, left, event, silent_seconds),
        )
    (standing,) = await ask(ratio_client, ALICE)
    assert standing.share == pytest.approx((1 - 1 / 4) * (2 - 0.5) / 2)


async def test_without_postgres_it_says_so_at_once_and_comes_back_by_itself(
    dedicated_postgres: PostgresServer,
) -> None:
    dedicated_postgres.execute("INSERT INTO peers (announce_key) VALUES ('alice')", "migrated")
    async for client in serve(ScoringSettings(**dedicated_postgres.settings("migrated").model_dump())):
        await until_ready(client)
        await ask(client, ALICE)
        dedicated_postgres.kill()
        for _ in range(5):
            started = time.perf_counter()
            answer = await client.post(TIERS_PATH, json={"keys": [ALICE]})
            assert (answer.status_code, bool(answer.json()["message"])) == (503, True)
            assert time.perf_counter() - started < AT_ONCE_SECONDS
        await until_ready(client, 503)
        assert (await client.post(TIERS_PATH, json={"keys": [""]})).status_code == 200
        dedicated_postgres.start()
        await until_ready(client)
        assert [peer.registered for peer in await ask(client, ALICE)] == [True]


async def test_a_postgres_that_hangs_costs_a_tenth_of_a_second(
    client: AsyncClient, database: asyncpg.Connection
) -> None:
    async with database.transaction():
        await database.execute("LOCK TABLE peers")
        for _ in range(6):
            started = time.perf_counter()
            assert (await client.post(TIERS_PATH, json={"keys": [ALICE]})).status_code == 503
            assert time.perf_counter() - started < AT_ONCE_SECONDS
    await until_ready(client)
    assert [peer.registered for peer in await ask(client, ALICE)] == [True]


async def test_the_route_and_its_models_are_in_the_openapi_document(client: AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    operation = document["paths"][TIERS_PATH]["post"]
    assert operation["requestBody"]["content"]["application/json"]["schema"]["properties"]["keys"]
    assert operation["responses"]["200"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/TiersResponse"
    }
