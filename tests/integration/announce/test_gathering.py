"""Announces that come within a pause share a batch; under load and in a closed loop there is no pause."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest

from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from tests.support.announce import Announcer, query, running_announcer
from tests.support.wire import Wire, request

KEY = "0123456789abcdef0123456789abcd"
INFO_HASH = bytes(range(20))
LONG_PAUSE_MS = 100
"""So long that a busy machine changes nothing."""


@pytest.fixture
async def gathering(
    postgres_settings: PostgresSettings, redis_settings: RedisSettings, pause_ms: int
) -> AsyncIterator[Announcer]:
    async with running_announcer(
        postgres_settings, redis_settings, budget_burst=0, announce_gather_ms=pause_ms
    ) as running:
        running.scoring.register(KEY)
        await running.track(INFO_HASH)
        yield running


def announce_of(number: int, *headers: str) -> bytes:
    peer_id = b"-qB4650-%012d" % number
    return request(f"/{KEY}/announce?{query(INFO_HASH, peer_id, port=2000 + number % 5)}", *headers)


async def connect(announcer: Announcer) -> Wire:
    return Wire(*(await asyncio.open_connection("127.0.0.1", announcer.ports.announce)))


async def announce_once(announcer: Announcer, number: int) -> bytes:
    wire = await connect(announcer)
    wire.send(announce_of(number % 5, "Connection: close"))
    answer = await wire.rest()
    wire.writer.close()
    return answer


async def announce_in_turn(announcer: Announcer, count: int) -> None:
    """Announce on one connection, each time once the last announce is answered."""
    wire = await connect(announcer)
    for number in range(count):
        wire.send(announce_of(number % 5))
        assert b"8:complete" in (await wire.answer())[1]
    wire.writer.close()


async def value(announcer: Announcer, sample: str) -> float:
    _, text = await announcer.observe("/metrics")
    return float(re.findall(rf"^{re.escape(sample)} (.+)$", text, re.MULTILINE)[0])


async def pauses(announcer: Announcer) -> float:
    outcomes = [f'etracker_announce_pauses_total{{outcome="{outcome}"}}' for outcome in ("paid", "in_vain")]
    return sum([await value(announcer, outcome) for outcome in outcomes])


@pytest.mark.parametrize("pause_ms", [LONG_PAUSE_MS])
async def test_announces_of_one_pause_share_a_batch(gathering: Announcer) -> None:
    coming = []
    for number in range(120):
        coming.append(asyncio.create_task(announce_once(gathering, number)))
        await asyncio.sleep(0.01)
    assert all(b"8:complete" in answer for answer in await asyncio.gather(*coming))
    assert await value(gathering, 'etracker_announce_pauses_total{outcome="paid"}') >= 2
    assert await value(gathering, 'etracker_announce_batch_size_sum{batch="swarms"}') == 120
    assert await value(gathering, 'etracker_announce_batch_size_count{batch="swarms"}') < 80


@pytest.mark.parametrize("pause_ms", [15])
async def test_a_client_that_announces_whenever_it_is_answered_hardly_waits(gathering: Announcer) -> None:
    await announce_in_turn(gathering, 300)
    assert await pauses(gathering) < 300 / 10


@pytest.mark.parametrize("pause_ms", [15])
async def test_under_load_announces_hardly_wait(gathering: Announcer) -> None:
    await asyncio.gather(*(announce_in_turn(gathering, 20) for _ in range(48)))
    assert await pauses(gathering) < 48 * 20 / 30


@pytest.mark.parametrize("pause_ms", [0])
async def test_without_pauses_nobody_waits(gathering: Announcer) -> None:
    for number in range(60):
        await announce_once(gathering, number)
    assert await pauses(gathering) == 0
