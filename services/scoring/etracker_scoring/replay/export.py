"""Write the facts that the tracker has kept as a log that a replay reads.

Keys and addresses are in it as their hashes only. Three fields are written besides those of other logs, where they
aren't as usual: ``interval``, ``suppressed`` (announces answered without a fact) and ``foreign_user_agent``.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any, BinaryIO

import asyncpg

from etracker_scoring.errors import postgres_errors
from etracker_scoring.replay.announces import INTERVAL_SECONDS
from etracker_scoring.replay.errors import DatabaseError, NoFactsError
from etracker_scoring.replay.files import open_target
from etracker_scoring.replay.progress import show_progress
from etracker_scoring.replay.settings import ExportSettings
from etracker_scoring.worker.admission import is_guest
from etracker_shared.agreements.facts import NO_ADDRESS, UNKNOWN, Event, Fact, FactFlag, NewerFactError, unpack_facts
from etracker_shared.language.outages import PostgresUnavailableError

SPAN = "SELECT min(at) AS first, max(at) AS last, count(*) AS number FROM facts"
# An hour at a time: the index finds it, and it can be sorted in memory.
FACTS = "SELECT fact FROM facts WHERE at >= $1 AND at < $2 ORDER BY at, fact"
REGISTERED = "SELECT key_hash FROM peers WHERE key_hash = ANY($1)"
TORRENTS = """
SELECT listed.info_hash, coalesce(kept.length, listed.length) AS size,
    coalesce(kept.piece_length, listed.piece_length) AS piece_length,
    coalesce(kept.private, listed.private, false) AS private, kept.info_hash AS same_as
FROM infohashes listed LEFT JOIN infohashes kept ON kept.id = listed.same_as ORDER BY listed.id
"""

_STEP = timedelta(hours=1)
_ROWS = 5000
_PROVISIONAL, _FOREIGN = int(FactFlag.PROVISIONAL), int(FactFlag.FOREIGN_USER_AGENT)


def export(settings: ExportSettings, announces: str, torrents: str) -> list[str]:
    """Write the facts and torrents of a database; return what there is to say about it.

    Raises:
        ReplayError: a file can't be written, Postgres isn't available, or has no facts.
    """
    return asyncio.run(_export(settings, announces, torrents))


async def _export(settings: ExportSettings, announces: str, torrents: str) -> list[str]:
    try:
        with postgres_errors():
            connection = await asyncpg.connect(**settings.asyncpg_arguments())
            try:
                async with connection.transaction(isolation="repeatable_read", readonly=True):
                    return await _write_files(connection, announces, torrents)
            finally:
                await connection.close()
    except PostgresUnavailableError as error:
        raise DatabaseError(f"Postgres isn't available ({error})") from error


async def _write_files(connection: asyncpg.Connection, announces: str, torrents: str) -> list[str]:
    ((first, last, number),) = await connection.fetch(SPAN)
    if not number:
        raise NoFactsError(
            "this tracker has kept no facts. Set ETRACKER_FACT_RETENTION_DAYS to the days that you want to replay, "
            "restart the worker, and export once they have passed"
        )
    with open_target(torrents) as target:
        async for row in connection.cursor(TORRENTS, prefetch=_ROWS):
            target.write(_torrent_line(row))
    written = newer = 0
    with open_target(announces) as target, show_progress(number) as advance:
        async for rows in _chunks(connection, first, last):
            facts, unread = _unpack(row["fact"] for row in rows)
            newer += unread
            written += await _write_facts(connection, facts, target)
            advance(written + newer, written)
    said = [f"{written:,} announces written."]
    if newer:
        said.append(f"{newer:,} facts are of a newer version than this program and were left out.")
    return said


async def _chunks(connection: asyncpg.Connection, first: Any, last: Any) -> AsyncIterator[Sequence[asyncpg.Record]]:
    start = first
    while start is not None and start <= last:
        cursor = await connection.cursor(FACTS, start, start + _STEP)
        while rows := await cursor.fetch(_ROWS):
            yield rows
        start += _STEP


def _unpack(packed: Iterable[bytes]) -> tuple[list[Fact], int]:
    facts: list[Fact] = []
    newer = 0
    for fact in packed:
        try:
            facts.extend(unpack_facts(fact))
        except NewerFactError:
            newer += 1
    return facts, newer


async def _write_facts(connection: asyncpg.Connection, facts: Sequence[Fact], target: BinaryIO) -> int:
    """Write facts, except those that the worker drops: of keys that nobody knew and that aren't registered."""
    doubtful = {fact.key_hash for fact in facts if int(fact.flags) & _PROVISIONAL}
    known = {row["key_hash"] for row in await connection.fetch(REGISTERED, list(doubtful))} if doubtful else set()
    lines = [_announce_line(fact) for fact in facts if fact.key_hash not in doubtful or fact.key_hash in known]
    target.write(b"".join(lines))
    return len(lines)


def _announce_line(fact: Fact) -> bytes:
    return json.dumps(dict(_fields(fact))).encode() + b"\n"


def _fields(fact: Fact) -> Iterator[tuple[str, object]]:
    yield "time", fact.at_ms / 1000
    if not is_guest(fact):
        yield "key", fact.key_hash.hex()
    if fact.address_hash != NO_ADDRESS:
        yield "ip", fact.address_hash.hex()
    yield "port", fact.port
    yield "info_hash", fact.info_hash.hex()
    yield "peer_id", fact.peer_id.hex()
    for name in ("uploaded", "downloaded", "left", "corrupt", "redundant"):
        if (counter := getattr(fact, name)) != UNKNOWN:
            yield name, counter
    if fact.event != Event.REGULAR:
        yield "event", fact.event.name.lower()
    if fact.interval_seconds != INTERVAL_SECONDS:
        yield "interval", fact.interval_seconds
    if fact.suppressed:
        yield "suppressed", fact.suppressed
    if int(fact.flags) & _FOREIGN:
        yield "foreign_user_agent", True


def _torrent_line(row: asyncpg.Record) -> bytes:
    fields = {**row, "info_hash": row["info_hash"].hex()}
    same_as = fields.pop("same_as")
    if same_as:
        fields["same_as"] = same_as.hex()
    return json.dumps(fields).encode() + b"\n"
