"""Keys: their sums, scores and tiers, decisions about new keys, and notices about changed tiers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from prometheus_client import Counter

from etracker_scoring.scores.formula import DAY, ScoreParameters
from etracker_scoring.scores.newcomers import Newcomer, Origins, Promise, decide_origins, follow_promises
from etracker_scoring.stored.graces import FIND_PROMISES, GIVE_GRACES
from etracker_scoring.stored.keys import FIND_NEIGHBOURS, parse_neighbour
from etracker_scoring.worker.admission import Admitted
from etracker_scoring.worker.batch import Batch
from etracker_scoring.worker.locks import PREFIX, prefix_locks
from etracker_scoring.worker.reader import Reader
from etracker_scoring.worker.readers.scores import statements
from etracker_scoring.worker.readers.scores.accounting import Changes, account_for_keys, find_newcomers
from etracker_scoring.worker.readers.scores.new_prefixes import KeyPrefix, NewPrefixes, Sighting, store_prefixes
from etracker_scoring.worker.records import Credit, MembershipKey, SessionKey
from etracker_scoring.worker.store import Rows
from etracker_scoring.worker.tier_changes import ADD_TIER_CHANGES
from etracker_shared.agreements.notifications import KEYS_CHANNEL, format_payloads


class Known(NamedTuple):
    """The keys of a batch that never announced before, the decisions about them, and the prefixes new to keys."""

    newcomers: dict[int, Newcomer]
    origins: Origins
    prefixes: dict[KeyPrefix, Sighting]


class ScoresReader(Reader[Known, Changes]):
    """Judges keys. ``parameters``: those in effect. ``tier_changes``: counts by tier.

    ``new_prefix_days``: how long an address prefix counts as new to a key.
    """

    def __init__(
        self, parameters: Callable[[], ScoreParameters], tier_changes: Counter, new_prefix_days: float
    ) -> None:
        self._parameters = parameters
        self._tier_changes = tier_changes
        self._prefixes = NewPrefixes(new_prefix_days)

    def further_sessions(
        self, admitted: Sequence[Admitted], credits_: Mapping[MembershipKey, Credit]
    ) -> Iterable[SessionKey]:
        """Return the sessions credited so far, where another client of the key may take over."""
        for item in admitted:
            known = credits_.get((item.key.id, item.torrent.id)) if item.key else None
            if known and item.key and known.by not in {None, item.fact.peer_id}:
                yield item.key.id, item.torrent.id, known.by or b""

    async def load(self, batch: Batch, rows: Rows) -> Known:
        """Decide about new keys from what is stored about other keys with the same prefixes.

        No other worker decides about these prefixes before this transaction has ended.
        """
        newcomers = find_newcomers(batch.facts)
        new_prefixes = await self._prefixes.load(batch.facts, newcomers, rows)
        if not newcomers:
            return Known(newcomers, Origins(), new_prefixes)
        parameters = self._parameters()
        promised = await _find_promises(newcomers.values(), rows)
        newcomers = follow_promises(newcomers, promised)
        prefixes = sorted({newcomer.prefix for newcomer in newcomers.values()})
        earliest = min(newcomer.at_seconds for newcomer in newcomers.values())
        await rows.fetch(statements.LOCK_PREFIXES, PREFIX, prefix_locks(prefixes))
        found = await rows.fetch(FIND_NEIGHBOURS, prefixes, earliest - parameters.prefix_memory_days * DAY)
        neighbours = map(parse_neighbour, found)
        origins = decide_origins(newcomers.values(), neighbours, parameters, dict(promised))
        return Known(newcomers, origins, new_prefixes)

    def read(self, batch: Batch, known: Known) -> Changes:
        """Return what changes about keys."""
        return account_for_keys(batch, known.newcomers, known.origins, self._parameters(), known.prefixes)

    async def store(self, changes: Changes, rows: Rows) -> None:
        """Write keys first, since other rows refer to them."""
        if changes.origins.overtaken:
            await rows.fetch(statements.LOCK_KEYS, [*changes.sums, *changes.origins.overtaken])
        keys = [
            (key_id, *sums.columns(), *statements.columns_of(*changes.scores[key_id]))
            for key_id, sums in sorted(changes.sums.items())
        ]
        await rows.write("peers", statements.ADD_TO_KEYS, keys)
        origins = [
            (key_id, at, prefix, changes.origins.by_key[key_id].grace, changes.origins.by_key[key_id].stained)
            for key_id, prefix, at in changes.newcomers.values()
        ]
        await rows.write("peers", statements.PUT_ORIGINS, origins)
        given = {one.prefix: (one.prefix, one.key_id, one.at_seconds) for one in changes.origins.unpromised}
        await rows.write("graces", GIVE_GRACES, list(given.values()))
        await self._take_graces(changes.origins, rows)
        await self._store_notices(changes, rows)
        credits_ = [
            (*member, first_seen / 1000, debt_seconds, credited_until or None, paid_until or None, credited_by)
            for member, (((debt_seconds, credited_until, paid_until), credited_by), first_seen) in sorted(
                changes.credits.items()
            )
        ]
        await rows.write("memberships", statements.PUT_CREDITS, credits_)
        await store_prefixes(changes.prefixes, changes.credited, rows)

    async def _take_graces(self, origins: Origins, rows: Rows) -> None:
        steady_score = self._parameters().steady_score
        taken = [(key_id, steady_score) for key_id in sorted(origins.overtaken)]
        await rows.write("peers", statements.TAKE_GRACE, taken)

    async def _store_notices(self, changes: Changes, rows: Rows) -> None:
        delivered = [(key_id, at_ms / 1000) for key_id, at_ms in changes.delivered.items()]
        await rows.write("peers", statements.DELIVER_NOTICES, delivered)
        notices = [(key_id, text, at_ms / 1000) for key_id, (text, at_ms) in changes.notices.items()]
        await rows.write("peers", statements.PUT_NOTICES, notices)
        tiers = [
            (key_id, changes.sums[key_id].last_seen_ms / 1000, scored.held.tier, scored.score)
            for key_id, scored in changes.new_tiers.items()
        ]
        await rows.write("tier_changes", ADD_TIER_CHANGES, tiers)
        await rows.notify(KEYS_CHANNEL, format_payloads(changes.changed))

    def committed(self, changes: Changes) -> None:
        """Count the changes to each tier."""
        for scored in changes.new_tiers.values():
            self._tier_changes.labels(str(scored.held.tier.value)).inc()


async def _find_promises(newcomers: Iterable[Newcomer], rows: Rows) -> list[tuple[bytes, Promise]]:
    """Return the promises made to these keys, or for their prefixes."""
    prefixes, key_ids = {newcomer.prefix for newcomer in newcomers}, [newcomer.key_id for newcomer in newcomers]
    found = await rows.fetch(FIND_PROMISES, list(prefixes), key_ids)
    return [(row["prefix"], Promise(row["key_id"], row["at"])) for row in found]
