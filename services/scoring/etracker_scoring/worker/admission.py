"""Which facts count: those of registered keys and guests about tracked torrents."""

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from etracker_scoring.scores.keys import Key
from etracker_scoring.worker.records import SessionKey, Torrent
from etracker_shared.agreements.facts import NO_ADDRESS, Fact, FactFlag
from etracker_shared.language.identity import InfoHash, KeyHash

_GUEST = int(FactFlag.GUEST)  # operators of flags cost ten times as much as those of integers


class Outcome(StrEnum):
    """The outcome of a fact."""

    SETTLED = "settled"
    IMPLAUSIBLE = "implausible"
    """Settled, but a counter claimed more than a client can have transferred: only the possible part was credited."""
    STALE = "stale"
    UNREGISTERED = "unregistered"
    UNLISTED = "unlisted"
    POISON = "poison"


class Admitted(NamedTuple):
    """A fact that counts. ``key`` is None for a guest."""

    fact: Fact
    key: Key | None
    torrent: Torrent
    session_key: SessionKey


def is_guest(fact: Fact) -> bool:
    """Return whether a fact is a guest's."""
    return int(fact.flags) & _GUEST != 0


def admit(
    facts: Iterable[Fact], keys: Mapping[KeyHash, Key], torrents: Mapping[InfoHash, Torrent]
) -> tuple[list[Admitted], Counter[Outcome]]:
    """Keep the facts that count; count the others."""
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
            session_key = (key.id, torrent.id, fact.peer_id) if key else (None, torrent.id, _guest_instance(fact))
            admitted.append(Admitted(fact, key, torrent, session_key))
    return admitted, dropped


def _guest_instance(fact: Fact) -> bytes:
    """Return what distinguishes a guest from other guests: only its peer_id in facts of the first version."""
    return fact.peer_id if fact.address_hash == NO_ADDRESS else fact.key_hash
