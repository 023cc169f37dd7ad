"""An announce that comes too early is answered from memory: it costs no step, no fact and no choice.

The kind of fault: a client that announces in a loop makes the tracker work for nothing.
"""

from typing import Any

import pytest

from etracker_announce.settings import AnnounceSettings
from etracker_shared.agreements.facts import Event, unpack_facts
from etracker_shared.language.identity import InfoHash
from tests.support.announce_ports import KEY, Scripted
from tests.support.clock import Clock

SETTINGS = AnnounceSettings()
BURST, SECONDS = SETTINGS.budget_burst, SETTINGS.budget_seconds


class Client:
    """Announces to a tracker with the default budget."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.scripted = Scripted(settings=SETTINGS, clock=self.clock)

    async def announce(self, **what: Any) -> None:
        answer = await self.scripted.answer(**what)
        assert answer.interval_seconds

    async def steps_of(self, times: int, pause_seconds: float = 0, **what: Any) -> int:
        """Return how many of some announces took a step."""
        before = len(self.scripted.swarms.steps)
        for _ in range(times):
            await self.announce(**what)
            self.clock.now += pause_seconds
        return len(self.scripted.swarms.steps) - before

    @property
    def suppressed(self) -> list[int]:
        """Return what each fact says of the announces before it."""
        packed = [fact for _, fact in self.scripted.swarms.steps if fact]
        return [fact.suppressed for entry in packed for fact in unpack_facts(entry)]


async def test_past_its_burst_a_client_takes_a_step_a_minute_and_always_gets_an_answer() -> None:
    client = Client()
    assert await client.steps_of(100) == BURST
    client.clock.now += SECONDS
    assert await client.steps_of(100) == 1
    assert client.suppressed == [0] * BURST + [100 - BURST]
    assert client.scripted.registry.get_sample_value("etracker_announce_suppressed_total") == 100 - BURST + 99


@pytest.mark.parametrize("event", [Event.STARTED, Event.COMPLETED, Event.STOPPED, Event.PAUSED])
async def test_an_event_always_takes_its_step(event: Event) -> None:
    client = Client()
    await client.steps_of(20)
    assert await client.steps_of(3, event=event) == 3


async def test_other_bytes_left_always_take_their_step() -> None:
    client = Client()
    await client.steps_of(20, left=5)
    assert [await client.steps_of(1, left=left) for left in (5, 4, 4, 0)] == [0, 1, 0, 1]


@pytest.mark.parametrize(
    "other",
    [{"source": "192.0.2.9"}, {"source": "2001:db8::1"}, {"port": 7001}, {"peer_id": b"o" * 20}],
)
async def test_another_client_or_endpoint_has_a_budget_of_its_own(other: dict[str, Any]) -> None:
    client = Client()
    await client.steps_of(20)
    assert await client.steps_of(1, **other) == 1


@pytest.mark.parametrize("pause_seconds", [60, 120, 300, 1800])
async def test_no_client_that_keeps_an_interval_is_limited(pause_seconds: float) -> None:
    assert await Client().steps_of(50, pause_seconds) == 50


async def test_a_client_may_start_thousands_of_torrents_at_once() -> None:
    client = Client()
    for number in range(5000):
        await client.announce(info_hash=InfoHash(number.to_bytes(20, "big")), event=Event.STARTED)
    assert len(client.scripted.swarms.steps) == 5000


async def test_somebody_who_presses_the_button_again_and_again_is_answered_as_before() -> None:
    client = Client()
    answers = [await client.scripted.answer() for _ in range(BURST + 3)]
    assert len(set(map(id, answers[BURST - 1 :]))) == 1


async def test_an_invalid_key_is_refused_before_any_budget() -> None:
    client = Client()
    await client.steps_of(20)
    assert await client.scripted.announce(key=KEY + b"!") != await client.scripted.announce()


async def test_without_a_burst_there_is_no_budget() -> None:
    client = Client()
    client.scripted = Scripted(settings=AnnounceSettings(budget_burst=0), clock=client.clock)
    assert await client.steps_of(50) == 50
