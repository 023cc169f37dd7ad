"""Computes what a batch changes about keys: sums, scores, tiers and notices. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from etracker_scoring.scores.formula import KeyHistory, ScoreParameters, SeedingAnnounce, record_announce
from etracker_scoring.scores.keys import Key, assess_key
from etracker_scoring.scores.newcomers import Newcomer, Origins
from etracker_scoring.scores.notices import DELIVERY_MS, Notice, reason_of, tier_notice
from etracker_scoring.scores.tiers import HeldTier, enter
from etracker_scoring.worker.batch import Batch, SettledFact
from etracker_scoring.worker.readers.scores.new_prefixes import (
    Credited,
    CreditKey,
    KeyPrefix,
    Progress,
    Sighting,
    add_credit,
)
from etracker_scoring.worker.records import NO_CREDIT, Credit, MembershipKey, Session, SessionKey
from etracker_scoring.worker.sums import Sums
from etracker_shared.agreements.facts import Event, Fact
from etracker_shared.language.identity import KeyHash
from etracker_shared.language.tier import Tier


class Scored(NamedTuple):
    """A key's history, tier and score after its last fact of the batch."""

    history: KeyHistory
    held: HeldTier
    score: float


class StoredCredit(NamedTuple):
    """A credit, and when the key first announced the torrent (Unix milliseconds)."""

    credit: Credit
    first_seen_ms: int


@dataclass(slots=True)
class Changes:
    """What a batch changes about keys, by key id.

    ``delivered``: when a notice reached a client, Unix milliseconds. ``changed``: keys that announce must look up
    again, because their tier isn't the stored one or their notice was delivered. ``prefixes``, ``credited``: see
    :mod:`~etracker_scoring.worker.readers.scores.new_prefixes`.
    """

    sums: dict[int, Sums] = field(default_factory=dict)
    scores: dict[int, Scored] = field(default_factory=dict)
    credits: dict[MembershipKey, StoredCredit] = field(default_factory=dict)
    newcomers: dict[int, Newcomer] = field(default_factory=dict)
    origins: Origins = field(default_factory=Origins)
    new_tiers: dict[int, Scored] = field(default_factory=dict)
    notices: dict[int, Notice] = field(default_factory=dict)
    delivered: dict[int, int] = field(default_factory=dict)
    changed: list[KeyHash] = field(default_factory=list)
    prefixes: Mapping[KeyPrefix, Sighting] = field(default_factory=dict)
    credited: dict[CreditKey, Credited] = field(default_factory=dict)


