"""Announces of clients that cheat, and what the detector leaves about them in Postgres."""

import time
from collections.abc import Iterator

import asyncpg

from etracker_shared.agreements.facts import Event, Fact
from etracker_shared.language.identity import hash_announce_key
from tests.support.facts import START_MS, info_hash_of, make_fact

KEYS = ("honest", "faker", "joal", "waster")
STEP = 1800
SIZE = 400 * 2**20
STEPS = 20
MIB = 2**20
FORGET = (
    "TRUNCATE announces, memberships, signals, traffic_blocks, anomalies, anomaly_evidence, anomaly_addresses,"
    " anomaly_appeals"
)
BEGAN = time.time() - 11 * 3600 - START_MS / 1000


def announces() -> list[Fact]:
    """Announces of an honest seeder, two fakers, a waster and a guest that fakes, in the order of time."""
    by_client = zip(
        honest(), faker("faker"), faker("joal"), waster(), faker("ghost", guest=b"-GH1000-ghostghost12"), strict=True
    )
    return [fact for facts in by_client for fact in facts]


def honest() -> Iterator[Fact]:
    """A seeder that uploads more in some intervals than in others."""
    for step in range(STEPS):
        uploaded = step * 3 * MIB + step * step % 7 * 700_003
        yield make_fact(key="honest", at=BEGAN + step * STEP, uploaded=uploaded, address="honest")


def faker(name: str, guest: bytes | None = None) -> Iterator[Fact]:
    """A client that claims in each second announce to have uploaded less than before, without a restart."""
    who = {"guest": guest} if guest else {"key": name}
    for step in range(STEPS):
        uploaded = (200 if step % 2 else 30) * MIB + step * 1027 + 1  # not only multiples of 5
        yield make_fact(**who, at=BEGAN + step * STEP + 1, uploaded=uploaded, address=name)


def waster() -> Iterator[Fact]:
    """A leecher that downloads the size of the torrent in each interval, and has nothing in the end."""
    for step in range(STEPS):
        event = Event.STARTED if step == 0 else Event.REGULAR
        yield make_fact(
            key="waster", at=BEGAN + step * STEP + 2, downloaded=step * SIZE, left=SIZE, event=event, address="waster"
        )


async def add_members(database: asyncpg.Connection) -> None:
    """Register the keys and the torrent of :func:`announces`."""
    keys = [(key,) for key in KEYS]
    await database.executemany("INSERT INTO peers (announce_key) VALUES ($1)", keys)
    await database.execute(
        "INSERT INTO infohashes (info_hash, length, piece_length) VALUES ($1, $2, 262144)", info_hash_of("film"), SIZE
    )


async def findings(database: asyncpg.Connection) -> dict[str, list[tuple[object, ...]]]:
    """Return everything that the detector stored, without the ids of its rows."""
    queries = {
        "anomalies": "SELECT key_id, guest, state, verdict, score, points, score_time, since, evidence_time, peer_id,"
        " prefixes, wasted FROM anomalies ORDER BY key_id, guest",
        "evidence": "SELECT key_id, guest, info_hash_id, at, kind, anomaly_evidence.points, block_from, block_to,"
        " anomaly_evidence.peer_id, prefix, text, data FROM anomaly_evidence"
        " JOIN anomalies ON anomalies.id = anomaly_id ORDER BY key_id, guest, at, anomaly_evidence.id",
        "signals": "SELECT * FROM signals ORDER BY info_hash_id, identity",
        "traffic": "SELECT * FROM traffic_blocks ORDER BY slot, block, info_hash_id, identity",
    }
    return {name: [tuple(row) for row in await database.fetch(query)] for name, query in queries.items()}


async def states(database: asyncpg.Connection) -> dict[str, int]:
    """Return the states of keys that have any, by key."""
    rows = await database.fetch("SELECT key_hash, state FROM anomalies JOIN peers ON peers.id = key_id")
    found = {row["key_hash"]: row["state"] for row in rows}
    return {key: found[hash_announce_key(key)] for key in KEYS if hash_announce_key(key) in found}
