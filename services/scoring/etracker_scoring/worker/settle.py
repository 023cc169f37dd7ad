"""Settle facts, each exactly once.

Reads the facts after the stored positions, compares them with the stored states of their sessions and passes them to
the readers. One transaction stores the changes of all readers and the new positions: both, or neither. The streams are
trimmed up to the stored positions. Nothing here knows what is counted.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from structlog import get_logger

from etracker_scoring.errors import BatchConflictError, BatchRefusedError, StreamsUnavailableError, postgres_errors
from etracker_scoring.metrics import WorkerMetrics
from etracker_scoring.scores.formula import ScoreParameters
from etracker_scoring.worker import known
from etracker_scoring.worker.admission import Admitted, Outcome, admit, is_guest
from etracker_scoring.worker.batch import DEFAULTS, Batch, Stored, settle_facts
from etracker_scoring.worker.downloads import guests_that_may_finish, payers, possible_snatches
from etracker_scoring.worker.entries import Entry, Position
from etracker_scoring.worker.leadership import Claims
from etracker_scoring.worker.plausibility import Limits
from etracker_scoring.worker.reader import Reader
from etracker_scoring.worker.records import Torrent
from etracker_scoring.worker.store import Rows, Store
from etracker_scoring.worker.stream import FactStreams
from etracker_shared.agreements.facts import Event, Fact, shard_of
from etracker_shared.language.identity import InfoHash

INSPECT_SECONDS = 5.0
HEARTBEAT_SECONDS = 1.0
PAUSE_SECONDS = 0.5

log = get_logger("settle")


class Settler:
    """Settles the facts of the shards that its worker holds.

    ``list_all``: track infohashes that nobody listed. ``limits``: the most that a client can have transferred.
    ``parameters``: what is owed for downloads, and what counts as demand.
    """

    def __init__(
        self,
        streams: FactStreams,
        store: Store,
        claims: Claims,
        readers: Sequence[Reader[Any, Any]],
        metrics: WorkerMetrics,
        *,
        max_facts: int,
        poll_seconds: float,
        list_all: bool,
        limits: Limits,
        parameters: ScoreParameters = DEFAULTS,
    ) -> None:
        self._streams = streams
        self._store = store
        self._claims = claims
        self._readers = readers
        self._metrics = metrics
        self._max_facts = max_facts
        self._poll_seconds = poll_seconds
        self._list_all = list_all
        self._limits = limits
        self._parameters = parameters
        self._positions: dict[int, Position] = {}
        self._heartbeat_due = 0.0
        self._inspection_due = 0.0
        self._redis_is_down = False

    async def run(self) -> None:
        """Settle until cancelled.

        Raises:
            PostgresUnavailableError: Postgres isn't available; join again when it is.
        """
        while True:
            next_batch = time.monotonic() + self._poll_seconds
            await self._beat()
            try:
                settled = await self.step()
            except StreamsUnavailableError as error:
                if not self._redis_is_down:
                    log.warning("waiting_for_redis", error=str(error))
                self._redis_is_down, self._inspection_due = True, 0.0
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            self._redis_is_down = False
            # A transaction costs as much as hundreds of facts: wait for more, unless they are there already.
            if settled < self._max_facts // 2 and not self._streams.has_more:
                await asyncio.sleep(next_batch - time.monotonic())

    async def step(self) -> int:
        """Settle one batch; return how many facts it had."""
        if time.monotonic() >= self._inspection_due:
            await self._inspect()
        entries = await self._streams.read(self._positions, self._max_facts)
        await self._settle(entries)
        for reader in self._readers:
            await reader.publish()
        if entries:
            await self._streams.trim({entry.shard: self._positions[entry.shard] for entry in entries})
        await self._leave_newer()
        return sum(len(entry.facts or ()) for entry in entries)

    async def _beat(self) -> None:
        """Once a second, share the shards and send Postgres a query, since it ends idle sessions."""
        if time.monotonic() < self._heartbeat_due:
            return
        with postgres_errors():
            await self._claims.renew()
        await self._load_positions()
        self._heartbeat_due = time.monotonic() + HEARTBEAT_SECONDS

    async def _load_positions(self) -> None:
        stored, before = await self._store.positions(), self._positions
        self._positions = {shard: stored[shard] for shard in sorted(self._claims.shards)}
        self._metrics.shards_held.set(len(self._positions))
        if self._positions.keys() != before.keys():
            log.info("shards_held", shards=list(self._positions))
            self._inspection_due = 0.0

    async def _leave_newer(self) -> None:
        """Leave shards to a newer worker if their next entry is of a newer version."""
        newer = self._streams.newer
        if not newer:
            return
        for shard, error in newer.items():
            log.error("worker_too_old", shard=shard, after=str(self._positions[shard]), reason=str(error))
        with postgres_errors():
            await self._claims.refuse(newer)
        self._metrics.shards_refused.set(len(self._claims.refused))
        await self._load_positions()

    async def _inspect(self) -> None:
        """Measure the lag; go back to a stream's start if Redis came back with older data than what is stored.

        Otherwise new entries would get ids below the stored position and would never be read. Facts that were settled
        before change nothing when they are settled again.
        """
        states = await self._streams.inspect(list(self._positions))
        older = {shard: at for shard, at in self._positions.items() if states[shard].last < at}
        if older:
            log.warning("redis_came_back_older", shards=sorted(older))
            await self._store.rewind(older)
            await self._load_positions()
        waiting = {
            shard: state for shard, state in states.items() if state.oldest and state.last > self._positions[shard]
        }
        oldest = min((state.oldest.milliseconds / 1000 for state in waiting.values() if state.oldest), default=None)
        self._metrics.lag_entries.set(sum(state.entries for state in waiting.values()))
        self._metrics.lag_seconds.set(max(0.0, time.time() - oldest) if oldest is not None else 0)
        await self._streams.trim({shard: self._positions[shard] for shard in states if shard not in older})
        self._inspection_due = time.monotonic() + INSPECT_SECONDS

    async def _settle(self, entries: Sequence[Entry]) -> None:
        """Settle entries; load the rows again if one has changed in the meantime."""
        while entries:
            try:
                await self._settle_once(entries)
            except BatchConflictError as error:
                self._metrics.conflicts.inc()
                log.info("batch_conflict", table=str(error))
                before = self._positions
                await self._load_positions()
                if self._positions != before:
                    return  # another worker settled some of these entries
            except BatchRefusedError as error:
                await self._settle_refused(entries, error)
                return
            else:
                return

    async def _settle_refused(self, entries: Sequence[Entry], error: BatchRefusedError) -> None:
        """Find the entry that Postgres refuses, by repeated halving, and skip it."""
        if len(entries) > 1:
            middle = len(entries) // 2
            await self._settle(entries[:middle])
            await self._settle(entries[middle:])
            return
        (entry,) = entries
        log.error("entry_refused", shard=entry.shard, position=str(entry.position), error=str(error))
        await self._settle([Entry(entry.shard, entry.position, None, b"")])

    async def _settle_once(self, entries: Sequence[Entry]) -> None:
        started = time.perf_counter()
        facts = [fact for entry in entries if entry.facts for fact in entry.facts]
        torrents = await self._find_torrents(facts)
        last = {entry.shard: entry.position for entry in entries}
        async with self._store.transaction() as rows:
            await rows.lock_shards({shard_of(fact.key_hash) for fact in facts} - last.keys(), last.keys())
            await rows.move({shard: (self._positions[shard], position) for shard, position in last.items()})
            keys = await known.find_keys(rows, {fact.key_hash for fact in facts if not is_guest(fact)})
            admitted, outcomes = admit(facts, keys, torrents)
            settled, changes = await self._read(entries, admitted, rows)
            await rows.keep_torrents({item.torrent.id for item in admitted})
            for reader, changed in changes:
                await reader.store(changed, rows)
        self._positions.update(last)
        for reader, changed in changes:
            reader.committed(changed)
        self._metrics.batch_seconds.observe(time.perf_counter() - started)
        self._metrics.batch_facts.observe(len(facts))
        self._count(outcomes + settled, entries)

    async def _find_torrents(self, facts: Sequence[Fact]) -> dict[InfoHash, Torrent]:
        torrents = await known.find_torrents(self._store, {fact.info_hash for fact in facts})
        if not self._list_all:
            return torrents
        # A client that leaves doesn't bring back a torrent that was deleted.
        unlisted = [fact for fact in facts if fact.info_hash not in torrents and fact.event != Event.STOPPED]
        if unlisted:
            keys = await known.find_keys(self._store, {fact.key_hash for fact in unlisted})
            wanted = {fact.info_hash for fact in unlisted if is_guest(fact) or fact.key_hash in keys}
            torrents |= await known.add_torrents(self._store, wanted)
        return torrents

    async def _read(
        self, entries: Sequence[Entry], admitted: Sequence[Admitted], rows: Rows
    ) -> tuple[Counter[Outcome], list[tuple[Reader[Any, Any], Any]]]:
        """Settle facts, and collect each reader's changes."""
        stored = await self._load(admitted, rows)
        facts, sessions, outcomes = settle_facts(admitted, stored, self._limits, self._parameters)
        batch = Batch(facts, stored, int(time.time() * 1000), entries, sessions)
        changes = [(reader, reader.read(batch, await reader.load(batch, rows))) for reader in self._readers]
        return outcomes, changes

    async def _load(self, admitted: Sequence[Admitted], rows: Rows) -> Stored:
        members = {(item.key.id, item.torrent.id) for item in admitted if item.key}
        memberships, credits_ = await known.load_memberships(rows, members)
        sessions = {item.session_key for item in admitted}
        sessions.update(payers(admitted, memberships))
        for reader in self._readers:
            sessions.update(reader.further_sessions(admitted, credits_))
        found = await known.load_sessions(rows, sessions)
        new = [item for item in admitted if item.key and item.session_key not in found]
        others, holders = await known.load_holders(rows, {(item.key.id, item.torrent.id) for item in new if item.key})
        found = others | found
        return Stored(
            found,
            holders,
            memberships,
            credits_,
            await known.load_downloads(rows, possible_snatches(admitted, memberships)),
            await known.load_guest_snatches(rows, guests_that_may_finish(admitted, found)),
        )

    def _count(self, outcomes: Mapping[Outcome, int], entries: Sequence[Entry]) -> None:
        for outcome, number in outcomes.items():
            self._metrics.facts.labels(outcome).inc(number)
        for entry in entries:
            if entry.facts is None:
                self._metrics.facts.labels(Outcome.POISON).inc()
                log.error("entry_skipped", shard=entry.shard, position=str(entry.position), size=len(entry.packed))
