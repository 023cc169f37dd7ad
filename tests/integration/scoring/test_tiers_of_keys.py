"""From announces to what announce is told: tiers, grace, stains and notices."""

import time
from collections.abc import AsyncIterator, Sequence

import asyncpg
import pytest
from httpx import AsyncClient

from etracker_scoring.scores.formula import DAY, GIB
from etracker_scoring.scores.notices import RECOVERY_REQUESTED
from etracker_shared.agreements.facts import Event, Fact
from etracker_shared.agreements.notifications import KEYS_CHANNEL, parse_payload
from etracker_shared.agreements.tiers import Sampling
from etracker_shared.language.identity import hash_announce_key
from etracker_shared.language.tier import Tier
from etracker_shared.plumbing.settings import PostgresSettings
from tests.support.facts import START_MS, info_hash_of, make_fact
from tests.support.scoring import Settle, serving_tiers, standing_of
from tests.support.waiting import eventually

TORRENTS = ("a", "b", "c", "d", "e")
HOUR = 3600.0
HOME, OFFICE, ELSEWHERE = b"\x04home\x00\x00", b"\x04work\x00\x00", b"\x04else\x00\x00"


@pytest.fixture(autouse=True)
async def _catalogue(database: asyncpg.Connection) -> None:
    torrents = [(info_hash_of(name), 4 * int(GIB)) for name in TORRENTS]
    await database.executemany("INSERT INTO infohashes (info_hash, length) VALUES ($1, $2)", torrents)
    keys = [("alice",), ("bob",), ("carol",), ("dave",)]
    await database.executemany("INSERT INTO peers (announce_key) VALUES ($1)", keys)


@pytest.fixture
async def client(postgres_settings: PostgresSettings) -> AsyncIterator[AsyncClient]:
    async with serving_tiers(postgres_settings) as client:
        yield client


def ago(seconds: float, **changes: object) -> Fact:
    return make_fact(
        **{"torrent": "a", "at": time.time() - seconds - START_MS / 1000, "interval_seconds": 86_400, **changes}
    )


def weeks_of_seeding(days: int, **changes: object) -> list[Fact]:
    return [ago(day * DAY, torrent=name, **changes) for day in range(days, -1, -1) for name in TORRENTS]


def snatches(names: Sequence[str], hours_ago: float, **changes: object) -> list[Fact]:
    """Each torrent is fetched within an hour and left at once."""
    return [
        fact
        for name in names
        for fact in (
            ago((hours_ago + 1) * HOUR, torrent=name, left=1000, event=Event.STARTED, **changes),
            ago(hours_ago * HOUR, torrent=name, downloaded=4 * int(GIB), event=Event.COMPLETED, **changes),
        )
    ]


async def test_a_key_that_seeded_well_for_weeks_is_a_long_term_seeder(settle: Settle, client: AsyncClient) -> None:
    await settle(*weeks_of_seeding(40))
    standing = await standing_of(client, "alice")
    assert (standing.tier, standing.sampling) == (Tier.LONG_TERM_SEEDER, Sampling.KEY)


async def test_a_hit_and_run_key_is_a_free_rider_a_day_later_without_announcing_again(
    settle: Settle, client: AsyncClient, database: asyncpg.Connection
) -> None:
    await settle(*snatches("abc", hours_ago=30))
    tier = await database.fetchval("SELECT tier FROM peers WHERE key_hash = hash_announce_key('alice')")
    assert tier == Tier.LITTLE_HISTORY
    standing = await standing_of(client, "alice")
    assert (standing.tier, standing.sampling) == (Tier.FREE_RIDER, Sampling.PREFIX)


async def test_a_key_that_just_fetched_and_left_has_a_day_to_start_seeding(settle: Settle, client: AsyncClient) -> None:
    await settle(*snatches("abc", hours_ago=20))
    assert (await standing_of(client, "alice")).tier is Tier.LITTLE_HISTORY


