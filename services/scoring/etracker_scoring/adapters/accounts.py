"""The statistics in Postgres, over one connection: the leader's own."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg

from etracker_scoring.adapters import sql
from etracker_scoring.adapters.fact_streams import parse_position
from etracker_scoring.adapters.key_rows import milliseconds, parse_key, parse_neighbour
from etracker_scoring.domain.ledger import Books, Ledger, Outcome, Scored, Sums
from etracker_scoring.domain.newcomers import Neighbour, Welcome
from etracker_scoring.domain.records import Key, Membership, MembershipKey, Session, SessionKey, Torrent
from etracker_scoring.domain.score import TorrentHistory
from etracker_scoring.metrics import WorkerMetrics
from etracker_scoring.ports import (
    START,
    AccountsConflictError,
    AccountsRefusedError,
    AccountsUnavailableError,
    Position,
    Snatches,
)
from etracker_shared.facts import Fact
from etracker_shared.identity import InfoHash, KeyHash
from etracker_shared.notifications import EVERYTHING, INFOHASHES_CHANNEL, KEYS_CHANNEL, format_payloads
from etracker_shared.postgres import UNAVAILABLE

_CONFLICTS = (
    asyncpg.ForeignKeyViolationError,
    asyncpg.UniqueViolationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
)
_REFUSALS = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)


@contextmanager
def postgres_answers() -> Iterator[None]:
    """Turn what asyncpg raises into the errors of the port."""
    try:
        yield
    except _CONFLICTS as error:
        raise AccountsConflictError(type(error).__name__) from error
    except _REFUSALS as error:
        raise AccountsRefusedError(type(error).__name__) from error
    except (asyncpg.PostgresError, *UNAVAILABLE) as error:
        raise AccountsUnavailableError(type(error).__name__) from error


class PostgresAccounts:
    """See :class:`~etracker_scoring.ports.Accounts`. Every method may raise AccountsUnavailableError."""

    def __init__(self, connection: asyncpg.Connection, metrics: WorkerMetrics) -> None:
        self._connection = connection
        self._metrics = metrics
        self._written: Counter[str] = Counter()

    async def positions(self) -> dict[int, Position]:
        """Return up to where every shard is accounted for."""
        rows = await self._fetch("SELECT shard, last_id FROM stream_positions")
        return {shard: parse_position(last_id) for shard, last_id in rows}

    async def rewind(self, before: Mapping[int, Position]) -> None:
        """Set shards back to the start of their stream, and let announce ask anew for what Redis had counted."""
        with postgres_answers():
            async with self._connection.transaction():
                await self._move({shard: (position, START) for shard, position in before.items()})
                await self._connection.execute(sql.NOTIFY, INFOHASHES_CHANNEL, [EVERYTHING])

    async def find_keys(self, key_hashes: Collection[KeyHash]) -> dict[KeyHash, Key]:
        """Return the keys that are registered."""
        rows = await self._fetch(sql.FIND_KEYS, list(key_hashes))
        return {key.key_hash: key for key in map(parse_key, rows)}

    async def find_neighbours(self, prefixes: Collection[bytes], seen_after: float) -> list[Neighbour]:
        """Return the keys that matter to new ones from some prefixes."""
        rows = await self._fetch(sql.FIND_NEIGHBOURS, sorted(prefixes), seen_after)
        return [parse_neighbour(row) for row in rows]

    async def find_torrents(self, info_hashes: Collection[InfoHash]) -> dict[InfoHash, Torrent]:
        """Return the torrents that keep the statistics of these infohashes."""
        rows = await self._fetch(sql.FIND_TORRENTS, list(info_hashes))
        return {info_hash: Torrent(torrent_id, length) for info_hash, torrent_id, length in rows}

    async def add_torrents(self, info_hashes: Collection[InfoHash]) -> None:
        """Track infohashes that nobody listed."""
        await self._fetch(sql.ADD_TORRENTS, sorted(info_hashes))

    async def load_memberships(self, keys: Collection[MembershipKey]) -> dict[MembershipKey, Membership]:
        """Return the memberships that exist."""
        if not keys:
            return {}
        rows = await self._fetch(sql.LOAD_MEMBERSHIPS, *_columns(keys))
        return {(row[0], row[1]): _membership(row) for row in rows}

    async def load_books(
        self,
        sessions: Collection[SessionKey],
        memberships: Mapping[MembershipKey, Membership],
        possible_snatches: Collection[MembershipKey],
        welcome: Welcome,
    ) -> Books:
        """Return the sessions that exist, and what was downloaded where a snatch is possible."""
        rows: list[asyncpg.Record] = []
        if of_keys := [key for key in sessions if key[0] is not None]:
            rows += await self._fetch(sql.LOAD_SESSIONS, *_columns(of_keys))
        if of_guests := [key[1:] for key in sessions if key[0] is None]:
            rows += await self._fetch(sql.LOAD_GUESTS_SESSIONS, *_columns(of_guests))
        downloaded: list[asyncpg.Record] = []
        if possible_snatches:
            downloaded = await self._fetch(sql.DOWNLOADED_HERE, *_columns(possible_snatches))
        return Books(
            sessions={(row[0], row[1], row[2]): _session(row) for row in rows},
            memberships=memberships,
            downloaded_here={(key_id, torrent_id): total for key_id, torrent_id, total in downloaded},
            welcome=welcome,
        )

    async def store(
        self,
        ledger: Ledger,
        moved: Mapping[int, tuple[Position, Position]],
        kept: Sequence[tuple[Fact, bytes]],
    ) -> list[Snatches]:
        """Store everything in one transaction, or nothing."""
        self._written.clear()
        with postgres_answers():
            async with self._connection.transaction():
                await self._move(moved)
                await self._add_sums(ledger)
                await self._add_totals(ledger)
                await self._put_changes_of_keys(ledger)
                await self._put_memberships(ledger.memberships)
                await self._put_sessions(ledger.sessions)
                await self._keep_facts(kept)
                snatches = await self._snatches(ledger.torrents)
        for table, rows in self._written.items():
            self._metrics.rows_written.labels(table).inc(rows)
        return snatches

    async def _move(self, moved: Mapping[int, tuple[Position, Position]]) -> None:
        rows = [(shard, str(before), str(after)) for shard, (before, after) in sorted(moved.items())]
        await self._write("stream_positions", sql.MOVE_POSITIONS, rows)

    async def _add_sums(self, ledger: Ledger) -> None:
        torrents = [(torrent_id, *_sums(sums)) for torrent_id, sums in sorted(ledger.torrents.items())]
        await self._write("infohashes", sql.ADD_TO_TORRENTS, torrents)
        keys = [(key_id, *_sums(sums), *_scored(ledger.scores[key_id])) for key_id, sums in sorted(ledger.keys.items())]
        await self._write("peers", sql.ADD_TO_KEYS, keys)

    async def _add_totals(self, ledger: Ledger) -> None:
        sums = ledger.torrents.values()
        added = (
            ledger.outcomes[Outcome.SETTLED],
            sum(one.snatches for one in sums),
            sum(one.uploaded for one in sums),
            sum(one.downloaded for one in sums),
        )
        await self._write("totals", sql.ADD_TO_TOTALS, [added] if any(added) else [])

    async def _put_changes_of_keys(self, ledger: Ledger) -> None:
        """Write what changes about few keys; their rows are locked already."""
        origins = [
            (key_id, at, prefix, ledger.welcome.origins[key_id].grace, ledger.welcome.origins[key_id].stained)
            for key_id, prefix, at in ledger.newcomers.values()
        ]
        await self._write("peers", sql.PUT_ORIGINS, origins)
        await self._write("peers", sql.TAKE_GRACE, [(key_id,) for key_id in sorted(ledger.welcome.overtaken)])
        told = [(key_id, at_ms / 1000) for key_id, at_ms in ledger.told.items()]
        await self._write("peers", sql.TELL_NOTICES, told)
        notices = [(key_id, text, at_ms / 1000) for key_id, (text, at_ms) in ledger.notices.items()]
        await self._write("peers", sql.PUT_NOTICES, notices)
        changes = [
            (key_id, ledger.keys[key_id].last_seen_ms / 1000, scored.held.tier, scored.score)
            for key_id, scored in ledger.new_tiers.items()
        ]
        await self._write("tier_changes", sql.ADD_TIER_CHANGES, changes)
        if ledger.changed:
            await self._connection.execute(sql.NOTIFY, KEYS_CHANNEL, format_payloads(ledger.changed))

    async def _put_memberships(self, memberships: Mapping[MembershipKey, Membership]) -> None:
        rows = [
            (
                *key,
                first_seen / 1000,
                leeching,
                snatched and snatched / 1000,
                seeding.debt_seconds,
                seeding.credited_until or None,
                credited_by,
            )
            for key, (first_seen, leeching, snatched, seeding, credited_by) in sorted(memberships.items())
        ]
        await self._write("memberships", sql.PUT_MEMBERSHIPS, rows)

    async def _put_sessions(self, sessions: Mapping[SessionKey, Session]) -> None:
        known, new = [], []
        for key, (row, first_seen, last_seen, *values) in sessions.items():
            if row is None:
                new.append((*key, first_seen / 1000, last_seen / 1000, *values))
            else:
                known.append((row, last_seen / 1000, *values))
        await self._write("announces", sql.UPDATE_SESSIONS, known)
        await self._write("announces", sql.INSERT_SESSIONS, new)

    async def _keep_facts(self, kept: Sequence[tuple[Fact, bytes]]) -> None:
        if kept:
            rows = [(datetime.fromtimestamp(fact.at_ms / 1000, UTC), packed) for fact, packed in kept]
            await self._connection.copy_records_to_table("facts", records=rows, columns=("at", "fact"))
            self._written["facts"] += len(rows)

    async def _snatches(self, torrents: Mapping[int, Sums]) -> list[Snatches]:
        snatched = [torrent_id for torrent_id, sums in torrents.items() if sums.snatches]
        rows = await self._connection.fetch(sql.SNATCHES, snatched) if snatched else []
        return [Snatches(info_hash, snatches) for info_hash, snatches in rows]

    async def _fetch(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        with postgres_answers():
            return await self._connection.fetch(statement, *arguments)

    async def _write(self, table: str, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Write rows as one set; every one of them must be there still, or not yet.

        Raises:
            AccountsConflictError: a row is gone.
        """
        if not rows:
            return
        status = await self._connection.execute(statement, *_columns(rows))
        if int(status.rpartition(" ")[2]) != len(rows):
            raise AccountsConflictError(table)
        self._written[table] += len(rows)


def _columns(rows: Collection[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return list(zip(*rows, strict=True))


def _session(row: asyncpg.Record) -> Session:
    _, _, _, row_id, first_seen, last_seen, *values = row
    return Session(row_id, milliseconds(first_seen), milliseconds(last_seen), *values)


def _membership(row: asyncpg.Record) -> Membership:
    _, _, first_seen, leeching, snatched, debt_seconds, credited_until, credited_by = row
    seeding = TorrentHistory(debt_seconds, credited_until or 0.0)
    return Membership(milliseconds(first_seen), leeching, milliseconds(snatched), seeding, credited_by)


def _sums(sums: Sums) -> tuple[int, int, int, int, float]:
    return sums.snatches, sums.uploaded, sums.downloaded, sums.seeding_seconds, sums.last_seen_ms / 1000


def _scored(scored: Scored) -> tuple[Any, ...]:
    (at, recent, average, length_days, owed, paid, _, seeded_until), (tier, falling_since), score = scored
    sums = (at or None, recent, average, length_days, owed, paid)
    return seeded_until or None, *sums, tier, falling_since or None, score
