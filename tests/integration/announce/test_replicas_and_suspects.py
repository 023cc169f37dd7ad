"""Several replicas agree about suspects, whichever of them a client reaches, and whatever happens to Postgres' notices.

The kind: what one replica knows and another doesn't. The offender announces only once, before its verdict.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from etracker_shared.agreements.anomalies import AnomalyState, DetectionMode
from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from tests.support.announce import Announcer, running_announcer
from tests.support.waiting import eventually

KEYS = [f"{number:030x}" for number in range(3)]
OFFENDER, RECIPIENT, STRANGER = KEYS
INFO_HASH = bytes(range(20))
WITHIN_SECONDS = 10.0
ENDPOINT = bytes((198, 51, 100, 7)) + (7000).to_bytes(2, "big")
SETTINGS: dict[str, Any] = {"detection": DetectionMode.ENFORCE, "budget_burst": 0}

CONCLUDE = """
INSERT INTO anomalies (key_id, state, verdict, score, wasted)
SELECT peers.id, $2, 3, 120, jsonb_build_object(infohashes.id, 0.5) FROM peers, infohashes
WHERE key_hash = hash_announce_key($1) ON CONFLICT (key_id) DO UPDATE SET state = excluded.state
"""
BREAK_LISTENERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name = 'etracker-listener' AND datname = current_database()
"""


@pytest.fixture
async def replicas(
    postgres_settings: PostgresSettings, redis_settings: RedisSettings
) -> AsyncIterator[list[Announcer]]:
    async with AsyncExitStack() as stack:
        started = [
            await stack.enter_async_context(running_announcer(postgres_settings, redis_settings, **SETTINGS))
            for _ in range(2)
        ]
        for replica in started:
            for key in KEYS:
                replica.scoring.register(key)
        await started[0].track(INFO_HASH)
        await started[0].sql("INSERT INTO peers (announce_key) VALUES ($1)", [(key,) for key in KEYS])
        yield started


async def announce(replica: Announcer, key: str, **more: Any) -> dict[bytes, Any]:
    place = KEYS.index(key)
    fields = {"source": f"198.51.{100 + place}.7", "port": 7000 + place, "left": 1} | more
    return await replica.announce(key, INFO_HASH, b"-TR3000-" + key[-12:].encode(), **fields)


async def conclude(replicas: list[Announcer], state: AnomalyState, *, unheard: bool = False) -> None:
    """Store a verdict; ``unheard``: while nobody listens."""
    if unheard:
        await replicas[0].sql(BREAK_LISTENERS)
    await replicas[0].sql(CONCLUDE, [(OFFENDER, state)])


async def becomes(replicas: list[Announcer], *, listed: bool) -> None:
    began = time.monotonic()
    for replica in replicas:

        async def is_so(replica: Announcer = replica) -> bool:
            return (ENDPOINT in (await announce(replica, STRANGER))[b"peers"]) is listed

        await eventually(is_so, f"the offender is {'' if listed else 'not '}listed", WITHIN_SECONDS)
    assert time.monotonic() - began < WITHIN_SECONDS


@pytest.mark.promise(35)
@pytest.mark.parametrize("unheard", [False, True], ids=["heard", "connection broken"])
async def test_all_replicas_leave_an_offender_out_and_take_it_back(replicas: list[Announcer], unheard: bool) -> None:
    await announce(replicas[0], OFFENDER)
    await becomes(replicas, listed=True)
    await conclude(replicas, AnomalyState.CONFIRMED, unheard=unheard)
    await becomes(replicas, listed=False)
    await conclude(replicas, AnomalyState.CLEARED, unheard=unheard)
    await becomes(replicas, listed=True)


@pytest.mark.promise(36)
async def test_a_hand_out_by_one_replica_is_told_by_another_once(replicas: list[Announcer]) -> None:
    first, second = replicas
    await announce(first, OFFENDER)
    await conclude(replicas, AnomalyState.SUSPECTED)
    await eventually(lambda: knows_suspect(first), "a suspect is known")
    await announce(first, RECIPIENT)
    await announce(first, STRANGER, numwant=0)
    await conclude(replicas, AnomalyState.CONFIRMED)
    await becomes(replicas, listed=False)
    replies = await asyncio.gather(*(announce(replica, RECIPIENT) for replica in (second, first, second, first)))
    assert sum(b"warning message" in reply for reply in replies) == 1


async def knows_suspect(replica: Announcer) -> bool:
    return "etracker_announce_suspects 1.0" in (await replica.observe("/metrics"))[1]
