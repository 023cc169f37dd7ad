"""What the tracker has kept can be exported and replayed, and a replay comes to the worker's verdicts."""

import asyncio
import gzip
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from redis.asyncio import Redis

from etracker_scoring.detection.parameters import DetectionParameters
from etracker_scoring.replay.errors import DatabaseError, NoFactsError
from etracker_scoring.replay.export import export
from etracker_scoring.replay.program import replay
from etracker_scoring.replay.settings import ExportSettings
from etracker_shared.agreements.facts import Event, Fact, FactFlag, pack_fact
from etracker_shared.plumbing.settings import PostgresSettings
from tests.support.facts import START_MS, info_hash_of, make_fact
from tests.support.scoring import StartWorker, add_facts
from tests.support.waiting import eventually

MIB = 2**20
SIZE = 400 * MIB
STEP = 1800
STEPS = 24
BEGAN = time.time() - 13 * 3600 - START_MS / 1000
STATES = {"suspected": 1, "confirmed": 2, "cleared": 3}


def announces() -> list[Fact]:
    """Announces of two offenders, a guest that fakes and an honest client, in the order of time."""
    clients = (falling("faker"), falling("ghost", guest=b"-GH1000-ghostghost12"), wasting("waster"), seeding("honest"))
    return [fact for facts in zip(*clients, strict=True) for fact in facts]


def falling(name: str, **who: Any) -> Iterator[Fact]:
    later = 0.5 if who else 0
    who = who or {"key": name}
    for step in range(STEPS):
        uploaded = (300 if step % 2 else 40) * MIB + step * 1027
        yield make_fact(**who, at=BEGAN + step * STEP + later, uploaded=uploaded, address=name, port=6881)


def wasting(name: str) -> Iterator[Fact]:
    for step in range(STEPS):
        event = Event.STARTED if step == 0 else Event.REGULAR
        counters = {"downloaded": step * SIZE, "left": SIZE}
        yield make_fact(
            key=name, at=BEGAN + step * STEP + 1, event=event, address=name, suppressed=step % 2, **counters
        )


def seeding(name: str) -> Iterator[Fact]:
    for step in range(STEPS):
        yield make_fact(key=name, at=BEGAN + step * STEP + 2, uploaded=step * 7 * MIB + 3, address=name)


async def add_members(database: asyncpg.Connection) -> None:
    await database.executemany("INSERT INTO peers (announce_key) VALUES ($1)", [("faker",), ("waster",), ("honest",)])
    await database.execute(
        "INSERT INTO infohashes (info_hash, length, piece_length, private) VALUES ($1, $2, 262144, true)",
        info_hash_of("film"),
        SIZE,
    )


async def keep_facts(database: asyncpg.Connection, facts: Sequence[Fact]) -> None:
    rows = [(fact.at_ms / 1000, pack_fact(fact)) for fact in facts]
    await database.executemany("INSERT INTO facts (at, fact) VALUES (to_timestamp($1), $2)", rows)


async def run_export(postgres: PostgresSettings, directory: Path, name: str = "announces.jsonl") -> list[str]:
    settings = ExportSettings(**postgres.model_dump())
    return await asyncio.to_thread(export, settings, str(directory / name), str(directory / "torrents.jsonl"))


def is_empty(directory: Path) -> bool:
    return not any(directory.iterdir())


async def run_replay(directory: Path) -> list[dict[str, Any]]:
    announces_, torrents, out = (str(directory / name) for name in ("announces.jsonl", "torrents.jsonl", "out.jsonl"))
    await asyncio.to_thread(replay, announces_, torrents, out, DetectionParameters())
    return [json.loads(line) for line in (directory / "out.jsonl").read_text().splitlines()]


