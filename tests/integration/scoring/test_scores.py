"""Recorded announces through the worker: scores as computed by hand, tiers as told to announce."""

import csv
import random
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from etracker_scoring.scores.formula import DAY, GIB, ScoreParameters, decay, score_of
from etracker_scoring.scores.keys import Key
from etracker_scoring.stored.keys import KEY_COLUMNS, parse_key
from etracker_shared.agreements.facts import Event, Fact
from etracker_shared.language.identity import hash_announce_key
from tests.support.facts import START_MS, info_hash_of, make_fact
from tests.support.scoring import StartWorker, add_facts

PARAMETERS = ScoreParameters()
EPOCH = float(int(time.time() - 12 * DAY))
"""When the recording began: sessions of 2023 would be folded in the meantime."""

TEN_DAYS_LATER = EPOCH + 10 * DAY

LENGTHS = {"a": GIB, "b": 4 * GIB, "c": 16 * GIB, "d": None, "e": 100 * GIB, "f": GIB / 64}
"""a weighs 3, b 6, c 12, d (unknown) 3, e 24 (the most), f 0.75 (the least). All keys have one address prefix, so that
none of them shows that another one's torrent is wanted, and nobody earns the bonus for rarity."""

# By hand, ten days after the recording began, with d(h, t) = 2^(-t/h): C7, C28, ten, n, g, score
# = 100 (.5 C7/(C7+5) + .3 C28/(C28+5) + .2 min(1, ten/30)) (.25 + .75 min(1, (g+1)/(n+1))). A day of weight w adds
# w ln2/7 to C7, w ln2/28 to C28 and 1 to ten; each as old as the announce that witnessed it.
TABLE = {
    # one announce witnesses nothing
    "lurker": (0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    # w = 6, days 1 and 2: C7 = 6 ln2/7 (d(7,9) + d(7,8))
    "alone": (0.512748, 0.240712, 1.812973, 0.0, 0.0, 7.237153),
    # w = 3, days 1 to 3: C7 = 3 ln2/7 (d(7,9) + d(7,8) + d(7,7))
    "crowd": (0.404906, 0.182806, 2.735289, 0.0, 0.0, 6.627398),
    # w = 3; interval 1800 s: silent for 5000 s, so 900 s count; then 1800 s
    "silent": (0.003473, 0.001815, 0.027864, 0.0, 0.0, 0.064171),
    # w = 3; a day, half a day that ends with stopped, and a day of another client from day 3 to 4
    "restarted": (0.349853, 0.153535, 2.287519, 0.0, 0.0, 5.688520),
    # w = 12 for a day; then three snatches on day 2 and nothing: n = 3 d(60,8), B = 1/(n+1)
    "hit and run": (0.487383, 0.237733, 0.901250, 2.735167, 0.0, 2.886628),
    # n = d(60,9); w = 3: half a day to day 1.5, a day to 2.5, half of which pays: g = (d(60,8.5) + d(60,7.5))/2
    "payer": (0.205372, 0.091768, 1.370240, 0.901250, 0.911738, 3.426871),
    # w = 3 and 6 the same day: the weights add up, the day counts once
    "two at once": (0.365537, 0.178300, 0.901250, 0.0, 0.0, 5.040137),
    # w = 6; two clients in turn from 0 to 2 and 0.5 to 2.5: the union, a day and three halves at 1, 1.5, 2, 2.5
    "two clients": (0.647607, 0.301644, 2.268849, 0.0, 0.0, 8.952919),
    # claims 10^15 bytes, worth nothing; w = 24 on day 1, 0.75 on day 3
    "giant": (1.011898, 0.491078, 1.823567, 0.0, 0.0, 12.314467),
}


def recorded() -> list[tuple[str, Fact]]:
    """Return the recording, each fact with its key's name."""
    with (Path(__file__).parent / "recorded_announces.csv").open(newline="") as lines:
        return [(line["key"], _fact(line)) for line in csv.DictReader(lines)]


def _fact(line: dict[str, str]) -> Fact:
    return make_fact(
        key=_announce_key(line["key"]),
        torrent=line["torrent"],
        peer_id=line["client"].encode().ljust(20, b"-"),
        at=EPOCH + int(line["at_seconds"]) - START_MS / 1000,
        uploaded=int(line["uploaded"]),
        downloaded=int(line["downloaded"]),
        left=int(line["left"]),
        event=Event[line["event"].upper()],
        interval_seconds=int(line["interval_seconds"]),
        seeding_prefixes=int(line["seeding_prefixes"]),
    )


def _announce_key(name: str) -> str:
    return name.replace(" ", "-")


def as_recorded(facts: list[tuple[str, Fact]]) -> Iterator[list[Fact]]:
    yield [fact for _, fact in facts]


def key_after_key(facts: list[tuple[str, Fact]]) -> Iterator[list[Fact]]:
    for name in reversed(TABLE):
        yield [fact for key, fact in facts if key == name]


def interleaved_at_random(facts: list[tuple[str, Fact]]) -> Iterator[list[Fact]]:
    """Small batches; only the order of each key's own facts is kept, as its shard keeps it."""
    rng = random.Random(3)
    waiting = {name: [fact for key, fact in facts if key == name] for name in TABLE}
    while waiting:
        names = rng.choices(list(waiting), k=5)
        yield [waiting[name].pop(0) for name in names if waiting[name]]
        waiting = {name: left for name, left in waiting.items() if left}


Order = Callable[[list[tuple[str, Fact]]], Iterator[list[Fact]]]


@pytest.mark.parametrize("order", [as_recorded, key_after_key, interleaved_at_random])
async def test_ten_keys_replayed_in_any_order_of_keys_score_what_the_table_says(
    order: Order, database: asyncpg.Connection, redis_client: Redis, start_worker: StartWorker
) -> None:
    await register(database, [_announce_key(name) for name in TABLE])
    worker = await start_worker()
    settled = 0
    for batch in order(recorded()):
        await add_facts(redis_client, *batch)
        settled += len(batch)
        await worker.settled(settled)
    assert settled == len(recorded())
    keys = await stored_keys(database)
    for name, expected in TABLE.items():
        history = keys[hash_announce_key(_announce_key(name))].history
        later = decay(history, TEN_DAYS_LATER, PARAMETERS)
        total = score_of(history, TEN_DAYS_LATER, PARAMETERS).total
        found = (later.recent, later.average, later.length_days, later.owed, later.paid, total)
        assert found == pytest.approx(expected, abs=6e-7), name


async def register(database: asyncpg.Connection, keys: Sequence[str]) -> None:
    await database.executemany("INSERT INTO peers (announce_key) VALUES ($1)", [(key,) for key in keys])
    torrents = [(info_hash_of(name), length and int(length)) for name, length in LENGTHS.items()]
    await database.executemany("INSERT INTO infohashes (info_hash, length) VALUES ($1, $2)", torrents)


async def stored_keys(database: asyncpg.Connection) -> dict[bytes, Key]:
    rows = await database.fetch(f"SELECT {KEY_COLUMNS} FROM peers")
    return {row["key_hash"]: parse_key(row) for row in rows}


async def test_what_a_clients_first_announce_claims_changes_no_score(
    database: asyncpg.Connection, redis_client: Redis, start_worker: StartWorker
) -> None:
    await register(database, ["honest", "liar"])
    worker = await start_worker()
    for key, claim in (("honest", 0), ("liar", 10**15)):
        claims = {"key": key, "uploaded": claim, "downloaded": claim}
        moments = (EPOCH - START_MS / 1000 + at for at in (0, 1800, 3600))
        await add_facts(redis_client, *(make_fact(torrent="a", at=at, **claims) for at in moments))
    await worker.settled(6)
    rows = await database.fetch(
        "SELECT score, score_recent, score_average, score_length_days, score_owed, score_paid, tier FROM peers"
    )
    honest, liar = (tuple(row)[:6] for row in rows)
    assert honest == liar
    assert honest[0] > 0
    assert await database.fetchval("SELECT uploaded FROM peers WHERE key_hash = hash_announce_key('liar')") == 0
