"""A batch of settled facts: what each was worth. Readers decide what to count."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from etracker_scoring.scores.formula import ScoreParameters
from etracker_scoring.scores.keys import Key
from etracker_scoring.worker.admission import Admitted, Outcome
from etracker_scoring.worker.bases import place_of
from etracker_scoring.worker.demand import Demand
from etracker_scoring.worker.downloads import Downloads, GuestSnatches, Step
from etracker_scoring.worker.entries import Entry
from etracker_scoring.worker.plausibility import NO_LIMITS, Limits
from etracker_scoring.worker.records import (
    Credit,
    Membership,
    MembershipKey,
    Place,
    PrefixKey,
    Session,
    SessionKey,
    Torrent,
)
from etracker_scoring.worker.sessions import settle
from etracker_shared.agreements.facts import Event, Fact

DEFAULTS = ScoreParameters()


class SettledFact(NamedTuple):
    """A fact compared with the stored state of its session.

    ``key``, ``member``, ``membership``: None for a guest. ``before``, ``after``: the session; ``before`` is None if it
    began with this fact. ``uploaded``, ``downloaded``: deltas in bytes. ``seeded_from``: start of the seeding that the
    fact proves (Unix seconds); the fact is its end; None if it proves none. ``membership``: after the fact.
    ``snatched``: the fact ended the first download of the torrent, or came as close to its end as makes no difference.
    ``owed``: the part of a snatch's debt that it adds. ``pays``: its seeding pays the debt. ``partial_from``: like
    ``seeded_from``, for a partial seed. ``wanted``: somebody else downloaded while it seeded. ``demand``: as it is to
    be stored for the torrent, if the fact changed it.
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
    owed: float = 0.0
    pays: bool = False
    partial_from: int | None = None
    wanted: bool = False
    demand: bytes | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored about the sessions and memberships of a batch.

    ``holders``: the session that was last at a place; loaded only for keys' new sessions. ``downloaded_here``: bytes
    over all sessions of a membership. ``guest_snatches``: the number per address prefix. The last two are loaded only
    where a snatch is possible.
    """

    sessions: Mapping[SessionKey, Session] = field(default_factory=dict)
    holders: Mapping[Place, SessionKey] = field(default_factory=dict)
    memberships: Mapping[MembershipKey, Membership] = field(default_factory=dict)
    credits: Mapping[MembershipKey, Credit] = field(default_factory=dict)
    downloaded_here: Mapping[MembershipKey, int] = field(default_factory=dict)
    guest_snatches: Mapping[PrefixKey, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Batch:
    """The input of readers. ``facts``: in stream order. ``now_ms``: when the batch is read, Unix milliseconds.

    ``sessions``: those that changed, as they are after the last fact.
    ``entries``: everything read from the streams, including facts that don't count and facts that can't be read.
    """

    facts: Sequence[SettledFact]
    stored: Stored
    now_ms: int
    entries: Sequence[Entry] = ()
    sessions: Mapping[SessionKey, Session] = field(default_factory=dict)


class Settled(NamedTuple):
    """The settled facts of a batch, the sessions that changed, and the number of facts by outcome."""

    facts: list[SettledFact]
    sessions: dict[SessionKey, Session]
    outcomes: Counter[Outcome]


def settle_facts(
    admitted: Sequence[Admitted],
    stored: Stored,
    limits: Limits = NO_LIMITS,
    parameters: ScoreParameters = DEFAULTS,
) -> Settled:
    """Settle facts in order."""
    settled: list[SettledFact] = []
    sessions = dict(stored.sessions)  # one look-up per fact: hashing a session's key is a good part of a fact's cost
    changed: dict[SessionKey, Session] = {}
    holders = dict(stored.holders)
    downloads = Downloads(stored.memberships, stored.downloaded_here, sessions, parameters)
    demand = Demand()
    guests = GuestSnatches(stored.guest_snatches)
    stale = implausible = 0
    for item in admitted:
        fact, key, torrent, session_key = item
        before = sessions.get(session_key)
        if before is None and key is None and fact.event == Event.STOPPED:
            stale += 1  # nothing is stored about an unknown guest that leaves
            continue
        place = place_of(fact)
        # A place changes hands only with a session's first fact, or when a session moves to another place.
        taken = (*session_key[:2], place) if key and place and (before is None or before.place != place) else None
        replaced_key = holders.get(taken) if taken and before is None else None
        predecessor = sessions.get(replaced_key) if replaced_key else None
        settlement = settle(before, fact, predecessor, torrent, limits, place=place)
        if settlement is None:
            stale += 1
            continue
        after, uploaded, downloaded, seeded_from, is_implausible, replaced = settlement
        implausible += is_implausible
        if replaced and replaced_key:
            sessions[replaced_key] = changed[replaced_key] = replaced
        changed_demand = demand.follow(torrent, fact, before)
        if key:
            step = downloads.follow((key.id, torrent.id), item, before, settlement, replaced_key)
            after = step.session
            wanted = seeded_from is not None and demand.is_wanted(torrent, fact, seeded_from, parameters)
        else:
            after, snatched = guests.follow(item, before, after)
            step, wanted = Step(after, snatched=snatched), False
        sessions[session_key] = changed[session_key] = after
        if taken:
            holders[taken] = session_key
        settled.append(
            SettledFact(
                fact, key, torrent, session_key, before, after, uploaded, downloaded, seeded_from,
                (key.id, torrent.id) if key else None, *step[1:], wanted, changed_demand,
            )
        )  # fmt: skip
    outcomes = Counter(
        {Outcome.SETTLED: len(settled) - implausible, Outcome.IMPLAUSIBLE: implausible, Outcome.STALE: stale}
    )
    return Settled(settled, changed, +outcomes)