async def test_a_newcomer_is_a_contributor_and_the_next_one_of_its_prefix_is_not(
    settle: Settle, client: AsyncClient, database: asyncpg.Connection
) -> None:
    assert (await standing_of(client, "alice")).tier is Tier.LITTLE_HISTORY
    await settle(ago(60, prefix=HOME), ago(50, key="carol", prefix=OFFICE))
    await settle(ago(30, key="bob", prefix=HOME))
    tiers = [(await standing_of(client, key)).tier for key in ("alice", "bob", "carol")]
    assert tiers == [Tier.CONTRIBUTOR, Tier.LITTLE_HISTORY, Tier.CONTRIBUTOR]
    # An earlier announce that comes later: the grace was carol's only until then.
    await settle(ago(55, key="dave", prefix=OFFICE))
    tiers = [(await standing_of(client, key)).tier for key in ("dave", "carol")]
    assert tiers == [Tier.CONTRIBUTOR, Tier.LITTLE_HISTORY]
    prefixes = await database.fetch("SELECT key_hash, origin_prefix FROM peers")
    homes = {"alice": HOME, "bob": HOME, "carol": OFFICE, "dave": OFFICE}
    found = {row["key_hash"]: row["origin_prefix"] for row in prefixes}
    assert found == {hash_announce_key(key): prefix for key, prefix in homes.items()}


async def test_a_new_key_from_a_free_riders_prefix_gains_nothing(settle: Settle, client: AsyncClient) -> None:
    await settle(*snatches("abc", hours_ago=30, prefix=HOME))
    await settle(ago(10, key="bob", prefix=HOME), ago(10, key="carol", prefix=OFFICE))
    tiers = [(await standing_of(client, key)).tier for key in ("alice", "bob", "carol")]
    assert tiers == [Tier.FREE_RIDER, Tier.FREE_RIDER, Tier.CONTRIBUTOR]


async def test_a_newcomers_first_announce_is_answered_as_the_second_will_be(
    settle: Settle, client: AsyncClient, database: asyncpg.Connection
) -> None:
    assert (await standing_of(client, "bob")).tier is Tier.LITTLE_HISTORY
    assert (await standing_of(client, "bob", ELSEWHERE)).tier is Tier.CONTRIBUTOR
    await settle(ago(60, prefix=HOME), *snatches("abc", hours_ago=30, key="dave", prefix=OFFICE))
    standing = await standing_of(client, "carol", HOME)
    assert (standing.tier, standing.sampling) == (Tier.LITTLE_HISTORY, Sampling.PREFIX)
    standing = await standing_of(client, "bob", OFFICE)
    assert (standing.tier, standing.sampling) == (Tier.FREE_RIDER, Sampling.PREFIX)
    assert (await standing_of(client, "alice", OFFICE)).tier is Tier.CONTRIBUTOR  # it isn't new
    assert await database.fetchval("SELECT origin_time FROM peers WHERE key_hash = hash_announce_key('bob')") is None


async def test_announce_hears_of_a_changed_tier_and_of_nothing_else(
    settle: Settle, database: asyncpg.Connection
) -> None:
    heard: list[bytes] = []
    await database.add_listener(KEYS_CHANNEL, lambda *told: heard.extend(parse_payload(str(told[3])) or ()))
    await settle(ago(100))
    await settle(ago(90), ago(80, torrent="b"))

    async def told() -> bool:
        await database.execute("SELECT 1")  # notifications come with answers
        return bool(heard)

    await eventually(told, "the first decision is heard of")
    assert heard == [hash_announce_key("alice")]


