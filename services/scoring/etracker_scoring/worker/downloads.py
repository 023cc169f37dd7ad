"""Follows downloads, and finds the fact that is a snatch."""

from collections.abc import Mapping, Sequence

from etracker_scoring.worker.admission import Admitted
from etracker_scoring.worker.records import Membership, MembershipKey, Session
from etracker_scoring.worker.sessions import Settlement, is_hollow
from etracker_shared.agreements.facts import Fact

SNATCH_SHARE = 10
"""A snatch needs at least 1/SNATCH_SHARE of the torrent's size downloaded here."""


def possible_snatches(
    admitted: Sequence[Admitted], memberships: Mapping[MembershipKey, Membership]
) -> set[MembershipKey]:
    """Find the stored memberships that may finish their first download in this batch.

    They are few, so the downloads of all sessions needn't be added up for every fact.
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
            enough = _is_enough(self._downloaded_here.get(member, 0), item.torrent.length)
            snatched = enough and membership.snatched_ms is None
            snatched_ms = fact.at_ms if snatched else membership.snatched_ms
            membership = membership._replace(leeching=False, snatched_ms=snatched_ms)
        elif fact.left > 0 and not (membership.leeching or is_hollow(fact) or _is_repeated(before, fact)):
            membership = membership._replace(leeching=True)
        if membership is not known:
            self._memberships[member] = membership
        return membership, snatched


def is_guests_snatch(item: Admitted, before: Session | None, settlement: Settlement) -> bool:
    """Return whether a guest's fact ends its download; a guest has no membership, only its session."""
    if before is None or before.snatched or before.left <= 0 or not _finishes(before, item.fact):
        return False
    return _is_enough(settlement.session.downloaded_credit, item.torrent.length)


def _finishes(session: Session | None, fact: Fact) -> bool:
    return fact.left == 0 and (session is None or session.left != 0) and not is_hollow(fact)


def _is_repeated(session: Session | None, fact: Fact) -> bool:
    """Return whether a session includes this fact already: another client may have finished the download since."""
    return session is not None and (session.last_seen_ms, session.left) == (fact.at_ms, fact.left)


def _is_enough(downloaded_here: int, length: int | None) -> bool:
    return downloaded_here > 0 and downloaded_here * SNATCH_SHARE >= (length or 0)