def find_newcomers(facts: Iterable[SettledFact]) -> dict[int, Newcomer]:
    """Find the keys that never announced before, each with its first fact."""
    newcomers: dict[int, Newcomer] = {}
    for item in facts:
        if item.key and item.key.origin.since is None:
            fact = item.fact
            newcomer = Newcomer(item.key.id, fact.prefix, fact.at_ms // 1000)
            earlier = newcomers.get(item.key.id)
            if earlier is None or newcomer.at_seconds < earlier.at_seconds:
                newcomers[item.key.id] = newcomer
    return newcomers


def account_for_keys(
    batch: Batch,
    newcomers: dict[int, Newcomer],
    origins: Origins,
    parameters: ScoreParameters,
    prefixes: Mapping[KeyPrefix, Sighting] | None = None,
) -> Changes:
    """Add up the facts of keys in order, then judge each key once."""
    accountant = _Accountant(batch, parameters, prefixes or {})
    accountant.take(batch.facts)
    changes = accountant.judge(origins)
    changes.newcomers, changes.origins = newcomers, origins
    changes.changed.extend(origins.overtaken.values())
    return changes


class _KeySums(Sums):
    """A key's sums, and its history so far. ``delivered_ms``: when its notice was delivered in this batch, or 0."""

    __slots__ = ("delivered_ms", "history", "key")

    def __init__(self, key: Key) -> None:
        super().__init__()
        self.key = key
        self.history = key.history
        self.delivered_ms = 0


class _Accountant:
    def __init__(self, batch: Batch, parameters: ScoreParameters, prefixes: Mapping[KeyPrefix, Sighting]) -> None:
        self._stored = batch.stored
        self._now_ms = batch.now_ms
        self._parameters = parameters
        self._changes = Changes(prefixes=prefixes)
        self._keys: dict[int, _KeySums] = {}
        self._sessions: dict[SessionKey, Session] = {}

    def take(self, facts: Sequence[SettledFact]) -> None:
        """Add up facts in order."""
        for item in facts:
            key = item.key
            if key is None:
                continue
            sums = self._keys.get(key.id)
            if sums is None:
                sums = self._keys[key.id] = _KeySums(key)
            sighting = self._changes.prefixes.get((key.id, item.fact.prefix))
            if sighting and item.fact.at_ms / 1000 < sighting.new_until:
                before = self._progress(sums, item)
                self._add(sums, item)
                progress = (before, self._progress(sums, item))
                add_credit(self._changes.credited, item, sighting, progress, self._parameters)
            else:
                self._add(sums, item)
            if key.undelivered_since_ms is not None and _delivers(item.fact, key.undelivered_since_ms):
                sums.delivered_ms = item.fact.at_ms

    def _add(self, sums: _KeySums, item: SettledFact) -> None:
        after = self._sessions[item.session_key] = item.after
        sums.add(item.uploaded, item.downloaded, after.last_seen_ms, snatched=item.snatched)
        if item.seeded_from is not None or item.owed or item.partial_from is not None:
            self._credit(sums, item)

    def _progress(self, sums: _KeySums, item: SettledFact) -> Progress:
        member = item.member or (0, 0)
        changed = self._changes.credits.get(member)
        credit = changed.credit if changed else self._stored.credits.get(member, NO_CREDIT)
        return Progress(sums.history, sums.seeding_seconds, sums.snatches, credit.seeding.debt_seconds)

    def judge(self, origins: Origins) -> Changes:
        """Find the tier of every key after its last fact, and the notice if it changed."""
        changes = self._changes
        for key_id, sums in self._keys.items():
            changes.sums[key_id] = sums
            scored = changes.scores[key_id] = self._judge(sums, origins)
            if sums.delivered_ms:
                changes.delivered[key_id] = sums.delivered_ms
            is_new = sums.key.origin.since is None
            before, after = sums.key.held.tier, scored.held.tier
            if is_new or after != before:
                changes.new_tiers[key_id] = scored
            if after != before and not (is_new or sums.key.frozen) and (text := self._explain(sums, after)):
                changes.notices[key_id] = Notice(text, self._now_ms)
            if after != before or sums.delivered_ms:
                changes.changed.append(sums.key.key_hash)
        return changes

    def _explain(self, sums: _KeySums, after: Tier) -> str | None:
        reason = reason_of(sums.key, sums.history, after, sums.last_seen_ms // 1000, self._parameters)
        return tier_notice(sums.key.held.tier, after, reason) if reason else None

    def _judge(self, sums: _KeySums, origins: Origins) -> Scored:
        key, now, held, origin = sums.key, sums.last_seen_ms // 1000, sums.key.held, sums.key.origin
        if origin.since is None:
            origin = origins.by_key[key.id]
            held = enter(origin, self._parameters)
        judged = key._replace(history=sums.history, held=held, origin=origin)
        held, score = assess_key(judged, now, self._parameters)
        return Scored(sums.history, held, score.total)

    def _credit(self, sums: _KeySums, item: SettledFact) -> None:
        """Add what a fact is worth to the key's score and to its seeding time, which is the union over its torrents.

        The union is exact, with one exception: if a late fact proves seeding that overlaps with time already counted,
        the part before the counted time is left out. Nothing is counted twice.
        """
        member, membership = item.member, item.membership
        if member is None or membership is None:  # a guest's
            return
        changed = self._changes.credits.get(member)
        known = changed.credit if changed else self._stored.credits.get(member, NO_CREDIT)
        until, seeded_from, instance = item.after.last_seen_ms // 1000, item.seeded_from, item.fact.peer_id
        seeding = known.seeding
        if seeded_from is not None:
            sums.seeding_seconds += max(0, until - max(seeded_from, int(sums.history.seeded_until)))
            if known.by != instance:
                seeding = seeding._replace(credited_until=self._credited_until(item.session_key, known))
        sums.history, seeding = record_announce(sums.history, seeding, _announce(item), self._parameters)
        if seeded_from is None:
            if seeding == known.seeding:
                return
            credit = Credit(seeding, known.by)
        elif known.by == instance and seeding.debt_seconds == known.seeding.debt_seconds:
            return  # the session's own row has the time up to which it was credited
        else:
            credit = Credit(seeding, instance)
        self._changes.credits[member] = StoredCredit(credit, membership.first_seen_ms)

    def _credited_until(self, session_key: SessionKey, known: Credit) -> float:
        """Return the time up to which the previous client instance was credited, when another one takes over."""
        stored = known.seeding.credited_until
        if known.by is None:
            return stored
        other_key = (*session_key[:2], known.by)
        other = self._sessions.get(other_key) or self._stored.sessions.get(other_key)
        return max(stored, other.last_seen_ms // 1000) if other and other.left == 0 else stored


def _announce(item: SettledFact) -> SeedingAnnounce:
    partial = item.partial_from is not None
    return SeedingAnnounce(
        item.after.last_seen_ms // 1000,
        item.partial_from if partial else item.seeded_from,
        item.snatched,
        item.fact.seeding_prefixes,
        item.torrent.length,
        item.fact.interval_seconds,
        item.wanted,
        item.owed,
        item.pays,
        partial,
    )


def _delivers(fact: Fact, undelivered_since_ms: int) -> bool:
    """Return whether the response to a fact's announce contained the notice and the client read it."""
    return fact.at_ms >= undelivered_since_ms + DELIVERY_MS and fact.event is not Event.STOPPED