async def test_a_changed_tier_is_told_until_an_announce_was_answered_with_it(
    settle: Settle, client: AsyncClient, database: asyncpg.Connection
) -> None:
    await settle(ago(2 * 30 * HOUR))
    assert (await standing_of(client, "alice")).notice is None
    await settle(*snatches("ab", hours_ago=1))
    notice = (await standing_of(client, "alice")).notice
    assert notice is not None
    assert "tier 1 of 4" in notice
    await settle(ago(0.5))  # answered before anybody could hear of it
    assert (await standing_of(client, "alice")).notice == notice
    await database.execute("UPDATE peers SET notice_time = notice_time - interval '3 s'")
    await settle(ago(0.2, torrent="b", event=Event.STOPPED))
    assert (await standing_of(client, "alice")).notice == notice
    await settle(ago(0))
    assert (await standing_of(client, "alice")).notice is None
    assert await database.fetchval("SELECT notice FROM peers WHERE key_hash = hash_announce_key('alice')") == notice
    history = await database.fetch("SELECT tier FROM tier_changes ORDER BY at")
    assert [row[0] for row in history] == [Tier.CONTRIBUTOR, Tier.LITTLE_HISTORY]


async def test_notices_can_be_turned_off(settle: Settle, postgres_settings: PostgresSettings) -> None:
    await settle(ago(2 * 30 * HOUR))
    await settle(*snatches("ab", hours_ago=1))
    async with serving_tiers(postgres_settings, tier_notices=False) as client:
        assert (await standing_of(client, "alice")).notice is None


@pytest.mark.parametrize(
    ("policy", "share"), [("announces", 3.0), ("seeds", 2.0), ("good_seeds", 2 * (1 + 2 / 3) / 2), ("tiers", 0.0)]
)
async def test_list_policies_get_their_share(
    settle: Settle, postgres_settings: PostgresSettings, policy: str, share: float
) -> None:
    """Alice announces three torrents and seeds two; she took more than she gave of one. Bob seeds one: g = 1.5 + .5."""
    await settle(
        *(ago(60, torrent="a"), ago(50, torrent="a", uploaded=7)),
        *(ago(60, torrent="b"), ago(60, torrent="c", left=9), ago(50, torrent="c", left=5, downloaded=4)),
        ago(60, key="bob", torrent="a"),
    )
    async with serving_tiers(postgres_settings, policy=policy) as client:

        async def granted() -> bool:
            return (await standing_of(client, "alice")).share == pytest.approx(share)

        await eventually(granted, f"{policy} grants {share}")


async def test_moved_thresholds_are_obeyed_where_recalibration_is_on(
    settle: Settle, postgres_settings: PostgresSettings, database: asyncpg.Connection
) -> None:
    await settle(*weeks_of_seeding(40))
    await database.execute("INSERT INTO tier_thresholds (tier, score) VALUES (2, 19), (3, 49), (4, 80.5)")
    await database.execute("UPDATE peers SET score_recent = 15, score_average = 20, score_length_days = 15")

    async def tier_with(**changes: object) -> Tier:
        async with serving_tiers(postgres_settings, **changes) as client:
            return (await standing_of(client, "alice")).tier

    assert await tier_with() is Tier.LONG_TERM_SEEDER
    async with serving_tiers(postgres_settings, recalibrate=True) as client:

        async def fell() -> bool:
            return (await standing_of(client, "alice")).tier is Tier.STEADY_SEEDER

        await eventually(fell, "71 points are less than 80.5, by more than the margin")


async def test_every_client_of_a_key_is_told_while_somebody_waits_for_its_recovery_code(
    client: AsyncClient, database: asyncpg.Connection, postgres_settings: PostgresSettings
) -> None:
    of_alice = "SELECT id, 'x' FROM peers WHERE key_hash = hash_announce_key('alice')"
    await database.execute(f"INSERT INTO recovery_requests (key_id, claim_hash) {of_alice}")
    for _ in range(2):
        assert (await standing_of(client, "alice")).notice == RECOVERY_REQUESTED
    async with serving_tiers(postgres_settings, tier_notices=False) as quiet:
        assert (await standing_of(quiet, "alice")).notice is None
    await database.execute("DELETE FROM recovery_requests")
    assert (await standing_of(client, "alice")).notice is None
