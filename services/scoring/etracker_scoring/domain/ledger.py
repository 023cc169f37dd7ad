"""Account for a batch of facts: what is known goes in, what has to be written comes out."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from etracker_scoring.domain.newcomers import Newcomer, Welcome
from etracker_scoring.domain.notices import DELIVERY_MS, Notice, reason_of, tier_notice
from etracker_scoring.domain.records import Key, Membership, MembershipKey, Session, SessionKey, Torrent
from etracker_scoring.domain.score import KeyHistory, ScoreParameters, SeedingAnnounce, record_announce
from etracker_scoring.domain.settlement import Settlement, capped, finishes, is_hollow, is_snatch, settle
from etracker_scoring.domain.tier import HeldTier, assess, enter
from etracker_shared.facts import Event, Fact, FactFlag
from etracker_shared.identity import InfoHash, KeyHash
from etracker_shared.tiers import Tier

_GUEST = int(FactFlag.GUEST)  # operators of flags cost ten times as much as those of integers


class Outcome(StrEnum):
    """What became of a fact."""

    SETTLED = "settled"
    STALE = "stale"
    UNREGISTERED = "unregistered"
    UNLISTED = "unlisted"
    POISON = "poison"


class Admitted(NamedTuple):
    """A fact of somebody known about a torrent that is tracked. ``key`` is None for a guest."""

    fact: Fact
    key: Key | None
    torrent: Torrent
    session_key: SessionKey


@dataclass(frozen=True, slots=True)
class Books:
    """What is stored about the sessions and memberships of a batch.

    ``downloaded_here``: bytes over all sessions there ever were; needed for :func:`possible_snatches`. ``welcome``:
    what is decided about keys that are new.
    """

    sessions: Mapping[SessionKey, Session]
    memberships: Mapping[MembershipKey, Membership]
    downloaded_here: Mapping[MembershipKey, int]
    welcome: Welcome = field(default_factory=Welcome)


@dataclass(slots=True)
class Sums:
    """What is added to a key's or a torrent's statistics."""

    snatches: int = 0
    uploaded: int = 0
    downloaded: int = 0
    seeding_seconds: int = 0
    last_seen_ms: int = 0

    def add(self, settlement: Settlement, *, snatched: bool) -> None:
        """Add what one fact was worth; sums stop at the largest counter instead of overflowing."""
        self.snatches += snatched
        self.uploaded = capped(self.uploaded + settlement.uploaded)
        self.downloaded = capped(self.downloaded + settlement.downloaded)
        self.last_seen_ms = max(self.last_seen_ms, settlement.session.last_seen_ms)


class Scored(NamedTuple):
    """What a key's score is made of and the tier it holds, after its last fact of the batch."""

    history: KeyHistory
    held: HeldTier
    score: float


@dataclass(slots=True)
class Ledger:
    """What a batch changes: rows as they are to be, sums to add, and what became of the facts.

    ``changed``: the keys whose tier isn't the one stored before, or whose notice was told: announces must hear of them.
    """

    sessions: dict[SessionKey, Session] = field(default_factory=dict)
    memberships: dict[MembershipKey, Membership] = field(default_factory=dict)
    keys: dict[int, Sums] = field(default_factory=dict)
    scores: dict[int, Scored] = field(default_factory=dict)
    newcomers: dict[int, Newcomer] = field(default_factory=dict)
    welcome: Welcome = field(default_factory=Welcome)
    new_tiers: dict[int, Scored] = field(default_factory=dict)
    notices: dict[int, Notice] = field(default_factory=dict)
    told: dict[int, int] = field(default_factory=dict)
    changed: list[KeyHash] = field(default_factory=list)
    torrents: dict[int, Sums] = field(default_factory=dict)
    outcomes: Counter[Outcome] = field(default_factory=Counter)


def is_guest(fact: Fact) -> bool:
    """Tell whether a fact is a guest's."""
    return int(fact.flags) & _GUEST != 0


def admit(
    facts: Iterable[Fact], keys: Mapping[KeyHash, Key], torrents: Mapping[InfoHash, Torrent]
) -> tuple[list[Admitted], Counter[Outcome]]:
    """Keep the facts of registered keys and guests about tracked torrents; count the others."""
    admitted: list[Admitted] = []
    dropped: Counter[Outcome] = Counter()
    for fact in facts:
        guest = is_guest(fact)
        key = None if guest else keys.get(fact.key_hash)
        torrent = torrents.get(fact.info_hash)
        if key is None and not guest:
            dropped[Outcome.UNREGISTERED] += 1
        elif torrent is None:
            dropped[Outcome.UNLISTED] += 1
        else:
            session_key = (key.id if key else None, torrent.id, fact.peer_id)
            admitted.append(Admitted(fact, key, torrent, session_key))
    return admitted, dropped


