"""Follows downloads, and finds the fact that is a snatch."""

from collections.abc import Mapping, Sequence

from etracker_scoring.worker.admission import Admitted
from etracker_scoring.worker.records import Membership, MembershipKey, PrefixKey, Session, SessionKey, Torrent
from etracker_scoring.worker.sessions import Settlement, is_hollow
from etracker_shared.agreements.facts import Fact

SNATCH_SHARE = 10
"""A snatch needs at least 1/SNATCH_SHARE of the torrent's size downloaded here.

If the size is unknown, the same share of the most that the client instance ever reported as left counts instead. A
client that began with everything only repairs what it has: that isn't a snatch.
"""

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


class Downloads:
    """Follows the downloads of one batch. ``downloaded_here``: bytes over all sessions, past ones included."""

    def __init__(
        self, memberships: Mapping[MembershipKey, Membership], downloaded_here: Mapping[MembershipKey, int]
    ) -> None:
        self._memberships = dict(memberships)
        self._downloaded_here = dict(downloaded_here)

    def follow(
        self, member: MembershipKey, item: Admitted, before: Session | None, settlement: Settlement
    ) -> tuple[Membership, bool]:
        """Return the membership after a fact, and whether the fact ends the key's first download."""
        fact = item.fact
        known = self._memberships.get(member)
        membership = known or Membership(fact.at_ms)
        if settlement.downloaded:
            self._downloaded_here[member] = self._downloaded_here.get(member, 0) + settlement.downloaded
        snatched = False
        if membership.leeching and _finishes(before, fact):
            enough = _is_enough(self._downloaded_here.get(member, 0), item.torrent, settlement.session)
            snatched = enough and membership.snatched_ms is None
            snatched_ms = fact.at_ms if snatched else membership.snatched_ms
            membership = membership._replace(leeching=False, snatched_ms=snatched_ms)
        elif fact.left > 0 and not (membership.leeching or is_hollow(fact) or _is_repeated(before, fact)):
            membership = membership._replace(leeching=True)
        if membership is not known:
            self._memberships[member] = membership
        return membership, snatched


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
