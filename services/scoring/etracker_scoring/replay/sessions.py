"""The sessions of a replay, in memory: what the worker loads from Postgres for each batch."""

from collections.abc import Iterable, Mapping, Sequence

from etracker_scoring.worker.admission import Admitted
from etracker_scoring.worker.batch import Stored
from etracker_scoring.worker.known import RECENT_SESSIONS, places_of
from etracker_scoring.worker.records import MembershipKey, Place, Session, SessionKey

SILENT_MS = 14 * 86_400_000
"""Sessions that have been silent for longer are forgotten."""


class MemorySessions:
    """The state of each session. Memberships aren't kept: the detector takes nothing from them."""

    def __init__(self) -> None:
        self._sessions: dict[SessionKey, Session] = {}
        self._of_members: dict[MembershipKey, list[SessionKey]] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def load(self, admitted: Sequence[Admitted]) -> Stored:
        """Return what is stored about the sessions of a batch, and of clients that a new one may continue."""
        known, found, new = self._sessions, {}, set()
        for item in admitted:
            key = item.session_key
            session = known.get(key)
            if session is not None:
                found[key] = session
            elif key[0] is not None:
                new.add((key[0], key[1]))
        holders: dict[Place, SessionKey] = {}
        for member in new & self._of_members.keys():
            for key in self._recent(self._of_members[member]):
                session = known[key]
                found[key] = session
                holders.update(dict.fromkeys(((*member, place) for place in places_of(session)), key))
        return Stored(found, holders)

    def _recent(self, keys: Iterable[SessionKey]) -> list[SessionKey]:
        return sorted(keys, key=lambda key: self._sessions[key].last_seen_ms)[-RECENT_SESSIONS:]

    def store(self, changed: Mapping[SessionKey, Session]) -> None:
        """Store the sessions that a batch changed."""
        known = self._sessions
        for key in changed:
            if key not in known and key[0] is not None:
                self._of_members.setdefault((key[0], key[1]), []).append(key)
        known.update(changed)

    def forget_before(self, at_ms: int) -> None:
        """Forget the sessions that have been silent since then."""
        silent = [key for key, session in self._sessions.items() if session.last_seen_ms < at_ms]
        for key in silent:
            del self._sessions[key]
            if key[0] is not None:
                self._leave((key[0], key[1]), key)

    def _leave(self, member: MembershipKey, key: SessionKey) -> None:
        sessions = self._of_members[member]
        sessions.remove(key)
        if not sessions:
            del self._of_members[member]
