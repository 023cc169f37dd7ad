"""A batch of settled facts: what each was worth. Readers decide what to count."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from etracker_scoring.scores.keys import Key
from etracker_scoring.worker.admission import Admitted, Outcome
from etracker_scoring.worker.downloads import Downloads, is_guests_snatch
from etracker_scoring.worker.entries import Entry
from etracker_scoring.worker.records import Credit, Membership, MembershipKey, Session, SessionKey, Torrent
from etracker_scoring.worker.sessions import settle
from etracker_shared.agreements.facts import Fact


class SettledFact(NamedTuple):
    """A fact compared with the stored state of its session.

    ``key``, ``member``, ``membership``: None for a guest. ``before``, ``after``: the session, ``before`` None if it
    began with this fact. ``uploaded``, ``downloaded``: deltas in bytes. ``seeded_from``: Unix seconds at which the
    seeding time that the fact proves began (it ends with the fact), None if it proves none. ``membership``: after the
    fact. ``snatched``: the fact ended the first download of the torrent.
    """

    fact: Fact
    key: Key | None
    torrent: Torrent
    session_key: SessionKey
    before: Session | None
    after: Session
    uploaded: int
    downloaded: int
    seeded_from: int | None
    member: MembershipKey | None
    membership: Membership | None
    snatched: bool


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored about the sessions and memberships of a batch.

    ``downloaded_here``: bytes over all sessions of a membership; loaded only where a snatch is possible.
    """

    sessions: Mapping[SessionKey, Session] = field(default_factory=dict)
    memberships: Mapping[MembershipKey, Membership] = field(default_factory=dict)
    credits: Mapping[MembershipKey, Credit] = field(default_factory=dict)
    downloaded_here: Mapping[MembershipKey, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Batch:
    """The input of readers. ``facts``: in stream order. ``now_ms``: when the batch is read, Unix milliseconds.

    ``entries``: everything read from the streams, including facts that don't count and facts that can't be read.
    """

    facts: Sequence[SettledFact]
    stored: Stored
    now_ms: int
    entries: Sequence[Entry] = ()


def settle_facts(admitted: Sequence[Admitted], stored: Stored) -> tuple[list[SettledFact], Counter[Outcome]]:
    """Settle facts in order."""
    settled: list[SettledFact] = []
    sessions = dict(stored.sessions)  # one look-up per fact: hashing a session's key is a good part of its cost
    downloads = Downloads(stored.memberships, stored.downloaded_here)
    stale = 0
    for item in admitted:
        fact, key, torrent, session_key = item
        before = sessions.get(session_key)
        settlement = settle(before, fact)
        if settlement is None:
            stale += 1
            continue
        after, uploaded, downloaded, seeded_from = settlement
        member = membership = None
        if key:
            member = (key.id, torrent.id)
            membership, snatched = downloads.follow(member, item, before, settlement)
        else:
            snatched = is_guests_snatch(item, before, settlement)
            after = after._replace(snatched=True) if snatched else after
        sessions[session_key] = after
        settled.append(
            SettledFact(
                fact, key, torrent, session_key, before, after, uploaded, downloaded, seeded_from, member, membership,
                snatched,
            )
        )  # fmt: skip
    outcomes = Counter({Outcome.SETTLED: len(settled), Outcome.STALE: stale})
    return settled, +outcomes
