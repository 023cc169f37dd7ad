"""A subject is added by writing a reader: the loop and the other readers stay as they are."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

import asyncpg
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from etracker_scoring.metrics import WorkerMetrics
from etracker_scoring.scores.formula import ScoreParameters
from etracker_scoring.worker.admission import Admitted
from etracker_scoring.worker.batch import Batch
from etracker_scoring.worker.plausibility import Limits
from etracker_scoring.worker.reader import Reader
from etracker_scoring.worker.readers import make_readers
from etracker_scoring.worker.records import Credit, MembershipKey, SessionKey
from etracker_scoring.worker.settle import Settler
from etracker_scoring.worker.store import Rows, Store
from etracker_scoring.worker.stream import FactStreams
from etracker_scoring.worker.swarms import RedisSwarms
from etracker_shared.agreements.facts import SHARDS
from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from tests.support.facts import info_hash_of, make_fact
from tests.support.postgres import connect
from tests.support.scoring import add_facts, worker_settings
from tests.support.settlers import FixedClaims, all_settled
from tests.support.waiting import eventually

OTHER_CLIENT = b"-XX0000-another-one."


class JumpsReader(Reader[Mapping[int, int], Mapping[int, int]]):
    """Counts the announces of each key that claim a gibibyte more than the one before, in a table of its own."""

    def __init__(self) -> None:
        self.refuse = 0
        self.saw_other_client = False

    def further_sessions(
        self,
        admitted: Sequence[Admitted],
        credits_: Mapping[MembershipKey, Credit],  # noqa: ARG002 - see Reader
    ) -> Iterable[SessionKey]:
        for item in admitted:
            yield (*item.session_key[:2], OTHER_CLIENT)

    async def load(self, batch: Batch, rows: Rows) -> Mapping[int, int]:
        keys = list({item.key.id for item in batch.facts if item.key})
        found = await rows.fetch("SELECT key_id, number FROM jumps WHERE key_id = ANY($1)", keys)
        return {row["key_id"]: row["number"] for row in found}

    def read(self, batch: Batch, known: Mapping[int, int]) -> Mapping[int, int]:
        jumps = dict(known)
        self.saw_other_client |= any(key[2] == OTHER_CLIENT for key in batch.stored.sessions)
        for item in batch.facts:
            if item.key and item.before and item.after.uploaded - item.before.uploaded >= 2**30:
                jumps[item.key.id] = jumps.get(item.key.id, 0) + 1
        return {key: number for key, number in jumps.items() if number != known.get(key)}

    async def store(self, changes: Mapping[int, int], rows: Rows) -> None:
        put = (
            "INSERT INTO jumps SELECT * FROM unnest($1::bigint[], $2::bigint[])"
            " ON CONFLICT (key_id) DO UPDATE SET number = excluded.number"
        )
        await rows.write("jumps", put, list(changes.items()))
        if self.refuse:
            self.refuse -= 1
            await rows.fetch("SELECT 1 / 0")  # Postgres refuses the batch, with all that every reader wrote


async def test_a_reader_has_its_own_rows_loaded_and_stored_with_the_positions(
    database: asyncpg.Connection,
    redis_client: Redis,
    postgres_settings: PostgresSettings,
    redis_settings: RedisSettings,
) -> None:
    await database.execute("CREATE TABLE jumps (key_id bigint PRIMARY KEY, number bigint NOT NULL)")
    await database.execute("INSERT INTO peers (announce_key) VALUES ('alice')")
    await database.execute("INSERT INTO infohashes (info_hash) VALUES ($1)", info_hash_of("film"))
    connection, metrics, reader = await connect(postgres_settings), WorkerMetrics(CollectorRegistry()), JumpsReader()
    settings = worker_settings(postgres_settings, redis_settings)
    readers = [*make_readers(settings, ScoreParameters, RedisSwarms(redis_client), metrics), reader]
    settler = Settler(
        FactStreams(redis_client),
        Store(connection, metrics),
        FixedClaims(connection, set(range(SHARDS))),
        readers,
        metrics,
        max_facts=100,
        poll_seconds=0.01,
        list_all=False,
        limits=Limits(),
    )
    running = asyncio.create_task(settler.run())
    await add_facts(redis_client, make_fact(), make_fact(at=1, peer_id=OTHER_CLIENT), make_fact(at=2, uploaded=2**31))
    await eventually(lambda: all_settled(redis_client), "the facts are settled")
    reader.refuse = 1
    await add_facts(redis_client, make_fact(at=3, uploaded=2**32), make_fact(at=4, uploaded=2**33))
    await eventually(lambda: all_settled(redis_client), "the refused batch is skipped")
    await add_facts(redis_client, make_fact(at=5, uploaded=2**33))
    await eventually(lambda: all_settled(redis_client), "the facts are settled")
    running.cancel()
    await asyncio.wait([running])
    await connection.close()
    assert reader.saw_other_client
    assert await database.fetchval("SELECT number FROM jumps") == 2, "one, and one over what was refused"
    assert await database.fetchval("SELECT uploaded FROM peers") == 2**33