def possible_snatches(
    admitted: Sequence[Admitted], memberships: Mapping[MembershipKey, Membership]
) -> set[MembershipKey]:
    """Find the stored memberships that may finish their first download in this batch.

    Few do, so that what was downloaded over all their sessions needn't be added up for every fact.
    """
    finishing, leeching = set(), set()
    for item in admitted:
        if item.key and (known := memberships.get(member := (item.key.id, item.torrent.id))):
            if known.snatched_ms is None and item.fact.left == 0:
                finishing.add(member)
            if known.leeching or item.fact.left > 0:
                leeching.add(member)
    return finishing & leeching


def relieved_sessions(
    admitted: Iterable[Admitted], memberships: Mapping[MembershipKey, Membership]
) -> Iterator[SessionKey]:
    """Find the sessions that were credited so far where another client of the key may be from now on."""
    for item in admitted:
        known = memberships.get((item.key.id, item.torrent.id)) if item.key else None
        if known and item.key and known.credited_by not in {None, item.fact.peer_id}:
            yield item.key.id, item.torrent.id, known.credited_by or b""


def find_newcomers(admitted: Iterable[Admitted]) -> dict[int, Newcomer]:
    """Find the keys that never announced before, each with its first fact."""
    newcomers: dict[int, Newcomer] = {}
    for item in admitted:
        if item.key and item.key.origin.since is None:
            fact = item.fact
            newcomer = Newcomer(item.key.id, fact.prefix, fact.at_ms // 1000)
            earlier = newcomers.get(item.key.id)
            if earlier is None or newcomer.at_seconds < earlier.at_seconds:
                newcomers[item.key.id] = newcomer
    return newcomers


def account(admitted: Sequence[Admitted], books: Books, parameters: ScoreParameters, now_ms: int) -> Ledger:
    """Account for facts in order. ``now_ms``: from when on what is said about a tier is known, in Unix milliseconds."""
    accountant = _Accountant(books, parameters)
    for item in admitted:
        accountant.take(item)
    accountant.judge(now_ms)
    ledger = accountant.ledger
    ledger.newcomers, ledger.welcome = find_newcomers(admitted), books.welcome
    ledger.changed.extend(books.welcome.overtaken.values())
    return ledger


class _KeySums(Sums):
    """A key's sums, and its history so far. ``told_ms``: when its notice was told in this batch, 0 if it wasn't."""

    __slots__ = ("history", "key", "told_ms")

    def __init__(self, key: Key) -> None:
        super().__init__()
        self.key = key
        self.history = key.history
        self.told_ms = 0


class _Accountant:
    def __init__(self, books: Books, parameters: ScoreParameters) -> None:
        self.ledger = Ledger()
        self._books = books
        self._parameters = parameters
        self._downloaded_here = dict(books.downloaded_here)
        self._keys: dict[int, _KeySums] = {}

    def take(self, item: Admitted) -> None:
        session_key = item.session_key
        before = self.ledger.sessions.get(session_key) or self._books.sessions.get(session_key)
        settlement = settle(before, item.fact)
        if settlement is None:
            self.ledger.outcomes[Outcome.STALE] += 1
            return
        self.ledger.outcomes[Outcome.SETTLED] += 1
        if item.key:
            snatched = self._take_of_key(item.key, item, before, settlement)
        else:
            snatched = _is_guests_snatch(item, before, settlement)
        session = settlement.session._replace(snatched=True) if snatched and not item.key else settlement.session
        self.ledger.sessions[session_key] = session
        self._credit_torrent(item.torrent, settlement, snatched=snatched)

    def judge(self, now_ms: int) -> None:
        """Find the tier of every key after its last fact, and what is to be said about it."""
        for key_id, sums in self._keys.items():
            self.ledger.keys[key_id] = sums
            scored = self._judge(sums)
            self.ledger.scores[key_id] = scored
            if sums.told_ms:
                self.ledger.told[key_id] = sums.told_ms
            is_new = sums.key.origin.since is None
            before, after = sums.key.held.tier, scored.held.tier
            if is_new or after != before:
                self.ledger.new_tiers[key_id] = scored
            if after != before and not is_new:
                self.ledger.notices[key_id] = Notice(self._explain(sums, after), now_ms)
            if after != before or sums.told_ms:
                self.ledger.changed.append(sums.key.key_hash)

    def _explain(self, sums: _KeySums, after: Tier) -> str:
        reason = reason_of(sums.key, sums.history, after, sums.last_seen_ms // 1000, self._parameters)
        return tier_notice(sums.key.held.tier, after, reason)

    def _judge(self, sums: _KeySums) -> Scored:
        key, now, held, origin = sums.key, sums.last_seen_ms // 1000, sums.key.held, sums.key.origin
        if origin.since is None:
            origin = self._books.welcome.origins[key.id]
            held = enter(origin, self._parameters)
        held, score = assess(sums.history, held, origin, now, self._parameters)
        return Scored(sums.history, held, score.total)

    def _take_of_key(self, key: Key, item: Admitted, before: Session | None, settlement: Settlement) -> bool:
        """Note what a fact says about the key and about the key in this torrent; return whether it is a snatch."""
        sums = self._keys.get(key.id)
        if sums is None:
            sums = self._keys[key.id] = _KeySums(key)
        member = (key.id, item.torrent.id)
        known = self.ledger.memberships.get(member) or self._books.memberships.get(member)
        membership, snatched = self._follow_download(member, known, item, before, settlement)
        sums.add(settlement, snatched=snatched)
        if settlement.seeded_from is not None or snatched:
            membership = self._credit_score(sums, membership, item, settlement, snatched=snatched)
        if membership != known:
            self.ledger.memberships[member] = membership
        if key.untold_ms is not None and _tells(item.fact, key.untold_ms):
            sums.told_ms = item.fact.at_ms
        return snatched

    def _follow_download(
        self, member: MembershipKey, known: Membership | None, item: Admitted, before: Session | None, done: Settlement
    ) -> tuple[Membership, bool]:
        """Follow a key's download of a torrent; tell whether this fact ends it for the first time."""
        membership = known or Membership(item.fact.at_ms)
        if done.downloaded:
            self._downloaded_here[member] = self._downloaded_here.get(member, 0) + done.downloaded
        if membership.leeching and finishes(before, item.fact):
            enough = is_snatch(self._downloaded_here.get(member, 0), item.torrent.length)
            snatched = enough and membership.snatched_ms is None
            snatched_ms = item.fact.at_ms if snatched else membership.snatched_ms
            return membership._replace(leeching=False, snatched_ms=snatched_ms), snatched
        if item.fact.left > 0 and not membership.leeching and not is_hollow(item.fact):
            return membership._replace(leeching=True), False
        return membership, False

    def _credit_score(
        self, sums: _KeySums, membership: Membership, item: Admitted, settlement: Settlement, *, snatched: bool
    ) -> Membership:
        """Add what a fact is worth to the key's score and to its time of seeding, the union over its torrents.

        The union is exact but for overlaps that begin before the time counted so far ends and whose
        first part nobody proved then: those are left out, never counted twice.
        """
        until, seeded_from = settlement.session.last_seen_ms // 1000, settlement.seeded_from
        seeding, instance = membership.seeding, item.fact.peer_id
        if seeded_from is not None:
            sums.seeding_seconds += max(0, until - max(seeded_from, int(sums.history.seeded_until)))
            if membership.credited_by != instance:
                seeding = seeding._replace(credited_until=self._credited_until(item.session_key, membership))
        announce = SeedingAnnounce(until, seeded_from, snatched, item.fact.seeding_prefixes, item.torrent.length)
        sums.history, seeding = record_announce(sums.history, seeding, announce, self._parameters)
        if seeded_from is None:
            return membership._replace(seeding=seeding)
        if membership.credited_by == instance and seeding.debt_seconds == membership.seeding.debt_seconds:
            return membership
        return membership._replace(seeding=seeding, credited_by=instance)

    def _credited_until(self, session_key: SessionKey, membership: Membership) -> float:
        """Find up to when the instance credited so far was, when another one takes over."""
        stored = membership.seeding.credited_until
        if membership.credited_by is None:
            return stored
        other_key = (*session_key[:2], membership.credited_by)
        other = self.ledger.sessions.get(other_key) or self._books.sessions.get(other_key)
        return max(stored, other.last_seen_ms // 1000) if other and other.left == 0 else stored

    def _credit_torrent(self, torrent: Torrent, settlement: Settlement, *, snatched: bool) -> None:
        sums = self.ledger.torrents.get(torrent.id)
        if sums is None:
            sums = self.ledger.torrents[torrent.id] = Sums()
        sums.add(settlement, snatched=snatched)
        if settlement.seeded_from is not None:
            sums.seeding_seconds += settlement.session.last_seen_ms // 1000 - settlement.seeded_from


def _tells(fact: Fact, untold_ms: int) -> bool:
    """Tell whether a fact's answer conveyed a notice, to a client that looked at it."""
    return fact.at_ms >= untold_ms + DELIVERY_MS and fact.event is not Event.STOPPED


def _is_guests_snatch(item: Admitted, before: Session | None, settlement: Settlement) -> bool:
    if before is None or before.snatched or before.left <= 0 or not finishes(before, item.fact):
        return False
    return is_snatch(settlement.session.downloaded_credit, item.torrent.length)
