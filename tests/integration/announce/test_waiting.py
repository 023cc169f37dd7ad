"""Nobody waits in advance, and everybody waits for a limited time: leechers on the real service, whose clock jumps.

The kind of fault: an age that opens higher tiers to somebody who wasn't there, or wasn't downloading.
"""

import time
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest

from etracker_shared.language.tier import Tier
from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from tests.support.announce import Announcer, running_announcer

TAU = 120
SEEDERS = 20
FILM = b"\xa7" + b"a film with seeders"[:19]
LENGTH = 10**6
TORRENTS = [b"torrent %012d" % number for number in range(7)]
KEY = "a" * 30
HOME = "198.18.200.1"
EIGHT_MINUTES, DAY = 480, 86_400


class Clock:
    """Real time, plus whatever a test adds."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


class Swarm:
    """Twenty seeders of the highest tier, and one leecher of the lowest."""

    def __init__(self, announcer: Announcer, clock: Clock) -> None:
        self.announcer = announcer
        self._clock = clock

    async def fill(self, *torrents: bytes) -> None:
        rows = [(torrent, torrent.hex(), LENGTH) for torrent in torrents]
        await self.announcer.sql("INSERT INTO infohashes (info_hash, name, length) VALUES ($1, $2, $3)", rows)
        for number in range(SEEDERS):
            self.announcer.scoring.register(_seeder(number), Tier.LONG_TERM_SEEDER)
        await self.seed(torrents)

    async def seed(self, torrents: Iterable[bytes] = (FILM,)) -> None:
        for torrent in torrents:
            for number in range(SEEDERS):
                await self.seed_one(number, torrent, numwant=0)

    async def seed_one(self, number: int, torrent: bytes, **more: Any) -> dict[bytes, Any]:
        said = {"source": f"198.18.{number}.7", "left": 0} | more
        return await self.announcer.announce(_seeder(number), torrent, b"-TT0001-%012d" % number, **said)

    async def wait(self, seconds: float) -> None:
        """Let time pass; over a long time the film's seeders announce again."""
        self._clock.ahead += seconds
        if seconds > 1_800:
            await self.seed()

    async def announce(self, key: str | None = KEY, torrent: bytes = FILM, **more: Any) -> dict[bytes, Any]:
        """Announce as the one leecher at home."""
        said = {"source": HOME, "port": 7001, "left": LENGTH} | more
        return await self.announcer.announce(key, torrent, b"-qB4520-leecher00000", **said)

    async def is_shown_to(self) -> int:
        """Return to how many seeders the leecher is shown when they announce."""
        endpoint = bytes(map(int, HOME.split("."))) + (7001).to_bytes(2, "big")
        answers = [await self.seed_one(number, FILM, numwant=50) for number in range(SEEDERS)]
        return sum(endpoint in answer[b"peers"] for answer in answers)

    async def sees(self, key: str | None = KEY, torrent: bytes = FILM, **more: Any) -> set[bytes]:
        """Announce, and return the seeders' endpoints in the answer."""
        peers = (await self.announce(key, torrent, **more))[b"peers"]
        return {peers[at : at + 6] for at in range(0, len(peers), 6)}


def _seeder(number: int) -> str:
    return f"{number:030d}"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def swarm(
    postgres_settings: PostgresSettings, redis_settings: RedisSettings, clock: Clock
) -> AsyncIterator[Swarm]:
    fixed = {"budget_burst": 0, "equilibrium": {"tau_bounds": f"{TAU} {TAU}"}}
    async with running_announcer(postgres_settings, redis_settings, clock, **fixed) as announcer:
        announcer.scoring.register(KEY, Tier.FREE_RIDER)
        swarm = Swarm(announcer, clock)
        await swarm.fill(FILM)
        yield swarm


@pytest.mark.promise(34)
@pytest.mark.parametrize("key", [KEY, None])
async def test_having_announced_eight_minutes_earlier_shows_no_more_than_a_newcomer_sees(
    swarm: Swarm, key: str | None
) -> None:
    first = await swarm.sees(key)
    assert 1 <= len(first) < SEEDERS / 2
    await swarm.announce(key, event="stopped")

    await swarm.announce(key, numwant=0)
    await swarm.wait(EIGHT_MINUTES)
    assert await swarm.sees(key) == first
    await swarm.announce(key, event="stopped")

    await swarm.announce(key, event="started")
    await swarm.announce(key, event="stopped")
    await swarm.wait(EIGHT_MINUTES)
    assert await swarm.sees(key) == first


