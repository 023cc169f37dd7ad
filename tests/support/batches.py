"""Batches settled in memory, as the worker settles them with Postgres."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from etracker_scoring.scores.formula import ScoreParameters
from etracker_scoring.scores.keys import Key
from etracker_scoring.scores.newcomers import decide_origins
from etracker_scoring.worker.admission import Outcome, admit
from etracker_scoring.worker.batch import Batch, Stored, settle_facts
from etracker_scoring.worker.downloads import possible_snatches
from etracker_scoring.worker.known import places_of
from etracker_scoring.worker.readers.guest_snatches import GuestSnatchesReader
from etracker_scoring.worker.readers.scores.accounting import Changes, account_for_keys, find_newcomers
from etracker_scoring.worker.readers.sessions import SessionsReader
from etracker_scoring.worker.readers.snatches import SnatchesReader
from etracker_scoring.worker.readers.torrents import sum_up
from etracker_scoring.worker.records import Credit, Membership, MembershipKey, PrefixKey, Session, SessionKey, Torrent
from etracker_scoring.worker.sums import Sums
from etracker_shared.agreements.facts import MAX_COUNTER, Fact
from etracker_shared.language.identity import hash_announce_key
from tests.support.facts import START_MS, make_fact

TORRENTS = ("film", "music", "text")
SIZE = 1000
PARAMETERS = ScoreParameters()
NOW_MS = START_MS + 10**9


@dataclass
class Settled:
    """The changes that readers return for a batch."""

    outcomes: Counter[Outcome]
    sessions: dict[SessionKey, Session]
    memberships: dict[MembershipKey, Membership]
    keys: Changes
    torrents: dict[int, Sums]


class Store:
    """What Postgres would hold, so that a test can settle batch after batch."""

    def __init__(self, length: int | None = SIZE) -> None:
        self.torrents = {make_fact(torrent=name).info_hash: Torrent(at, length) for at, name in enumerate(TORRENTS)}
        hashes = [hash_announce_key(name) for name in ("alice", "bob")]
        self.keys = {key_hash: Key(number, key_hash) for number, key_hash in enumerate(hashes, 1)}
        self.sessions: dict[SessionKey, Session] = {}
        self.memberships: dict[MembershipKey, Membership] = {}
        self.credits: dict[MembershipKey, Credit] = {}
        self.guest_snatches: Counter[PrefixKey] = Counter()
        self.totals: Counter[str] = Counter()

    def settle(self, facts: Sequence[Fact]) -> Settled:
        admitted, dropped = admit(facts, self.keys, self.torrents)
        downloaded = {
            member: sum(kept.downloaded_credit for key, kept in self.sessions.items() if key[:2] == member)
            for member in possible_snatches(admitted, self.memberships)
        }
        holders = {(*key[:2], place): key for key, kept in self.sessions.items() for place in places_of(kept)}
        stored = Stored(
            dict(self.sessions),
            holders,
            dict(self.memberships),
            dict(self.credits),
            downloaded,
            dict(self.guest_snatches),
        )
        settled, sessions, outcomes = settle_facts(admitted, stored)
        demand = {item.torrent.id: item.demand for item in settled if item.demand}
        batch = Batch(settled, stored, NOW_MS, sessions=sessions)
        newcomers = find_newcomers(settled)
        origins = decide_origins(newcomers.values(), [], PARAMETERS)
        result = Settled(
            outcomes=outcomes + dropped,
            sessions=dict(SessionsReader().read(batch, None)),
            memberships=SnatchesReader().read(batch, None),
            keys=account_for_keys(batch, newcomers, origins, PARAMETERS),
            torrents=sum_up(settled),
        )
        self.guest_snatches += GuestSnatchesReader().read(batch, None)
        for info_hash, torrent in self.torrents.items():
            self.torrents[info_hash] = torrent._replace(demand=demand.get(torrent.id, torrent.demand))
        self._store(result)
        return result

    def _store(self, result: Settled) -> None:
        self.sessions.update(result.sessions)
        self.memberships.update(result.memberships)
        self.credits.update((member, stored.credit) for member, stored in result.keys.credits.items())
        for key_hash, key in self.keys.items():
            if scored := result.keys.scores.get(key.id):
                origin = result.keys.origins.by_key.get(key.id, key.origin)
                self.keys[key_hash] = key._replace(history=scored.history, held=scored.held, origin=origin)
        for side, entries in (("keys", result.keys.sums), ("torrents", result.torrents)):
            for sums in entries.values():
                for name in ("snatches", "uploaded", "downloaded", "seeding_seconds"):
                    total = self.totals[f"{side} {name}"] + getattr(sums, name)
                    self.totals[f"{side} {name}"] = min(MAX_COUNTER, total)

    @property
    def snatches(self) -> int:
        return self.totals["torrents snatches"]
