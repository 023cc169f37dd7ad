"""Measure what detecting anomalies costs the scoring worker and Postgres: ``python -m scripts.detection_cost``.

The same announces are settled with detection off and with it on, in turn, each time in a new database.
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from redis.asyncio import Redis

from bench.cpu import cpu_seconds
from etracker_scoring.worker.settle import Settler
from etracker_shared.agreements.facts import SHARDS, Event, Fact
from tests.support.facts import START_MS, info_hash_of, make_fact
from tests.support.postgres import PostgresServer, cloned_database, connect, running_postgres
from tests.support.redis import RedisServer
from tests.support.scoring import add_facts, worker_settings
from tests.support.settlers import make_settler

KEYS = 1000
TORRENTS_OF_KEY = 4
TORRENTS = 250
STEP = 1800
SIZE = 4 * 2**30
AT_ONCE = 1000
KINDS = ("quiet", "quiet", "quiet", "quiet", "quiet", "seeds", "seeds", "seeds", "leeches", "leeches")
MODES = ("off", "observe")


@dataclass
class Client:
    """One session. ``kind``: how it behaves."""

    key: str
    torrent: str
    kind: str
    uploaded: int = 0
    downloaded: int = 0

    def announce(self, number: int, at: float, rng: random.Random) -> Fact:
        """Announce, with what was transferred since the last time."""
        if self.kind != "quiet" and number:
            self.uploaded += rng.randrange(2**28)
        if self.kind == "leeches" and number:
            self.downloaded = min(SIZE, self.downloaded + rng.randrange(SIZE // 20))
        return make_fact(
            key=self.key,
            torrent=self.torrent,
            at=at,
            peer_id=f"-qB5100-{self.key:0>12}".encode(),
            uploaded=self.uploaded,
            downloaded=self.downloaded,
            left=SIZE - self.downloaded if self.kind == "leeches" else 0,
            event=Event.REGULAR if number else Event.STARTED,
            address=self.key,
        )


def rounds(number: int) -> Iterator[list[Fact]]:
    """Return the announces of every session in each interval."""
    rng = random.Random(1)  # noqa: S311 - the same announces for every mode
    clients = [
        Client(f"key{key}", f"film{(key * 7 + place * 61) % TORRENTS}", KINDS[(key + place) % len(KINDS)])
        for key in range(KEYS)
        for place in range(TORRENTS_OF_KEY)
    ]
    began = time.time() - number * STEP - START_MS / 1000
    for step in range(number):
        yield [
            client.announce(step, began + step * STEP + place * STEP / 2 / len(clients), rng)
            for place, client in enumerate(clients)
        ]


async def measure(server: PostgresServer, redis: RedisServer, mode: str, number: int) -> tuple[float, float]:
    """Return microseconds of CPU time per announce, in the worker and in Postgres."""
    with cloned_database(server) as settings:
        redis.flush()
        connection, client = await connect(settings), Redis.from_url(redis.settings().redis_url)
        await connection.executemany(
            "INSERT INTO peers (announce_key) VALUES ($1)", [(f"key{n}",) for n in range(KEYS)]
        )
        films = [(info_hash_of(f"film{n}"), SIZE) for n in range(TORRENTS)]
        await connection.executemany("INSERT INTO infohashes (info_hash, length, private) VALUES ($1, $2, true)", films)
        settler = make_settler(
            connection, client, worker_settings(settings, redis.settings(), detection=mode), set(range(SHARDS)),
            max_facts=AT_ONCE,
        )  # fmt: skip
        facts, spent = 0, [0.0, 0.0]
        for step, announces in enumerate(rounds(number)):
            for first in range(0, len(announces), AT_ONCE):
                await add_facts(client, *announces[first : first + AT_ONCE])
            before = (time.process_time(), cpu_seconds({"postgres": server.pid})["postgres"])
            await settle_waiting(settler)
            after = (time.process_time(), cpu_seconds({"postgres": server.pid})["postgres"])
            if step:  # in the first, all rows are new whatever the mode
                facts += len(announces)
                spent = [total + end - start for total, start, end in zip(spent, before, after, strict=True)]
        await client.aclose()
        await connection.close()
    return spent[0] / facts * 1e6, spent[1] / facts * 1e6


async def settle_waiting(settler: Settler) -> None:
    """Settle what is in the streams, without polling Redis, which would cost CPU time of its own."""
    await settler._beat()  # noqa: SLF001 - takes the shards, as its loop does first
    while await settler.step():
        pass


def main() -> None:
    """Measure and print medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=5, help="measurements of each mode")
    parser.add_argument("--intervals", type=int, default=9, help="announces of each session")
    options = parser.parse_args()
    samples: dict[str, list[tuple[float, float]]] = {mode: [] for mode in MODES}
    with running_postgres() as server, tempfile.TemporaryDirectory() as directory:
        redis = RedisServer(Path(directory))
        redis.start()
        try:
            for _ in range(options.turns):
                for mode in MODES:
                    samples[mode].append(asyncio.run(measure(server, redis, mode, options.intervals)))
                    print(mode, "worker {:.1f}, Postgres {:.1f} us".format(*samples[mode][-1]), flush=True)
        finally:
            redis.stop()
    medians = {
        mode: [statistics.median(column) for column in zip(*taken, strict=True)] for mode, taken in samples.items()
    }
    for mode, (worker, postgres) in medians.items():
        print(f"{mode}: worker {worker:.1f} + Postgres {postgres:.1f} = {worker + postgres:.1f} us per announce")
    least = {mode: min(map(sum, taken)) for mode, taken in samples.items()}
    print("least of the turns: " + ", ".join(f"{mode} {cost:.1f} us" for mode, cost in least.items()))
    print(f"observe / off, of these: {least['observe'] / least['off']:.2f}")
    ratios = [sum(on) / sum(off) for off, on in zip(samples["off"], samples["observe"], strict=True)]
    print(f"observe / off, median over the turns: {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
