"""Account for a batch of facts: what is known goes in, what has to be written comes out."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from etracker_scoring.domain.records import Key, Membership, MembershipKey, Session, SessionKey, Torrent
from etracker_scoring.domain.settlement import Settlement, capped, finishes, is_hollow, is_snatch, settle
from etracker_shared.facts import Fact, FactFlag
from etracker_shared.identity import InfoHash, KeyHash

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

    ``downloaded_here``: bytes over all sessions there ever were; needed for :func:`possible_snatches`.
    """

    sessions: Mapping[SessionKey, Session]
    memberships: Mapping[MembershipKey, Membership]
    downloaded_here: Mapping[MembershipKey, int]


@dataclass(slots=True)
class Sums:
    """What is added to a key's or a torrent's statistics. ``seeded_until`` is a key's, in Unix seconds."""

    snatches: int = 0
    uploaded: int = 0
    downloaded: int = 0
    seeding_seconds: int = 0
    last_seen_ms: int = 0
    seeded_until: int = 0

    def add(self, settlement: Settlement, *, snatched: bool) -> None:
        """Add what one fact was worth; sums stop at the largest counter instead of overflowing."""
        self.snatches += snatched
        self.uploaded = capped(self.uploaded + settlement.uploaded)
        self.downloaded = capped(self.downloaded + settlement.downloaded)
        self.last_seen_ms = max(self.last_seen_ms, settlement.session.last_seen_ms)


@dataclass(slots=True)
class Ledger:
    """What a batch changes: rows as they are to be, sums to add, and what became of the facts."""

    sessions: dict[SessionKey, Session] = field(default_factory=dict)
    memberships: dict[MembershipKey, Membership] = field(default_factory=dict)
    keys: dict[int, Sums] = field(default_factory=dict)
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


def account(admitted: Iterable[Admitted], books: Books) -> Ledger:
    """Account for facts in order."""
    accountant = _Accountant(books)
    for item in admitted:
        accountant.take(item)
    return accountant.ledger


class _Accountant:
    def __init__(self, books: Books) -> None:
        self.ledger = Ledger()
        self._books = books
        self._downloaded_here = dict(books.downloaded_here)

    def take(self, item: Admitted) -> None:
        session_key = item.session_key
        before = self.ledger.sessions.get(session_key) or self._books.sessions.get(session_key)
        settlement = settle(before, item.fact)
        if settlement is None:
            self.ledger.outcomes[Outcome.STALE] += 1
            return
        self.ledger.outcomes[Outcome.SETTLED] += 1
        if item.key:
            snatched = self._update_membership(item.key, item, before, settlement)
            self._credit_key(item.key, settlement, snatched=snatched)
        else:
            snatched = _is_guests_snatch(item, before, settlement)
        session = settlement.session._replace(snatched=True) if snatched and not item.key else settlement.session
        self.ledger.sessions[session_key] = session
        self._credit_torrent(item.torrent, settlement, snatched=snatched)

    def _update_membership(self, key: Key, item: Admitted, before: Session | None, settlement: Settlement) -> bool:
        """Note what a fact says about the key in this torrent; return whether it is a snatch."""
        member = (key.id, item.torrent.id)
        known = self.ledger.memberships.get(member) or self._books.memberships.get(member)
        membership = known or Membership(item.fact.at_ms)
        if settlement.downloaded:
            self._downloaded_here[member] = self._downloaded_here.get(member, 0) + settlement.downloaded
        snatched = False
        if membership.leeching and finishes(before, item.fact):
            enough = is_snatch(self._downloaded_here.get(member, 0), item.torrent.length)
            snatched = enough and membership.snatched_ms is None
            membership = membership._replace(
                leeching=False, snatched_ms=item.fact.at_ms if snatched else membership.snatched_ms
            )
        elif item.fact.left > 0 and not membership.leeching and not is_hollow(item.fact):
            membership = membership._replace(leeching=True)
        if membership != known:
            self.ledger.memberships[member] = membership
        return snatched

    def _credit_key(self, key: Key, settlement: Settlement, *, snatched: bool) -> None:
        """Add to the key's sums; its seeding time is the union over its torrents.

        The union is exact but for overlaps that begin before the time counted so far ends and whose
        first part nobody proved then: those are left out, never counted twice.
        """
        sums = self.ledger.keys.get(key.id)
        if sums is None:
            sums = self.ledger.keys[key.id] = Sums(seeded_until=key.seeded_until)
        sums.add(settlement, snatched=snatched)
        if settlement.seeded_from is not None:
            until = settlement.session.last_seen_ms // 1000
            sums.seeding_seconds += max(0, until - max(settlement.seeded_from, sums.seeded_until))
            sums.seeded_until = max(sums.seeded_until, until)

    def _credit_torrent(self, torrent: Torrent, settlement: Settlement, *, snatched: bool) -> None:
        sums = self.ledger.torrents.get(torrent.id)
        if sums is None:
            sums = self.ledger.torrents[torrent.id] = Sums()
        sums.add(settlement, snatched=snatched)
        if settlement.seeded_from is not None:
            sums.seeding_seconds += settlement.session.last_seen_ms // 1000 - settlement.seeded_from


def _is_guests_snatch(item: Admitted, before: Session | None, settlement: Settlement) -> bool:
    if before is None or before.snatched or before.left <= 0 or not finishes(before, item.fact):
        return False
    return is_snatch(settlement.session.downloaded_credit, item.torrent.length)
