"""The whole tracker: how the history stored in Postgres affects announces under the default policy."""

import asyncio
import secrets
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import asyncpg
import fastbencode
import httpx
import pytest

from etracker_scoring.scores.notices import DELIVERY_MS
from scripts.pasts import PASTS
from tests.support.announce import query
from tests.support.postgres import connect
from tests.support.processes import wait_until
from tests.support.stack import StackRun, running_stack

SEEDERS = 30
COMPANIONS = 5
TAU_SECONDS = 2
SLOW, QUICK = b"slow torrent of the ", b"quick torrent of the"
"""Infohashes. tau is hours for the one, and as short as the settings allow for the other."""
LENGTHS = {SLOW: 10**14, QUICK: 1}
MANY, SEEDERS_OF_MANY = b"torrent of many more", 400
NUMWANT = 50
FETCHED = (b"one that is fetched.", b"another one fetched.")
FETCHED_LENGTH = 1000
PORT = 7000
HEARD_OF = f"now() > notice_time + interval '{DELIVERY_MS} ms'"


@dataclass(frozen=True)
class Peer:
    """A peer with a key, a past that earns the tier (None: no past), and an address in its own /24."""

    number: int
    tier: int | None
    key: str

    @property
    def address(self) -> str:
        return f"31.{self.number // 250}.{self.number % 250}.7"

    @property
    def endpoint(self) -> bytes:
        return bytes(map(int, self.address.split("."))) + PORT.to_bytes(2, "big")


class Tracker:
    """Announces to a running stack's announce service, each peer from its own address."""

    def __init__(self, stack: StackRun) -> None:
        self._stack = stack
        self._numbers = iter(range(10_000))
        self._http = httpx.Client(base_url=f"http://{stack.announce_addresses[0]}", trust_env=False)

    def close(self) -> None:
        self._http.close()

    def peers(self, tier: int | None, count: int = 1) -> list[Peer]:
        """Store keys with a past that earns the tier, or without one, and wait until announce has their tiers."""
        made = [Peer(next(self._numbers), tier, secrets.token_hex(15)) for _ in range(count)]
        asyncio.run(_store(self._stack, made))
        wait_until(lambda: self._are_known(made), f"announce knows {count} keys of tier {tier}", 30.0)
        return made

    def announce(self, peer: Peer, torrent: bytes, *, address: str = "", **more: Any) -> dict[bytes, Any]:
        """Announce with the peer's key, or as a guest if that is empty; from its own address, or another."""
        said = query(torrent, b"-TT0001-%012d" % peer.number, port=PORT, **more)
        path = f"/{peer.key}/announce" if peer.key else "/announce"
        answer = self._http.get(f"{path}?{said}", headers={"X-Forwarded-For": address or peer.address})
        told = fastbencode.bdecode(answer.content)
        assert b"failure reason" not in told
        return dict(told)

    def stored(self, peer: Peer, what: str) -> Any:
        """Return an expression over a key's columns in Postgres."""
        statement = f"SELECT {what} FROM peers WHERE key_hash = hash_announce_key($1)"
        return asyncio.run(_read(self._stack, statement, peer.key))

    def told(self, peer: Peer, torrent: bytes, **more: Any) -> set[bytes]:
        """Announce, and return the endpoints in the answer."""
        peers = self.announce(peer, torrent, **more)[b"peers"]
        return {peers[at : at + 6] for at in range(0, len(peers), 6)}

    def _are_known(self, peers: Sequence[Peer]) -> bool:
        """Scrape with every key; return whether all treatments came from the cache."""
        before = self.lookups("cache")
        for peer in peers:
            self.scrape(peer)
        return self.lookups("cache") - before == len(peers)

    def scrape(self, peer: Peer) -> None:
        self._http.get(f"/{peer.key}/scrape?info_hash={'x' * 20}")

    def lookups(self, source: str) -> float:
        """Return how many treatments announce took from its cache, or from scoring."""
        name = f'etracker_announce_tier_lookups_total{{source="{source}"}} '
        observation = self._stack.observation_url_of("announce-1")
        lines = httpx.get(f"{observation}/metrics", trust_env=False).text.splitlines()
        return next(float(line.removeprefix(name)) for line in lines if line.startswith(name))


