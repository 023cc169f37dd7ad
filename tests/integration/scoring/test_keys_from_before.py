"""Keys that exist when the rules change: stored scores, tiers and debts stay as they are."""

import asyncio
import time

import asyncpg
import pytest
from alembic import command

from etracker_migrations.upgrade import alembic_config
from etracker_scoring.scores.formula import DAY, ScoreParameters, score_of
from etracker_scoring.scores.tiers import assess
from etracker_scoring.stored.keys import KEY_COLUMNS, parse_key
from etracker_shared.language.identity import hash_announce_key
from etracker_shared.language.tier import Tier
from etracker_shared.plumbing.settings import PostgresSettings
from tests.support.facts import START_MS, info_hash_of, make_fact
from tests.support.scoring import Settle

PARAMETERS = ScoreParameters()
BEFORE = "0012"
SIZE = 10**9
YESTERDAY = time.time() - DAY

OLD_KEYS = """
INSERT INTO peers (announce_key, tier, score, score_time, score_recent, score_average, score_length_days, score_owed,
    seeding_seconds, seeded_until, snatched, origin_time, last_seen)
VALUES ('seedbox', 4, 77, to_timestamp($1), 400, 200, 1.5, 0, 129600, to_timestamp($1), 0, to_timestamp($1), now()),
    ('debtor', 2, 20, to_timestamp($1), 3, 2, 1, 1, 86400, to_timestamp($1), 1, to_timestamp($1), now()),
    ('leecher', 1, 0, to_timestamp($1), 0, 0, 0, 0, 0, NULL, 0, to_timestamp($1), now())
"""
OLD_MEMBERSHIPS = """
INSERT INTO memberships (key_id, info_hash_id, leeching, snatched_time, debt_seconds)
SELECT peers.id, infohashes.id, snatched = 0, CASE snatched WHEN 1 THEN now() END, 86400 * snatched
FROM peers, infohashes WHERE tier < 4
"""
OLD_SESSIONS = """
INSERT INTO announces (key_id, info_hash_id, peer_id, downloaded, downloaded_credit, amount_left, first_seen, last_seen)
SELECT peers.id, infohashes.id, $2, $3, $3, 1, to_timestamp($1), to_timestamp($1)
FROM peers, infohashes WHERE tier = 1
"""


@pytest.fixture
async def _from_before(database: asyncpg.Connection, postgres_settings: PostgresSettings) -> None:
    """Fill the tables of the version before, then migrate."""
    config = alembic_config(postgres_settings.sqlalchemy_url())
    await asyncio.to_thread(command.downgrade, config, BEFORE)
    await database.execute("INSERT INTO infohashes (info_hash, length) VALUES ($1, $2)", info_hash_of("film"), SIZE)
    await database.execute(OLD_KEYS, YESTERDAY)
    await database.execute(OLD_MEMBERSHIPS)
    await database.execute(OLD_SESSIONS, YESTERDAY, make_fact().peer_id, SIZE - 1)
    await asyncio.to_thread(command.upgrade, config, "head")


async def fetch(database: asyncpg.Connection, key: str) -> asyncpg.Record:
    row = await database.fetchrow(f"SELECT {KEY_COLUMNS} FROM peers WHERE key_hash = $1", hash_announce_key(key))
    assert row is not None
    return row


@pytest.mark.usefixtures("_from_before")
async def test_a_key_keeps_the_score_and_the_tier_that_it_has(database: asyncpg.Connection) -> None:
    key = parse_key(await fetch(database, "seedbox"))
    score = score_of(key.history, YESTERDAY, PARAMETERS)
    assert score.recent == pytest.approx(50 * 400 / 405)
    assert score.average == pytest.approx(30 * 200 / 205)
    assert assess(key.history, key.held, key.origin, YESTERDAY, PARAMETERS).held.tier is Tier.LONG_TERM_SEEDER


@pytest.mark.usefixtures("_from_before")
async def test_nobody_owes_for_the_past_and_debts_are_paid_by_any_client(
    database: asyncpg.Connection, settle: Settle
) -> None:
    at = YESTERDAY - START_MS / 1000 + 60
    for step in range(4):
        await settle(
            make_fact(key="debtor", at=at + 1800 * step, peer_id=b"-qB5010-seedbox00000", downloaded=SIZE),
            make_fact(key="leecher", at=at + 1800 * step, left=1, downloaded=SIZE - 1),
        )
    rows = await database.fetch(
        "SELECT debt_seconds, snatched FROM peers JOIN memberships ON key_id = id ORDER BY snatched"
    )
    assert [tuple(row) for row in rows] == [(0, 0), (86400 - 3 * 1800, 1)]


@pytest.mark.usefixtures("_from_before")
async def test_a_download_that_ends_afterwards_is_the_snatch_that_it_would_have_been(
    database: asyncpg.Connection, settle: Settle
) -> None:
    at = YESTERDAY - START_MS / 1000 + 60
    await settle(make_fact(key="leecher", at=at, left=0, downloaded=SIZE))
    assert (await fetch(database, "leecher"))["snatches"] == 1
    assert await database.fetchval("SELECT max(debt_seconds) FROM memberships WHERE owed_by IS NOT NULL") == 86400
