"""POST /v1/standing: what a key's holder is told, after real announces."""

import time
from collections.abc import AsyncIterator
from datetime import datetime

import asyncpg
import pytest
from httpx import AsyncClient, Response

from etracker_scoring.scores.formula import GIB
from etracker_shared.agreements.facts import Event, Fact
from etracker_shared.agreements.standing import STANDING_PATH, StandingReport
from etracker_shared.language.identity import hash_announce_key
from etracker_shared.plumbing.settings import PostgresSettings
from tests.support.facts import START_MS, info_hash_of, make_fact
from tests.support.postgres import PostgresServer
from tests.support.scoring import Settle, serving_tiers

HOUR = 3600.0
ALICE = hash_announce_key("alice").hex()


@pytest.fixture
async def client(postgres_settings: PostgresSettings, database: asyncpg.Connection) -> AsyncIterator[AsyncClient]:
    await database.execute("INSERT INTO peers (announce_key) VALUES ('alice'), ('disabled')")
    await database.execute("UPDATE peers SET disabled_time = now() WHERE key_hash = hash_announce_key('disabled')")
    torrents = [(info_hash_of(name), f"The {name}", 4 * int(GIB)) for name in ("film", "music", "text", "song")]
    await database.executemany("INSERT INTO infohashes (info_hash, name, length) VALUES ($1, $2, $3)", torrents)
    async with serving_tiers(postgres_settings) as client:
        yield client


def hours_ago(hours: float, torrent: str, **changes: object) -> Fact:
    at = time.time() - hours * HOUR - START_MS / 1000
    return make_fact(torrent=torrent, at=at, interval_seconds=86_400, **changes)


async def ask(client: AsyncClient, key_hash: str) -> Response:
    return await client.post(STANDING_PATH, json={"key_hash": key_hash})


async def report(client: AsyncClient) -> StandingReport:
    answer = await ask(client, ALICE)
    assert answer.status_code == 200, answer.text
    return StandingReport.model_validate_json(answer.content)


def a_life() -> list[Fact]:
    """Seeded the film for four days; fetched music and text since, and goes on seeding music only."""
    length = 4 * int(GIB)
    return [
        *(hours_ago(hours, "film", uploaded=100 - int(hours)) for hours in (98, 74, 50, 26, 2)),
        *(hours_ago(hours, "music", left=left, downloaded=length - left) for hours, left in ((14, length), (13, 0))),
        *(hours_ago(hours, "text", left=left, downloaded=length - left) for hours, left in ((12, length), (11, 0))),
        hours_ago(1, "text", downloaded=length, event=Event.STOPPED),
        hours_ago(0.9, "music", downloaded=length, uploaded=100),
    ]


async def test_a_key_is_told_where_it_stands_what_it_owes_and_what_it_did(client: AsyncClient, settle: Settle) -> None:
    await settle(*a_life())
    told = await report(client)
    assert (told.tier, told.tier_name) == (2, "contributor")
    parts = told.parts
    assert told.score == pytest.approx((parts.recent + parts.average + parts.length) * (0.25 + 0.75 * parts.conduct))
    assert (told.maximum.recent, told.maximum.average, told.maximum.length) == (50.0, 30.0, 20.0)
    assert parts.length == pytest.approx(20 * 97 / 24 / 30, rel=0.05)
    assert told.snatches == 2
    owed = {one.name: one.seconds_left for one in told.snatches_owed}
    assert owed == {"The music": pytest.approx(11.9 * HOUR, abs=5), "The text": pytest.approx(14 * HOUR, abs=5)}
    assert told.thresholds == {"2": 15.0, "3": 38.0, "4": 62.0}
    assert [change.tier for change in told.history] == [2]
    assert told.notice is None
    torrents = {one.name: one for one in told.torrents}
    seeding = {name for name, one in torrents.items() if one.seeding}
    assert seeding == {"The music"}
    assert torrents["The music"].uploaded_bytes == 100
    assert torrents["The film"].seeding_seconds == pytest.approx(96 * HOUR, abs=5)
    assert torrents["The text"].info_hash == info_hash_of("text").hex()
    assert told.downloaded_bytes == 8 * GIB
    assert told.last_seen is not None