async def _store(stack: StackRun, peers: Sequence[Peer]) -> None:
    connection: asyncpg.Connection = await connect(stack.postgres_settings())
    try:
        for peer in peers:
            past = {} if peer.tier is None else PASTS[peer.tier].row()
            row = {"announce_key": peer.key, **past}
            places = ", ".join(f"${place}" for place in range(1, len(row) + 1))
            await connection.execute(f"INSERT INTO peers ({', '.join(row)}) VALUES ({places})", *row.values())
        await connection.executemany(
            "INSERT INTO infohashes (info_hash, length) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            [*LENGTHS.items(), (MANY, LENGTHS[SLOW]), *((torrent, FETCHED_LENGTH) for torrent in FETCHED)],
        )
    finally:
        await connection.close()


async def _read(stack: StackRun, statement: str, *arguments: Any) -> Any:
    connection: asyncpg.Connection = await connect(stack.postgres_settings())
    try:
        return await connection.fetchval(statement, *arguments)
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def tracker() -> Iterator[Tracker]:
    environment = {"ETRACKER_EQUILIBRIUM_TAU_BOUNDS": f"{TAU_SECONDS} 7200"}
    with running_stack(environment) as stack:
        tracker = Tracker(stack)
        try:
            yield tracker
        finally:
            tracker.close()


@pytest.fixture(scope="module")
def seeders(tracker: Tracker) -> list[Peer]:
    """Return long-term seeders of both torrents, and a few keys of tier 2 that leech them and stay."""
    seeders, companions = tracker.peers(4, SEEDERS), tracker.peers(2, COMPANIONS)
    for torrent in LENGTHS:
        for peer in seeders:
            tracker.announce(peer, torrent, left=0)
        for peer in companions:
            tracker.announce(peer, torrent)
    return seeders


def endpoints(peers: Sequence[Peer]) -> set[bytes]:
    return {peer.endpoint for peer in peers}


def test_a_long_term_seeder_sees_every_seeder_at_once(tracker: Tracker, seeders: list[Peer]) -> None:
    (leecher,) = tracker.peers(4)
    assert tracker.told(leecher, SLOW) >= endpoints(seeders)


@pytest.mark.promise(14)
def test_a_free_rider_sees_few_seeders_however_often_it_announces(tracker: Tracker, seeders: list[Peer]) -> None:
    (leecher,) = tracker.peers(0)
    first = tracker.told(leecher, SLOW) & endpoints(seeders)
    assert 1 <= len(first) <= SEEDERS / 3
    for _ in range(10):
        assert tracker.told(leecher, SLOW) & endpoints(seeders) == first


@pytest.mark.promise(34)
def test_a_free_rider_sees_everything_after_four_tau_if_it_makes_progress(
    tracker: Tracker, seeders: list[Peer]
) -> None:
    active, idle = tracker.peers(0, 2)
    joined = time.monotonic()
    for leecher in (active, idle):
        assert len(tracker.told(leecher, QUICK)) < SEEDERS
    while time.monotonic() < joined + 4 * TAU_SECONDS + 1:  # times are stored in whole seconds
        time.sleep(0.1)
    assert tracker.told(active, QUICK, left=900) >= endpoints(seeders)
    assert len(tracker.told(idle, QUICK)) < SEEDERS


@pytest.mark.promise(18)
@pytest.mark.parametrize("tier", [0, 1, 3])
def test_a_seeder_gets_a_leecher_if_and_only_if_the_leecher_may_get_the_seeder(
    tier: int, tracker: Tracker, seeders: list[Peer]
) -> None:
    (leecher,) = tracker.peers(tier)
    told = tracker.told(leecher, SLOW)
    assert len(told) > 2, "only shorter lists are filled up"
    tells = {seeder.endpoint for seeder in seeders if leecher.endpoint in tracker.told(seeder, SLOW, left=0)}
    assert tells == told & endpoints(seeders)


