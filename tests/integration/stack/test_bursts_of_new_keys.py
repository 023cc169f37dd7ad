"""The whole tracker: new keys that announce from one address at nearly the same time."""

import asyncio
import secrets
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import fastbencode
import httpx
import pytest

from etracker_shared.language.identity import hash_announce_key
from tests.support.announce import query
from tests.support.postgres import connect
from tests.support.processes import wait_until
from tests.support.stack import StackRun, running_stack

TORRENT = b"one torrent, 400 kB."
SEEDERS, KEYS = 400, 16
PORT = 7000
NUMWANT = 50
HOLDER = "SELECT encode(key_hash, 'hex') FROM peers JOIN graces ON peers.id = graces.key_id WHERE prefix = $1"


class Tracker:
    """Announces to the announce services of a running stack in turn, from any address."""

    def __init__(self, stack: StackRun) -> None:
        self.stack = stack
        self._https = [
            httpx.Client(base_url=f"http://{address}", trust_env=False) for address in stack.announce_addresses
        ]
        self._turns = count()
        self._networks = count(1)

    def close(self) -> None:
        for http in self._https:
            http.close()

    def network(self) -> str:
        """Return the beginning of the addresses of a network from which nobody has announced."""
        return f"31.7.{next(self._networks)}."

    def list_of(self, key: str, address: str, **more: object) -> set[bytes]:
        """Announce with a key, or as a guest without one; return the endpoints listed."""
        http = self._https[next(self._turns) % len(self._https)]
        said = query(TORRENT, secrets.token_hex(10).encode(), port=PORT, **more)
        answer = http.get(
            f"/{key}/announce?{said}" if key else f"/announce?{said}", headers={"X-Forwarded-For": address}
        )
        told = fastbencode.bdecode(answer.content)
        assert b"failure reason" not in told
        return {told[b"peers"][at : at + 6] for at in range(0, len(told[b"peers"]), 6)}

    def new_keys(self, number: int) -> list[str]:
        """Register keys through SQL, as an operator does."""
        keys = [secrets.token_hex(15) for _ in range(number)]
        asyncio.run(_execute(self.stack, "INSERT INTO peers (announce_key) SELECT unnest($1::text[])", keys))
        return keys

    def read(self, statement: str, *arguments: object) -> object:
        return asyncio.run(_execute(self.stack, statement, *arguments))


async def _execute(stack: StackRun, statement: str, *arguments: object) -> object:
    connection = await connect(stack.postgres_settings())
    try:
        return await connection.fetchval(statement, *arguments)
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def tracker() -> Iterator[Tracker]:
    with running_stack({"ETRACKER_ANNOUNCE_REPLICAS": "2"}) as stack:
        tracker = Tracker(stack)
        tracker.read("INSERT INTO infohashes (info_hash, length) VALUES ($1, $2)", TORRENT, 10**14)
        try:
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(lambda at: tracker.list_of("", f"32.{at // 250}.{at % 250}.7", left=0), range(SEEDERS)))
            yield tracker
        finally:
            tracker.close()


def burst(tracker: Tracker, keys: Sequence[str], network: str, pause_seconds: float) -> list[set[bytes]]:
    """Announce with each key from one address, all at once or one after the other; return their lists."""

    def announce(key: str) -> set[bytes]:
        time.sleep(pause_seconds)
        return tracker.list_of(key, f"{network}9")

    with ThreadPoolExecutor(1 if pause_seconds else len(keys)) as pool:
        return list(pool.map(announce, keys))


def assert_is_judged_as_one(tracker: Tracker, keys: Sequence[str], lists: Sequence[set[bytes]], network: str) -> None:
    """One key at most sees a share of its own, and all others together hardly more than one of them does."""
    prefix = bytes([4, *map(int, network.strip(".").split(".")), 0, 0, 0])
    hashes = [hash_announce_key(key).hex() for key in keys]
    holder = hashes.index(str(tracker.read(HOLDER, prefix)))
    shared = [seen for number, seen in enumerate(lists) if number != holder]
    assert all(len(seen) == NUMWANT for seen in lists)
    assert len(set.union(*shared)) <= NUMWANT + len(keys), "each joined between two of these lists, and shifts a few"
    stored = "SELECT count(*) FROM peers WHERE encode(key_hash, 'hex') = ANY($1::text[]) AND origin_time IS NOT NULL"
    wait_until(lambda: tracker.read(stored, hashes) == len(keys), "all are settled", 20.0)
    graced = "SELECT array_agg(encode(key_hash, 'hex')) FROM peers WHERE grace AND origin_prefix = $1"
    assert tracker.read(graced, prefix) == [hashes[holder]]


@pytest.mark.full
@pytest.mark.parametrize("pause_seconds", [0, 0.012, 2.5])
def test_new_keys_of_one_address_see_together_what_one_sees(tracker: Tracker, pause_seconds: float) -> None:
    """The kind: several new keys of a prefix, before and after the first is settled, at whichever announce process."""
    keys, network = tracker.new_keys(KEYS), tracker.network()
    assert_is_judged_as_one(tracker, keys, burst(tracker, keys, network, pause_seconds), network)


@pytest.mark.full
@pytest.mark.timeout(180)
@pytest.mark.parametrize("program", ["scoring", "worker"])
def test_a_burst_is_judged_as_one_while_a_program_is_killed(tracker: Tracker, program: str) -> None:
    keys, network = tracker.new_keys(KEYS), tracker.network()
    name = next(one for one in tracker.stack.pids() if program in one.split("_")[-1] or one.startswith(program))
    half = KEYS // 2
    lists = burst(tracker, keys[:half], network, 0.01)
    killed = tracker.stack.kill(name)
    lists += burst(tracker, keys[half:], network, 0.01)
    tracker.stack.wait_for_new(name, killed)
    assert_is_judged_as_one(tracker, keys, lists, network)