async def test_an_export_has_all_that_facts_hold_and_only_hashes_of_keys_and_addresses(
    database: asyncpg.Connection, postgres_settings: PostgresSettings, tmp_path: Path
) -> None:
    await add_members(database)
    facts = announces()
    await keep_facts(database, facts[::-1])
    assert await run_export(postgres_settings, tmp_path, "announces.jsonl.gz") == [f"{len(facts)} announces written."]
    text = gzip.decompress((tmp_path / "announces.jsonl.gz").read_bytes()).decode()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["time"] for line in lines] == [fact.at_ms / 1000 for fact in facts]
    assert lines[6] == {
        "time": facts[6].at_ms / 1000,
        "key": facts[6].key_hash.hex(),
        "ip": facts[6].address_hash.hex(),
        "port": 0,
        "info_hash": info_hash_of("film").hex(),
        "peer_id": facts[6].peer_id.hex(),
        "uploaded": 0,
        "downloaded": SIZE,
        "left": SIZE,
        "corrupt": 0,
        "redundant": 0,
        "suppressed": 1,
    }
    assert "key" not in lines[1]
    torrent = json.loads((tmp_path / "torrents.jsonl").read_text())
    known = {"size": SIZE, "piece_length": 262144, "private": True}
    assert torrent == {"info_hash": info_hash_of("film").hex()} | known


async def test_an_export_leaves_out_what_the_worker_drops(
    database: asyncpg.Connection, postgres_settings: PostgresSettings, tmp_path: Path
) -> None:
    await add_members(database)
    unknown = make_fact(key="unknown", flags=FactFlag.PROVISIONAL)
    await keep_facts(database, [unknown, make_fact(key="honest", flags=FactFlag.PROVISIONAL)])
    await run_export(postgres_settings, tmp_path)
    assert unknown.key_hash.hex() not in (tmp_path / "announces.jsonl").read_text()
    assert len((tmp_path / "announces.jsonl").read_text().splitlines()) == 1


async def test_without_facts_an_export_says_what_to_set_and_leaves_no_file(
    database: asyncpg.Connection,
    postgres_settings: PostgresSettings,
    redis_client: Redis,
    start_worker: StartWorker,
    tmp_path: Path,
) -> None:
    await add_members(database)
    worker = await start_worker(fact_retention_days=0)
    await add_facts(redis_client, make_fact(key="honest"))
    await worker.settled(1)
    with pytest.raises(NoFactsError, match="Set ETRACKER_FACT_RETENTION_DAYS"):
        await run_export(postgres_settings, tmp_path)
    assert is_empty(tmp_path)


def test_without_postgres_an_export_says_so_and_leaves_no_file(tmp_path: Path) -> None:
    nowhere = PostgresSettings(pghost=str(tmp_path), pgpassword="secret")
    with pytest.raises(DatabaseError, match="Postgres isn't available") as raised:
        asyncio.run(run_export(nowhere, tmp_path))
    assert "secret" not in str(raised.value)
    assert is_empty(tmp_path)


async def test_a_replay_of_the_exported_facts_comes_to_the_workers_verdicts(
    database: asyncpg.Connection,
    postgres_settings: PostgresSettings,
    redis_client: Redis,
    start_worker: StartWorker,
    tmp_path: Path,
) -> None:
    await add_members(database)
    worker = await start_worker(fact_retention_days=2)
    facts = announces()
    for first in range(0, len(facts), 4):
        await add_facts(redis_client, *facts[first : first + 4])
    await worker.settled(len(facts))
    assert (await run_export(postgres_settings, tmp_path))[0] == f"{len(facts)} announces written."
    replayed = {verdict["key"]: verdict for verdict in await run_replay(tmp_path)}

    async def found() -> list[asyncpg.Record]:
        return await database.fetch(
            "SELECT encode(peers.key_hash, 'hex') AS key, state, date_part('epoch', since) AS since FROM anomalies"
            " LEFT JOIN peers ON peers.id = key_id WHERE state > 0"
        )

    async def all_found() -> bool:
        return len(await found()) == len(replayed)

    await eventually(all_found, "the worker has found as many as the replay")
    live = {row["key"]: (row["state"], row["since"]) for row in await found()}
    assert live == {key: (STATES[verdict["state"]], verdict["time"]) for key, verdict in replayed.items()}
    assert len(live) == 3