@pytest.mark.promise(18)
def test_either_both_of_two_leechers_get_the_other_or_neither_does(tracker: Tracker, seeders: list[Peer]) -> None:
    leechers = [*tracker.peers(0, 4), *tracker.peers(4, 4)]
    for leecher in leechers:
        tracker.announce(leecher, SLOW)
    lists = {leecher.endpoint: tracker.told(leecher, SLOW) & endpoints(leechers) for leecher in leechers}
    for one, others in lists.items():
        assert {other for other, told in lists.items() if one in told} == others
    assert any(len(others) < len(leechers) - 1 for others in lists.values()), "some of them are kept apart"
    assert seeders


@pytest.mark.promise(14)
def test_the_interval_is_tau_for_a_restricted_leecher_and_the_usual_one_for_others(
    tracker: Tracker, seeders: list[Peer]
) -> None:
    (free_rider,), (trusted,) = tracker.peers(0), tracker.peers(4)
    restricted, usual = tracker.announce(free_rider, QUICK), tracker.announce(trusted, QUICK)
    assert 270 <= restricted[b"interval"] <= 330, "tau, but at least the shortest interval"
    assert restricted[b"min interval"] == restricted[b"interval"]
    assert 1620 <= usual[b"interval"] <= 1980
    assert tracker.announce(seeders[0], QUICK, left=0)[b"interval"] >= 1620


def test_new_keys_that_announce_at_once_from_one_address_see_together_what_one_sees(tracker: Tracker) -> None:
    """Except for the first, which has the newcomer's grace."""
    newcomers = tracker.peers(None, 16)
    address = newcomers[0].address
    with ThreadPoolExecutor(len(newcomers)) as pool:
        guests = [Peer(number, 0, "") for number in range(3000, 3000 + SEEDERS_OF_MANY)]
        list(pool.map(lambda peer: tracker.announce(peer, MANY, left=0), guests))
        lists = list(pool.map(lambda peer: tracker.told(peer, MANY, address=address), newcomers))
    assert all(len(told) == NUMWANT for told in lists)
    assert len(set.union(*lists)) <= 2 * NUMWANT + len(newcomers), "each joins between two of the others' lists"


@pytest.mark.promise(13)
def test_a_changed_tier_is_reported_once_as_a_warning_message(tracker: Tracker) -> None:
    """Two snatches end a newcomer's grace."""
    (newcomer,) = tracker.peers(None)
    first, second = FETCHED
    for torrent in FETCHED:
        assert b"warning message" not in tracker.announce(newcomer, torrent, left=FETCHED_LENGTH, event="started")
    wait_until(lambda: tracker.stored(newcomer, "tier") == 2, "the worker welcomes the newcomer", 10.0)
    for torrent in FETCHED:
        tracker.announce(newcomer, torrent, left=0, downloaded=FETCHED_LENGTH, event="completed")
    wait_until(lambda: tracker.stored(newcomer, HEARD_OF), "the notice is stored, and heard of", 10.0)

    warning = tracker.announce(newcomer, first, left=0, downloaded=FETCHED_LENGTH)[b"warning message"]
    assert warning.startswith(b"You fell to tier 1 of 4 (little history): your newcomer's grace ended with a snatch.")
    asked = tracker.lookups("scoring")
    wait_until(lambda: tracker.stored(newcomer, "notice_told_time"), "the worker knows that it was told", 10.0)

    def is_told() -> bool:
        tracker.scrape(newcomer)
        return tracker.lookups("scoring") > asked

    wait_until(is_told, "announce knows it, too", 10.0)
    for torrent in (first, second, first):
        assert b"warning message" not in tracker.announce(newcomer, torrent, left=0, downloaded=FETCHED_LENGTH)