async def test_advice_says_what_raises_the_tier_and_by_when(client: AsyncClient, settle: Settle) -> None:
    await settle(*a_life(), hours_ago(0, "music", downloaded=4 * int(GIB), uploaded=100))
    told = await report(client)
    assert told.next_tier is not None
    assert (told.next_tier.tier, told.next_tier.tier_name, told.next_tier.score_needed) == (3, "steady seeder", 38.0)
    assert told.next_tier.advice.startswith("Keep seeding what you seed now to become a steady seeder.")
    assert "the torrent that you fetched and left" in told.next_tier.advice
    assert told.next_tier.expected_at is not None
    assert told.next_tier.expected_at > datetime.now(told.next_tier.expected_at.tzinfo)


def fetches(name: str, hours: float) -> list[Fact]:
    length = 4 * int(GIB)
    end = hours_ago(hours - 1, name, downloaded=length, event=Event.COMPLETED)
    return [hours_ago(hours, name, left=length), end]


def seeds_two(first: int, last: int) -> list[Fact]:
    """Seed from so many days ago to so many."""
    return [hours_ago(24 * days, name) for days in range(first, last - 1, -1) for name in ("film", "song")]


async def the_notice(client: AsyncClient, *tiers: int) -> str:
    """Return the notice of a key that held these tiers."""
    told = await report(client)
    assert [change.tier for change in told.history] == list(tiers)
    assert told.notice is not None
    assert "eed" in told.notice.advice, "to seed, in some words"
    return told.notice.text


async def test_a_key_whose_grace_ends_is_told_so_and_what_to_do(client: AsyncClient, settle: Settle) -> None:
    for batch in ([hours_ago(40, "film", left=5)], fetches("music", 3), fetches("text", 3)):
        await settle(*batch)
    assert await the_notice(client, 2, 1) == (
        "You fell to tier 1 of 4 (little history): your newcomer's grace ended with a snatch."
        " Seed what you fetched to rise again."
    )


async def test_a_key_that_rises_is_told_that_its_seeding_did_it(client: AsyncClient, settle: Settle) -> None:
    await settle(hours_ago(24 * 8, "film"))
    await settle(*seeds_two(7, 0))
    assert await the_notice(client, 2, 3) == (
        "You rose to tier 3 of 4 (steady seeder): your seeding raised your score. Thanks, you meet peers sooner now."
    )


async def test_a_key_whose_score_faded_is_told_so_and_what_to_do(client: AsyncClient, settle: Settle) -> None:
    await settle(hours_ago(24 * 60, "film"))
    await settle(*seeds_two(59, 52))
    await settle(hours_ago(0, "music", left=5))
    assert await the_notice(client, 2, 3, 2) == (
        "You fell to tier 2 of 4 (contributor): your score fell short for want of seeding. Seed more to rise again."
    )


async def test_a_key_that_leaves_its_snatches_is_told_so_and_what_to_do(client: AsyncClient, settle: Settle) -> None:
    await settle(hours_ago(24 * 8, "film"))
    await settle(*seeds_two(7, 1))
    await settle(*fetches("music", 5), *fetches("text", 4))
    assert await the_notice(client, 2, 3, 2) == (
        "You fell to tier 2 of 4 (contributor): you seeded too little of what you fetched. Seed it to rise again."
    )


async def test_a_key_that_never_announced_is_told_how_to_begin(client: AsyncClient) -> None:
    told = await report(client)
    assert (told.tier, told.score, told.last_seen) == (1, 0.0, None)
    assert told.next_tier is not None
    assert told.next_tier.advice.startswith("Seed something.")
    assert (told.torrents, told.history, told.snatches_owed) == ([], [], [])


@pytest.mark.parametrize("key", ["nobody's", "disabled"])
async def test_a_key_that_is_not_registered_or_disabled_has_no_standing(client: AsyncClient, key: str) -> None:
    answer = await ask(client, hash_announce_key(key).hex())
    assert (answer.status_code, answer.json()) == (404, {"message": "The key isn't registered."})


@pytest.mark.parametrize("key_hash", ["", "alice", "z" * 32, ALICE.upper(), ALICE + "\n"])
async def test_what_is_no_key_hash_is_refused(client: AsyncClient, key_hash: str) -> None:
    assert (await ask(client, key_hash)).status_code == 422


async def test_without_postgres_it_says_so(dedicated_postgres: PostgresServer) -> None:
    async with serving_tiers(dedicated_postgres.settings("migrated")) as client:
        assert (await ask(client, ALICE)).status_code == 404
        dedicated_postgres.kill()
        answer = await ask(client, ALICE)
        assert (answer.status_code, answer.json()) == (503, {"message": "Postgres doesn't answer."})
        dedicated_postgres.start()
