"""Turn facts into statistics, each exactly once.

Facts are read behind the stored positions, settled against what is stored, and written together with
the new positions in one transaction. Whatever happens in between, either both are stored or neither;
the streams are trimmed behind what is stored.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from structlog import get_logger

from etracker_scoring.domain.ledger import (
    Admitted,
    Ledger,
    Outcome,
    account,
    admit,
    find_newcomers,
    is_guest,
    possible_snatches,
    relieved_sessions,
)
from etracker_scoring.domain.newcomers import Welcome, welcome
from etracker_scoring.domain.records import Key, Torrent
from etracker_scoring.domain.score import DAY, ScoreParameters
from etracker_scoring.metrics import WorkerMetrics
from etracker_scoring.ports import (
    Accounts,
    AccountsConflictError,
    AccountsRefusedError,
    Entry,
    FactStreams,
    Position,
    Snatches,
    StreamsUnavailableError,
    Swarms,
)
from etracker_shared.facts import FACT_SIZE, Fact
from etracker_shared.identity import InfoHash, KeyHash

INSPECT_SECONDS = 5.0
HEARTBEAT_SECONDS = 1.0
PAUSE_SECONDS = 0.5

log = get_logger("settle")


class FactSettler:
    """Settles facts for as long as it leads.

    ``list_all``: track hashes that nobody listed. ``keep_facts``: keep raw facts. ``parameters``: of scores and tiers;
    :meth:`adjust` changes them.
    """

    def __init__(
        self,
        streams: FactStreams,
        accounts: Accounts,
        swarms: Swarms,
        metrics: WorkerMetrics,
        *,
        max_facts: int,
        poll_seconds: float,
        list_all: bool,
        keep_facts: bool,
        parameters: ScoreParameters,
    ) -> None:
        self._streams = streams
        self._accounts = accounts
        self._swarms = swarms
        self._metrics = metrics
        self._max_facts = max_facts
        self._poll_seconds = poll_seconds
        self._list_all = list_all
        self._keep_facts = keep_facts
        self._parameters = parameters
        self._positions: dict[int, Position] = {}
        self._unpublished: dict[InfoHash, int] = {}
        self._heartbeat_due = 0.0
        self._inspection_due = time.monotonic()

    async def run(self) -> None:
        """Settle until cancelled.

        Raises:
            AccountsUnavailableError: Postgres can't be asked; begin anew when it can.
        """
        while True:
            await self._beat()
            next_batch = time.monotonic() + self._poll_seconds
            try:
                settled = await self.step()
            except StreamsUnavailableError as error:
                if self._inspection_due:
                    log.warning("waiting_for_redis", error=str(error))
                self._inspection_due = 0.0
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            if settled < self._max_facts // 2:  # a transaction's own cost is worth hundreds of facts: let some gather
                await asyncio.sleep(next_batch - time.monotonic())

    def adjust(self, parameters: ScoreParameters) -> None:
        """Judge by other parameters from the next batch on."""
        self._parameters = parameters

    async def step(self) -> int:
        """Settle one batch; return how many facts it had."""
        if time.monotonic() >= self._inspection_due:
            await self._inspect()
        entries = await self._streams.read(self._positions, self._max_facts)
        await self._settle(entries)
        await self._publish()
        if entries:
            await self._streams.trim({entry.shard: self._positions[entry.shard] for entry in entries})
        return sum(len(entry.facts or ()) for entry in entries)

    async def _beat(self) -> None:
        """Ask Postgres once a second: an idle session would lose the lead, a lost one must be noticed."""
        if time.monotonic() >= self._heartbeat_due:
            self._positions = await self._accounts.positions()
            self._heartbeat_due = time.monotonic() + HEARTBEAT_SECONDS

    async def _inspect(self) -> None:
        """Measure the lag; go back to a stream's start where Redis came back older than what is stored.

        New entries would get ids that lie behind the stored position and never be read. What was
        settled before changes nothing when it is settled again.
        """
        states = await self._streams.inspect()
        older = {shard: at for shard, at in self._positions.items() if states[shard].last < at}
        if older:
            log.warning("redis_came_back_older", shards=sorted(older))
            await self._accounts.rewind(older)
            self._positions = await self._accounts.positions()
        waiting = {
            shard: state for shard, state in states.items() if state.oldest and state.last > self._positions[shard]
        }
        oldest = min((state.oldest.milliseconds / 1000 for state in waiting.values() if state.oldest), default=None)
        self._metrics.lag_entries.set(sum(state.entries for state in waiting.values()))
        self._metrics.lag_seconds.set(max(0.0, time.time() - oldest) if oldest is not None else 0)
        await self._streams.trim({shard: self._positions[shard] for shard in states if shard not in older})
        self._inspection_due = time.monotonic() + INSPECT_SECONDS

    async def _settle(self, entries: Sequence[Entry]) -> None:
        """Settle entries, loading anew whenever something changed meanwhile."""
        while entries:
            try:
                await self._account(entries)
            except AccountsConflictError as error:
                self._metrics.conflicts.inc()
                log.info("batch_conflict", table=str(error))
                before = self._positions
                self._positions = await self._accounts.positions()
                if self._positions != before:
                    return  # somebody else accounted for some of these
            except AccountsRefusedError as error:
                await self._settle_refused(entries, error)
                return
            else:
                return

    async def _settle_refused(self, entries: Sequence[Entry], error: AccountsRefusedError) -> None:
        """Find the entry that Postgres refuses by halving, and skip it."""
        if len(entries) > 1:
            middle = len(entries) // 2
            await self._settle(entries[:middle])
            await self._settle(entries[middle:])
            return
        (entry,) = entries
        log.error("entry_refused", shard=entry.shard, position=str(entry.position), error=str(error))
        await self._settle([Entry(entry.shard, entry.position, None, b"")])

    async def _account(self, entries: Sequence[Entry]) -> None:
        started = time.perf_counter()
        facts = [fact for entry in entries if entry.facts for fact in entry.facts]
        admitted, outcomes = await self._admit(facts)
        ledger = await self._prepare(admitted)
        kept = list(_raw_facts(entries)) if self._keep_facts else []
        last = {entry.shard: entry.position for entry in entries}
        moved = {shard: (self._positions[shard], position) for shard, position in last.items()}
        snatches = await self._accounts.store(ledger, moved, kept)
        self._positions.update(last)
        self._unpublished.update(snatches)
        self._metrics.batch_seconds.observe(time.perf_counter() - started)
        self._metrics.batch_facts.observe(len(facts))
        self._count(outcomes + ledger.outcomes, entries)
        for scored in ledger.new_tiers.values():
            self._metrics.tier_changes.labels(str(scored.held.tier.value)).inc()
        self._heartbeat_due = time.monotonic() + HEARTBEAT_SECONDS

    async def _admit(self, facts: Sequence[Fact]) -> tuple[list[Admitted], Counter[Outcome]]:
        key_hashes = {fact.key_hash for fact in facts if not is_guest(fact)}
        keys = await self._accounts.find_keys(key_hashes) if key_hashes else {}
        info_hashes = {fact.info_hash for fact in facts}
        torrents = await self._accounts.find_torrents(info_hashes) if info_hashes else {}
        if self._list_all:
            torrents |= await self._list(_wanted(facts, keys, torrents))
        return admit(facts, keys, torrents)

    async def _list(self, info_hashes: Collection[InfoHash]) -> Mapping[InfoHash, Torrent]:
        if not info_hashes:
            return {}
        await self._accounts.add_torrents(info_hashes)
        return await self._accounts.find_torrents(info_hashes)

    async def _prepare(self, admitted: Sequence[Admitted]) -> Ledger:
        if not admitted:
            return Ledger()
        members = {(item.key.id, item.torrent.id) for item in admitted if item.key}
        memberships = await self._accounts.load_memberships(members)
        sessions = {item.session_key for item in admitted}
        sessions.update(relieved_sessions(admitted, memberships))
        newcomers = await self._welcome(admitted)
        finishing = possible_snatches(admitted, memberships)
        books = await self._accounts.load_books(sessions, memberships, finishing, newcomers)
        return account(admitted, books, self._parameters, int(time.time() * 1000))

    async def _welcome(self, admitted: Sequence[Admitted]) -> Welcome:
        newcomers = find_newcomers(admitted)
        if not newcomers:
            return Welcome()
        earliest = min(newcomer.at_seconds for newcomer in newcomers.values())
        seen_after = earliest - self._parameters.prefix_memory_days * DAY
        prefixes = {newcomer.prefix for newcomer in newcomers.values()}
        neighbours = await self._accounts.find_neighbours(prefixes, seen_after)
        return welcome(newcomers.values(), neighbours, self._parameters)

    async def _publish(self) -> None:
        if self._unpublished:
            await self._swarms.publish([Snatches(*item) for item in self._unpublished.items()])
            self._unpublished.clear()

    def _count(self, outcomes: Counter[Outcome], entries: Sequence[Entry]) -> None:
        for outcome, number in outcomes.items():
            self._metrics.facts.labels(outcome).inc(number)
        for entry in entries:
            if entry.facts is None:
                self._metrics.facts.labels(Outcome.POISON).inc()
                log.error("entry_skipped", shard=entry.shard, position=str(entry.position), size=len(entry.packed))


def _wanted(facts: Iterable[Fact], keys: Mapping[KeyHash, Key], torrents: Mapping[InfoHash, Torrent]) -> set[InfoHash]:
    """Return the hashes nobody listed that a registered key or a guest announced."""
    return {
        fact.info_hash for fact in facts if fact.info_hash not in torrents and (is_guest(fact) or fact.key_hash in keys)
    }


def _raw_facts(entries: Iterable[Entry]) -> Iterable[tuple[Fact, bytes]]:
    for entry in entries:
        for index, fact in enumerate(entry.facts or ()):
            yield fact, entry.packed[index * FACT_SIZE : (index + 1) * FACT_SIZE]
