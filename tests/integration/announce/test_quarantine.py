"""Confirmed offenders disappear from others' lists within seconds of the verdict, and are back as soon as cleared."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from etracker_shared.agreements.anomalies import AnomalyState, DetectionMode, Override, Verdict
from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from tests.support.announce import Announcer, running_announcer

KEYS = [f"{number:030x}" for number in range(8)]
OFFENDER, RECIPIENT = KEYS[0], KEYS[1]
INFO_HASH = bytes(range(20))
WITHIN_SECONDS = 10.0
LOOK_PAUSE_SECONDS = 0.02


@pytest.fixture
async def announcer(postgres_settings: PostgresSettings, redis_settings: RedisSettings) -> AsyncIterator[Announcer]:
    async with running_announcer(
        postgres_settings, redis_settings, detection=DetectionMode.ENFORCE, budget_burst=0, private_peers="always"
    ) as running:
        for key in KEYS:
            running.scoring.register(key)
        await running.track(INFO_HASH)
        await running.sql("INSERT INTO peers (announce_key) VALUES ($1)", [(key,) for key in KEYS])
        yield running


def address_of(key: str) -> str:
    return f"198.51.{100 + KEYS.index(key)}.7"


async def announce(announcer: Announcer, key: str, **more: object) -> bytes:
    """Announce; return the compact list."""
    fields = {"source": address_of(key), "port": 7000 + KEYS.index(key)} | more
    reply = await announcer.announce(key, INFO_HASH, b"-TR3000-" + key[-12:].encode(), **fields)
    return bytes(reply[b"peers"])


def endpoint(key: str) -> bytes:
    packed = bytes(int(part) for part in address_of(key).split("."))
    return packed + (7000 + KEYS.index(key)).to_bytes(2, "big")


async def conclude(
    announcer: Announcer, state: AnomalyState, verdict: Verdict = Verdict.STATISTICS, age_hours: int = 0
) -> None:
    await announcer.sql(
        "INSERT INTO anomalies (key_id, state, verdict, score, since)"
        " SELECT id, $2, $3, 120, now() - make_interval(hours => $4) FROM peers WHERE key_hash = hash_announce_key($1)"
        " ON CONFLICT (key_id) DO UPDATE SET state = excluded.state, verdict = excluded.verdict,"
        " since = excluded.since",
        [(OFFENDER, state, verdict, age_hours)],
    )


async def becomes(announcer: Announcer, *, listed: bool) -> None:
    """Wait until the offender is, or isn't, in the recipient's list."""
    started = time.monotonic()
    while (endpoint(OFFENDER) in await announce(announcer, RECIPIENT)) is not listed:
        assert time.monotonic() - started < WITHIN_SECONDS
        await asyncio.sleep(LOOK_PAUSE_SECONDS)


async def test_an_offender_leaves_others_lists_and_returns_when_cleared(announcer: Announcer) -> None:
    await announce(announcer, OFFENDER)
    await becomes(announcer, listed=True)
    await conclude(announcer, AnomalyState.CONFIRMED)
    await becomes(announcer, listed=False)
    await conclude(announcer, AnomalyState.CLEARED)
    await becomes(announcer, listed=True)


async def test_an_operators_decision_beats_the_score_until_it_ends(announcer: Announcer) -> None:
    await announce(announcer, OFFENDER)
    await conclude(announcer, AnomalyState.CONFIRMED)
    await becomes(announcer, listed=False)
    for override, listed in ((Override.EXEMPT, True), (Override.CONFIRMED, False), (Override.CLEARED, True)):
        await announcer.sql("UPDATE anomalies SET override = $1", [(override,)])
        await becomes(announcer, listed=listed)
    await announcer.sql("UPDATE anomalies SET override_until = now() + interval '1.5 seconds'")
    await becomes(announcer, listed=False)


async def test_a_verdict_leaves_the_owner_of_a_stolen_key_alone(announcer: Announcer) -> None:
    thief = "203.0.113.9"
    await announcer.announce(OFFENDER, INFO_HASH, b"-TR3000-thief0000000", source=thief, port=9000)
    await announce(announcer, OFFENDER)
    await conclude(announcer, AnomalyState.CONFIRMED)
    await becomes(announcer, listed=False)
    await announcer.sql(
        "UPDATE anomalies SET prefixes = jsonb_build_object($1::text, 100)",
        [((b"\x04" + bytes((203, 0, 113)) + bytes(3)).hex(),)],
    )
    await becomes(announcer, listed=True)
    assert bytes((203, 0, 113, 9)) not in await announce(announcer, RECIPIENT)


async def test_an_offender_gets_five_peers_and_one_that_wastes_gets_none_after_a_day(announcer: Announcer) -> None:
    for key in KEYS:
        await announce(announcer, key)
    assert len(await announce(announcer, OFFENDER)) == 7 * 6
    await conclude(announcer, AnomalyState.CONFIRMED, Verdict.WASTE)
    await becomes(announcer, listed=False)
    assert len(await announce(announcer, OFFENDER)) == 5 * 6
    await conclude(announcer, AnomalyState.CONFIRMED, Verdict.WASTE, age_hours=25)
    async with asyncio.timeout(WITHIN_SECONDS):
        while await announce(announcer, OFFENDER):  # noqa: ASYNC110
            await asyncio.sleep(LOOK_PAUSE_SECONDS)


async def test_a_list_repeated_from_memory_leaves_an_offender_out(
    postgres_settings: PostgresSettings, redis_settings: RedisSettings, announcer: Announcer
) -> None:
    await announce(announcer, OFFENDER)
    settings: dict[str, Any] = {"detection": DetectionMode.ENFORCE, "budget_burst": 1, "budget_seconds": 3600}
    async with running_announcer(postgres_settings, redis_settings, private_peers="always", **settings) as impatient:
        impatient.scoring.register(RECIPIENT)
        assert endpoint(OFFENDER) in await announce(impatient, RECIPIENT)
        await conclude(announcer, AnomalyState.CONFIRMED)
        await becomes(impatient, listed=False)


async def test_suspicion_changes_no_list(announcer: Announcer) -> None:
    await announce(announcer, OFFENDER)
    await conclude(announcer, AnomalyState.SUSPECTED)
    async with asyncio.timeout(WITHIN_SECONDS):
        while "etracker_announce_suspects 1.0" not in (await announcer.observe("/metrics"))[1]:  # noqa: ASYNC110
            await asyncio.sleep(LOOK_PAUSE_SECONDS)
    assert endpoint(OFFENDER) in await announce(announcer, RECIPIENT)
    assert endpoint(RECIPIENT) in await announce(announcer, OFFENDER)


async def test_a_verdict_follows_a_key_that_is_rotated(announcer: Announcer) -> None:
    """The kind: whatever gives an offender another hash. Its old sessions stay out of lists as well."""
    rotated = KEYS[2]
    await announcer.sql("DELETE FROM peers WHERE key_hash = hash_announce_key($1)", [(rotated,)])
    await announce(announcer, OFFENDER)
    await conclude(announcer, AnomalyState.CONFIRMED)
    await becomes(announcer, listed=False)
    await announcer.sql(
        "UPDATE peers SET key_hash = hash_announce_key($2) WHERE key_hash = hash_announce_key($1)",
        [(OFFENDER, rotated)],
    )
    await announce(announcer, rotated)
    async with asyncio.timeout(WITHIN_SECONDS):
        while endpoint(rotated) in await announce(announcer, RECIPIENT):  # noqa: ASYNC110
            await asyncio.sleep(LOOK_PAUSE_SECONDS)
    assert endpoint(OFFENDER) not in await announce(announcer, RECIPIENT)
    await announcer.sql("UPDATE anomalies SET state = $1", [(AnomalyState.CLEARED,)])
    await becomes(announcer, listed=True)
    assert endpoint(rotated) in await announce(announcer, RECIPIENT)
