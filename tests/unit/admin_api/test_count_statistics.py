import asyncio

from etracker_admin_api.errors import RedisUnavailableError
from etracker_admin_api.statistics.counting import CountStatistics, Statistics
from etracker_admin_api.statistics.live_counts import LiveTotals
from etracker_shared.language.outages import PostgresUnavailableError
from tests.support.waiting import eventually


class SlowCatalogue:
    """Seven torrents, counted slowly; ``counting`` is set once a count is running."""

    def __init__(self, *, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.counting = asyncio.Event()
        self.counts = 0
        self.torrents = 7
        self.down = False

    async def count(self) -> int:
        self.counts += 1
        counted = self.torrents
        self.counting.set()
        await asyncio.sleep(self.seconds)
        if self.down:
            raise PostgresUnavailableError
        return counted


class Peers:
    """Two seeders and three leechers in one swarm, unless Redis is down."""

    def __init__(self) -> None:
        self.down = False
        self.asked = 0

    async def totals(self) -> LiveTotals:
        self.asked += 1
        if self.down:
            raise RedisUnavailableError
        return LiveTotals(2, 3, 1)


async def test_a_hundred_callers_at_once_cost_one_question_to_each_database() -> None:
    catalogue, peers = SlowCatalogue(seconds=0.05), Peers()
    count = CountStatistics(catalogue.count, peers.totals)
    answers = await asyncio.gather(*(count() for _ in range(100)))
    assert set(answers) == {Statistics(7, 2, 3, 1, stale=False)}
    assert (catalogue.counts, peers.asked) == (1, 1)


async def test_ones_own_change_is_counted_even_if_a_count_was_under_way() -> None:
    catalogue = SlowCatalogue(seconds=0.05)
    count = CountStatistics(catalogue.count, Peers().totals)
    before = asyncio.create_task(count())
    await catalogue.counting.wait()
    catalogue.torrents = 8
    count.changed_here()
    await before
    assert (await count()).hashcount == 8
    assert catalogue.counts == 2


async def test_somebody_elses_change_is_counted_when_a_second_is_over() -> None:
    catalogue = SlowCatalogue()
    count = CountStatistics(catalogue.count, Peers().totals, live_seconds=0.05)
    await count()
    catalogue.torrents = 8

    async def counted() -> bool:
        return (await count()).hashcount == 8

    await eventually(counted, "the change is counted", 5)


async def test_callers_dont_wait_for_a_dead_database_one_after_the_other() -> None:
    catalogue = SlowCatalogue(seconds=0.1)
    catalogue.down = True
    count = CountStatistics(catalogue.count, Peers().totals)
    start = asyncio.get_running_loop().time()
    results = await asyncio.gather(*(count() for _ in range(50)), return_exceptions=True)
    assert {type(result) for result in results} == {PostgresUnavailableError}
    assert asyncio.get_running_loop().time() - start < 1
    assert catalogue.counts == 1


async def test_the_last_known_peers_are_shown_as_stale_while_redis_is_down() -> None:
    peers = Peers()
    count = CountStatistics(SlowCatalogue().count, peers.totals, live_seconds=0)
    await count()
    peers.down = True
    assert await count() == Statistics(7, 2, 3, 1, stale=True)
    peers.down = False
    assert await count() == Statistics(7, 2, 3, 1, stale=False)
