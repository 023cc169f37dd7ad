"""Follows downloads: what they owe, who pays for them, and the fact that is the snatch.

A key owes for what it downloads as it goes, whether or not it ever finishes. What it downloaded is claimed by its own
client, so a client that claims nothing owes nothing; but one that only withholds the end owes as any other.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from etracker_scoring.scores.formula import ScoreParameters
from etracker_scoring.worker.admission import Admitted
from etracker_scoring.worker.bases import is_at_address
from etracker_scoring.worker.records import Membership, MembershipKey, PrefixKey, Session, SessionKey, Torrent
from etracker_scoring.worker.sessions import Settlement, is_hollow, is_silent, partial_seed_since
from etracker_scoring.worker.sums import capped
from etracker_shared.agreements.facts import Fact

SNATCH_SHARE = 10
"""A finished download is a snatch if at least 1/SNATCH_SHARE of the torrent's size was downloaded here.

If the size is unknown, the same share of the most that the client instance ever reported as left counts instead. A
client that began with everything only repairs what it has: that isn't a snatch.
"""

LARGE_STEPS = 10
"""What is left may fall by at most 1/LARGE_STEPS of the size from one announce to the next to count as a download.

It falls further at once when a client finds the data that it already had.
"""

_PROGRAM_BYTES = 8
"""The start of a peer_id, which names the program and its version."""

GUEST_SNATCHES = 4
"""The most snatches of one torrent that are counted for guests of one address prefix, within some weeks."""


def possible_snatches(
    admitted: Sequence[Admitted], memberships: Mapping[MembershipKey, Membership]
) -> set[MembershipKey]:
    """Find the stored memberships that may finish their first download in this batch.

    They are few, and only for them are the downloads of all sessions added up.
    """
    finishing, leeching = set(), set()
    for item in admitted:
        if item.key and (known := memberships.get(member := (item.key.id, item.torrent.id))):
            if known.snatched_ms is None and item.fact.left == 0:
                finishing.add(member)
            if known.leeching or item.fact.left > 0:
                leeching.add(member)
    return finishing & leeching


def payers(admitted: Sequence[Admitted], memberships: Mapping[MembershipKey, Membership]) -> Iterator[SessionKey]:
    """Yield the sessions whose seeding pays debts, where another client of the key announces: it may continue them."""
    for item in admitted:
        known = memberships.get((item.key.id, item.torrent.id)) if item.key else None
        if item.key and known and known.owed_by not in {None, item.fact.peer_id}:
            yield item.key.id, item.torrent.id, known.owed_by or b""


class Step(NamedTuple):
    """What a fact was worth to a download. For the fields see :class:`etracker_scoring.worker.batch.SettledFact`."""

    session: Session
    membership: Membership | None = None
    snatched: bool = False
    owed: float = 0.0
    pays: bool = False
    partial_from: int | None = None


class Downloads:
    """Follows the downloads of one batch, and who pays for them.

    ``downloaded_here``: bytes over all sessions, past ones included. ``sessions``: kept up to date by the caller.
    """

    def __init__(
        self,
        memberships: Mapping[MembershipKey, Membership],
        downloaded_here: Mapping[MembershipKey, int],
        sessions: Mapping[SessionKey, Session],
        parameters: ScoreParameters,
    ) -> None:
        self._memberships = dict(memberships)
        self._downloaded_here = dict(downloaded_here)
        self._sessions = sessions
        self._parameters = parameters

    def follow(
        self,
        member: MembershipKey,
        item: Admitted,
        before: Session | None,
        settlement: Settlement,
        replaced: SessionKey | None = None,
    ) -> Step:
        """Return what a fact was worth. ``replaced``: the session that this one continues at its place, if any."""
        known = self._memberships.get(member)
        if settlement.downloaded:
            self._downloaded_here[member] = self._downloaded_here.get(member, 0) + settlement.downloaded
        if known is not None and _only_seeds(known, item.fact):
            return Step(settlement.session, known, pays=settlement.seeded_from is not None)
        return self._follow_download(member, item, before, settlement, replaced)

    def _follow_download(
        self,
        member: MembershipKey,
        item: Admitted,
        before: Session | None,
        settlement: Settlement,
        replaced: SessionKey | None,
    ) -> Step:
        known = self._memberships.get(member)
        membership = known or Membership(item.fact.at_ms)
        if replaced and settlement.replaced and membership.owed_by == replaced[2]:
            membership = membership._replace(owed_by=item.fact.peer_id)
        session, membership = _take(item, before or settlement.replaced, settlement, membership)
        took = session is not settlement.session
        membership, finished = self._finish(member, membership, item, before, session)
        owed, snatched = 0.0, False
        if finished or (took and membership.snatched_ms is None):
            owed, snatched, membership = self._charge(membership, item, session, finished=finished)
        partial_from = partial_seed_since(before, item.fact)
        pays = settlement.seeded_from is not None or partial_from is not None
        if pays and membership.owed_by not in {None, item.fact.peer_id}:
            pays, session, membership = self._take_over(membership, item, session)
        if membership is not known:
            self._memberships[member] = membership
        return Step(session, membership, snatched, owed, pays, partial_from)

    def _finish(
        self, member: MembershipKey, membership: Membership, item: Admitted, before: Session | None, session: Session
    ) -> tuple[Membership, bool]:
        """Return whether a fact ends the key's first download, with enough of it downloaded here."""
        fact = item.fact
        if membership.leeching and _finishes(before, fact):
            enough = _is_enough(self._downloaded_here.get(member, 0), item.torrent, session)
            return membership._replace(leeching=False), enough and membership.snatched_ms is None
        if fact.left > 0 and not (membership.leeching or is_hollow(fact) or _is_repeated(before, fact)):
            return membership._replace(leeching=True), False
        return membership, False

    def _charge(
        self, membership: Membership, item: Admitted, session: Session, *, finished: bool
    ) -> tuple[float, bool, Membership]:
        """Return the part of a snatch's debt that a fact adds, and whether it makes the download a snatch."""
        share = _taken_share(membership, item.torrent, session)
        snatched = finished or share >= self._parameters.snatch_threshold
        least = 1.0 / SNATCH_SHARE if session.most_left == 0 else self._parameters.look_threshold
        due = 1.0 if snatched else share if share > least else 0.0
        if due <= membership.owed_share and not snatched:
            return 0.0, False, membership
        is_own = membership.owed_by is None or session.taken * SNATCH_SHARE >= membership.taken
        charged = membership._replace(
            snatched_ms=item.fact.at_ms if snatched else None,
            owed_share=due,
            owed_by=item.fact.peer_id if is_own else membership.owed_by,
        )
        return due - membership.owed_share, snatched, charged

    def _take_over(self, membership: Membership, item: Admitted, session: Session) -> tuple[bool, Session, Membership]:
        """Return whether the seeding of a client pays what another one of the same key took."""
        size = _size(item.torrent, session)
        if size > 0 and session.taken >= self._parameters.snatch_threshold * size:
            return True, session, membership
        fact, owed_by = item.fact, membership.owed_by or b""
        if owed_by[:_PROGRAM_BYTES] != fact.peer_id[:_PROGRAM_BYTES]:
            return False, session, membership
        payer = self._sessions.get((*item.session_key[:2], owed_by))  # its row is deleted after weeks of silence
        if payer and not (is_silent(payer, fact) and is_at_address(payer.place, fact)):
            return False, session, membership
        taken = session.taken + payer.taken if payer else session.taken
        return True, session._replace(taken=capped(taken)), membership._replace(owed_by=fact.peer_id)