@pytest.mark.promise(34)
@pytest.mark.parametrize("key", [KEY, None])
async def test_one_announce_a_day_opens_nothing(swarm: Swarm, key: str | None) -> None:
    first = await swarm.sees(key)
    for day in range(5):
        await swarm.wait(DAY)
        assert await swarm.sees(key, left=LENGTH - day) == first


@pytest.mark.promise(34)
async def test_seeders_are_not_sent_to_a_leecher_that_went_away(swarm: Swarm) -> None:
    """The other end of a pair: a candidate is as old as it was at its last announce."""
    newcomer = await swarm.sees()
    for _ in range(2):
        await swarm.wait(1_500)
        assert await swarm.is_shown_to() <= len(newcomer) < SEEDERS


@pytest.mark.promise(34)
async def test_progress_opens_everything_after_four_tau_and_nothing_else_does(swarm: Swarm) -> None:
    stands_still, swings = [LENGTH] * 4, [LENGTH + 1000, LENGTH] * 2
    for left in [LENGTH, *stands_still, *swings]:
        assert len(await swarm.sees(left=left)) < SEEDERS
        await swarm.wait(TAU)
    assert len(await swarm.sees(left=LENGTH - 1000)) < SEEDERS
    await swarm.wait(TAU)
    assert len(await swarm.sees(left=LENGTH - 2000)) == SEEDERS


@pytest.mark.promise(34)
@pytest.mark.parametrize("key", [KEY, None])
async def test_nobody_is_stranded_where_its_first_peers_are_unreachable(swarm: Swarm, key: str | None) -> None:
    interval = (await swarm.announce(key))[b"interval"]
    assert interval <= 330
    intervals, seen = -(-16 * TAU // interval), []
    for _ in range(intervals + 1):
        seen.append(len(await swarm.sees(key)))
        await swarm.wait(interval)
    assert max(seen[: intervals // 2 + 1]) < SEEDERS
    assert seen[-1] == SEEDERS
    assert (await swarm.announce(key))[b"interval"] > 1_600, "no list is restricted any more"


@pytest.mark.promise(34)
async def test_whoever_stops_and_starts_goes_on_where_it_was(swarm: Swarm) -> None:
    await swarm.announce()
    await swarm.wait(4 * TAU)
    assert len(await swarm.sees(left=LENGTH - 1)) == SEEDERS
    await swarm.announce(left=LENGTH - 1, event="stopped")
    await swarm.wait(DAY // 2)
    assert len(await swarm.sees(left=LENGTH - 1)) == SEEDERS


@pytest.fixture
async def crowd(
    postgres_settings: PostgresSettings, redis_settings: RedisSettings, clock: Clock
) -> AsyncIterator[Swarm]:
    """A tracker on which a key waits in five torrents at once, and seven torrents."""
    fixed = {"budget_burst": 0, "equilibrium": {"tau_bounds": f"{TAU} {TAU}", "waiting_torrents": 5}}
    async with running_announcer(postgres_settings, redis_settings, clock, **fixed) as announcer:
        announcer.scoring.register(KEY, Tier.FREE_RIDER)
        swarm = Swarm(announcer, clock)
        await swarm.fill(*TORRENTS)
        yield swarm


async def open_after(swarm: Swarm, rounds: int, *progressing: bytes) -> list[bytes]:
    """Announce all torrents every 2 tau, and return those that show every seeder in the end."""
    for number in range(rounds + 1):
        lefts = {torrent: LENGTH - (number if torrent in progressing else 0) for torrent in TORRENTS}
        seen = {torrent: await swarm.sees(torrent=torrent, left=left) for torrent, left in lefts.items()}
        await swarm.wait(2 * TAU)
    return [torrent for torrent in TORRENTS if len(seen[torrent]) == SEEDERS]


@pytest.mark.promise(34)
async def test_a_key_waits_in_a_few_torrents_at_once(crowd: Swarm) -> None:
    assert await open_after(crowd, 7) == []
    assert await open_after(crowd, 0) == TORRENTS[:5]


@pytest.mark.promise(34)
async def test_where_a_key_makes_progress_it_waits_first(crowd: Swarm) -> None:
    assert await open_after(crowd, 3, *TORRENTS[5:]) == TORRENTS[5:]
