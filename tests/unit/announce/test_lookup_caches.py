"""The cache that is told of changes, and questions that travel together."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from etracker_announce.adapters.batching import Batcher
from etracker_announce.adapters.caching import RECHECK_SECONDS, NotifiedCache


@dataclass
class World:
    """A clock, and whether Postgres tells of changes."""

    now: float = 100.0
    told: bool = True

    def cache(self, max_entries: int = 10) -> NotifiedCache[str]:
        return NotifiedCache(max_entries, 300.0, lambda: self.told, lambda: self.now)


def test_an_answer_is_trusted_until_it_is_old() -> None:
    world = World()
    cache = world.cache()
    cache.put(b"a", "one", world.now)
    world.now += 299
    assert cache.fresh(b"a") == "one"
    world.now += 1
    assert cache.fresh(b"a") is None
    assert cache.last_known(b"a") == "one"


def test_while_nobody_tells_of_changes_an_answer_is_trusted_for_a_second() -> None:
    world = World(told=False)
    cache = world.cache()
    cache.put(b"a", "one", world.now)
    world.now += 0.9
    assert cache.fresh(b"a") == "one"
    world.now += 0.1
    assert cache.fresh(b"a") is None
    world.told = True
    assert cache.fresh(b"a") == "one"


def test_an_amended_answer_is_trusted_no_longer() -> None:
    world = World()
    cache = world.cache()
    cache.put(b"a", "one", world.now)
    world.now += 299
    cache.amend(b"a", "two")
    assert cache.fresh(b"a") == "two"
    world.now += 1
    assert cache.fresh(b"a") is None


def test_a_change_is_forgotten_wholly() -> None:
    world = World()
    cache = world.cache()
    cache.put(b"a", "one", world.now)
    cache.forget([b"a", b"b"])
    assert cache.fresh(b"a") is None
    assert cache.last_known(b"a") is None


def test_an_answer_asked_for_before_a_change_is_not_kept_for_long() -> None:
    world = World()
    cache = world.cache()
    cache.forget([b"a"])
    cache.put(b"a", "old", world.now - 0.1)
    world.now += RECHECK_SECONDS
    assert cache.fresh(b"a") is None
    cache.put(b"a", "new", world.now)
    world.now += 200
    assert cache.fresh(b"a") == "new"


def test_when_everything_may_have_changed_nothing_is_trusted_but_all_is_remembered() -> None:
    world = World()
    cache = world.cache()
    cache.put(b"a", "one", world.now)
    cache.forget(None)
    assert cache.fresh(b"a") is None
    assert cache.last_known(b"a") == "one"
    cache.put(b"a", "one", world.now)
    assert cache.fresh(b"a") == "one"
    world.now += RECHECK_SECONDS
    assert cache.fresh(b"a") is None, "who answered may not have heard yet"


def test_the_cache_is_bounded_and_keeps_what_was_asked_for_last() -> None:
    world = World()
    cache = world.cache(max_entries=3)
    for key in (b"a", b"b", b"c", b"a"):
        cache.put(key, key.decode(), world.now)
    assert cache.fresh(b"b") == "b"
    cache.put(b"d", "d", world.now)
    assert [cache.fresh(key) for key in (b"a", b"b", b"c", b"d")] == ["a", None, "c", "d"]


@dataclass
class Oracle:
    """Answers with what it was asked; remembers the batches; ``asked`` is set at each, ``gate`` holds answers back."""

    asked: asyncio.Event = field(default_factory=asyncio.Event)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    batches: list[list[int]] = field(default_factory=list)
    error: Exception | None = None

    async def ask(self, keys: Sequence[int]) -> Mapping[int, str]:
        self.batches.append(list(keys))
        self.asked.set()
        await self.gate.wait()
        if self.error:
            raise self.error
        return {key: str(key) for key in keys}


async def test_questions_of_one_turn_travel_together_and_the_same_one_once() -> None:
    oracle = Oracle()
    oracle.gate.set()
    batcher = Batcher(oracle.ask, max_keys=100)
    assert await asyncio.gather(*(batcher.get(key) for key in (1, 2, 3, 2, 1))) == ["1", "2", "3", "2", "1"]
    assert oracle.batches == [[1, 2, 3]]


async def test_while_an_answer_is_awaited_questions_gather_for_it() -> None:
    oracle = Oracle()
    batcher = Batcher(oracle.ask, max_keys=100)
    first = asyncio.create_task(batcher.get(1))
    await oracle.asked.wait()
    others = [asyncio.create_task(batcher.get(key)) for key in (1, 2, 3)]
    await asyncio.sleep(0)
    oracle.gate.set()
    assert await asyncio.gather(first, *others) == ["1", "1", "2", "3"]
    assert oracle.batches == [[1], [2, 3]]


async def test_nobody_waits_for_company_longer_than_five_milliseconds() -> None:
    oracle = Oracle()
    batcher = Batcher(oracle.ask, max_keys=100)
    questions = [asyncio.create_task(batcher.get(1))]
    await oracle.asked.wait()
    oracle.asked.clear()
    questions.append(asyncio.create_task(batcher.get(2)))
    async with asyncio.timeout(1):
        await oracle.asked.wait()
    assert oracle.batches == [[1], [2]]
    oracle.gate.set()
    assert await asyncio.gather(*questions) == ["1", "2"]


async def test_large_batches_are_cut() -> None:
    oracle = Oracle()
    oracle.gate.set()
    batcher = Batcher(oracle.ask, max_keys=4)
    await asyncio.gather(*(batcher.get(key) for key in range(10)))
    assert [len(batch) for batch in oracle.batches] == [4, 4, 2]


async def test_an_error_reaches_everybody_who_asked_and_nobody_after() -> None:
    oracle = Oracle(error=OSError("gone"))
    oracle.gate.set()
    batcher = Batcher(oracle.ask, max_keys=100)
    outcomes = await asyncio.gather(batcher.get(1), batcher.get(2), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [OSError, OSError]
    oracle.error = None
    assert await batcher.get(1) == "1"


async def test_one_that_gives_up_takes_the_answer_from_nobody() -> None:
    oracle = Oracle()
    batcher = Batcher(oracle.ask, max_keys=100)
    impatient, patient = asyncio.create_task(batcher.get(1)), asyncio.create_task(batcher.get(1))
    await oracle.asked.wait()
    impatient.cancel()
    oracle.gate.set()
    assert await patient == "1"


async def test_a_question_whose_asker_gave_up_is_no_forgotten_error() -> None:
    oracle = Oracle(error=OSError("gone"))
    batcher = Batcher(oracle.ask, max_keys=100)
    asker = asyncio.create_task(batcher.get(1))
    await oracle.asked.wait()
    (question,) = batcher._in_flight.values()
    asker.cancel()
    oracle.gate.set()
    with pytest.raises(OSError, match="gone"):
        await batcher.get(2)  # answered after the first
    assert oracle.batches == [[1], [2]]
    assert question.done()
    assert not question._log_traceback, "asyncio would log an error that nobody retrieved"
    await batcher.close()