def _only_seeds(membership: Membership, fact: Fact) -> bool:
    """Return whether a fact changes nothing about a download or its payer; nearly all facts are like that."""
    return fact.left == 0 and not membership.leeching and membership.owed_by in (None, fact.peer_id)


def _take(
    item: Admitted, before: Session | None, settlement: Settlement, membership: Membership
) -> tuple[Session, Membership]:
    """Add what a leecher's fact shows to have been downloaded: by its counter, or by what is left falling slowly."""
    session, fact = settlement.session, item.fact
    if fact.left == 0 and (not membership.leeching or (before is not None and before.left == 0)):
        return session, membership
    taken = max(settlement.downloaded, _small_fall(before, fact, _size(item.torrent, session)))
    if not taken or is_hollow(fact):
        return session, membership
    if settlement.downloaded:
        membership = membership._replace(taken=capped(membership.taken + settlement.downloaded))
    return session._replace(taken=capped(session.taken + taken)), membership


def _small_fall(before: Session | None, fact: Fact, size: int) -> int:
    """Return by how much less is left than before; 0 for a large step, which is a client that checks what it has."""
    if before is None or not 0 <= fact.left < before.left:
        return 0
    fall = before.left - fact.left
    return fall if fall * LARGE_STEPS <= size else 0


def _size(torrent: Torrent, session: Session) -> int:
    return session.most_left if torrent.length is None else torrent.length


def _taken_share(membership: Membership, torrent: Torrent, session: Session) -> float:
    size = _size(torrent, session)
    return min(1.0, max(membership.taken, session.taken) / size) if size > 0 else 0.0


def guests_that_may_finish(admitted: Sequence[Admitted], sessions: Mapping[SessionKey, Session]) -> set[PrefixKey]:
    """Find the torrents and prefixes of guests that may finish a download in this batch."""
    leeching = {item.session_key for item in admitted if item.key is None and item.fact.left > 0}
    leeching |= {key for key, session in sessions.items() if key[0] is None and session.left > 0}
    return {
        (item.torrent.id, item.fact.prefix)
        for item in admitted
        if item.key is None and item.fact.left == 0 and item.session_key in leeching
    }


class GuestSnatches:
    """Follows the downloads of a batch's guests, about whom only sessions are stored.

    ``counted``: snatches already counted, by torrent and address prefix: anyone can pose as many guests.
    """

    def __init__(self, counted: Mapping[PrefixKey, int]) -> None:
        self._counted = dict(counted)

    def follow(self, item: Admitted, before: Session | None, after: Session) -> tuple[Session, bool]:
        """Return the session after a fact, and whether the fact ends the guest's download."""
        if before is None or before.snatched or before.left <= 0 or not _finishes(before, item.fact):
            return after, False
        if not _is_enough(after.downloaded_credit, item.torrent, after):
            return after, False
        prefix = (item.torrent.id, item.fact.prefix)
        number = self._counted[prefix] = self._counted.get(prefix, 0) + 1
        return after._replace(snatched=True), number <= GUEST_SNATCHES


def _finishes(session: Session | None, fact: Fact) -> bool:
    return fact.left == 0 and (session is None or session.left != 0) and not is_hollow(fact)


def _is_repeated(session: Session | None, fact: Fact) -> bool:
    """Return whether a session already includes this fact: another client may have finished the download since."""
    return session is not None and (session.last_seen_ms, session.left) == (fact.at_ms, fact.left)


def _is_enough(downloaded_here: int, torrent: Torrent, session: Session) -> bool:
    if torrent.length is not None:
        return downloaded_here > 0 and downloaded_here * SNATCH_SHARE >= torrent.length
    return session.most_left > 0 and downloaded_here * SNATCH_SHARE >= session.most_left
