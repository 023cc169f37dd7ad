"""One swarm of libtorrent sessions, and when each of them completes."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import libtorrent
import numpy as np
from fastbencode import bdecode

from bench.trackers.etracker import Etracker
from lab.real.network import address_of
from lab.real.people import Kind, Person, Torrent

POLL_SECONDS = 0.1
JOIN_SECONDS = 0.2
SEEDERS_SECONDS = 60.0
ATTEMPTS = 20

_OFF = ("enable_dht", "enable_lsd", "enable_upnp", "enable_natpmp", "enable_incoming_utp", "enable_outgoing_utp")
_PLAIN = 2  # pe_disabled: encryption would only cost time


class SilentSeedersError(Exception):
    """Seeders can't reach the tracker."""


@dataclass(slots=True)
class Client:
    """A session with one torrent. Times are monotonic seconds."""

    person: Person
    session: Any
    handle: Any
    joined: float
    completed: float | None = None

    @property
    def progress(self) -> float:
        """The share that is downloaded, 0 to 1."""
        return float(self.handle.status().progress)

    def look(self) -> None:
        """Note a completion; a free-rider leaves then."""
        if self.completed is None and self.handle.status().is_seeding:
            self.completed = time.monotonic()
            if self.person.kind is Kind.FREE_RIDER:
                self.handle.pause()


@dataclass(slots=True)
class Outcome:
    """Seconds from joining to completion, by kind; ``stranded``: the clients that didn't complete in time."""

    seconds: dict[Kind, list[float]] = field(default_factory=dict)
    stranded: int = 0


def play(
    tracker: Etracker,
    people: Sequence[Person],
    torrent: Torrent,
    *,
    home: Path,
    seed: int,
    limit_seconds: float,
    advance: Callable[[float], object],
) -> Outcome:
    """Start the seeders, then everybody else in an order that depends on the seed, and wait until all have completed.

    ``advance`` is called with the share of all downloads that was completed since its last call.
    """
    _meet(tracker, people, torrent)
    with _clients() as start:
        for person in people:
            if person.kind is Kind.SEEDER:
                start(tracker, person, torrent, torrent.directory)
        _await_seeders(tracker, people, torrent)
        leechers = [person for person in people if person.kind is not Kind.SEEDER]
        clients = []
        for person in (leechers[place] for place in np.random.default_rng(seed).permutation(len(leechers))):
            place = home / str(person.number)
            place.mkdir()
            clients.append(start(tracker, person, torrent, place))
            time.sleep(JOIN_SECONDS)
        _watch(clients, limit_seconds, advance)
    return _outcome(clients)


@contextmanager
def _clients() -> Iterator[Callable[[Etracker, Person, Torrent, Path], Client]]:
    clients: list[Client] = []

    def start(tracker: Etracker, person: Person, torrent: Torrent, place: Path) -> Client:
        session = libtorrent.session(_settings(person))
        parameters = libtorrent.load_torrent_buffer(torrent.announcing_to(_url(tracker, person)))
        parameters.save_path = str(place)
        parameters.flags = libtorrent.torrent_flags.disable_pex
        if person.kind is Kind.SEEDER:
            parameters.flags |= libtorrent.torrent_flags.seed_mode
        client = Client(person, session, session.add_torrent(parameters), time.monotonic())
        clients.append(client)
        return client

    try:
        yield start
    finally:
        for client in clients:
            client.session.pause()
        clients.clear()


def _settings(person: Person) -> Any:
    """Return libtorrent's defaults, except for what scales with time: the intervals of announcing and unchoking."""
    return {
        **dict.fromkeys(_OFF, False),
        "listen_interfaces": f"{address_of(person.number)}:6881",
        "outgoing_interfaces": str(address_of(person.number)),
        "in_enc_policy": _PLAIN,
        "out_enc_policy": _PLAIN,
        "min_announce_interval": 1,
        "unchoke_interval": 5,
        "optimistic_unchoke_interval": 10,
        "min_reconnect_time": 5,
        "aio_threads": 1,
        "alert_mask": 0,
        "user_agent": "etracker-lab",
    }


def _url(tracker: Etracker, person: Person) -> str:
    host, port = tracker.address
    return f"http://{host}:{port}/{person.key}/announce"


def _scrape(tracker: Etracker, person: Person, torrent: Torrent) -> dict[bytes, Any]:
    escaped = "".join(f"%{byte:02x}" for byte in torrent.info_hash)
    url = _url(tracker, person).replace("announce", "scrape")
    answer: dict[bytes, Any] = bdecode(httpx.get(f"{url}?info_hash={escaped}", trust_env=False).content)
    return answer


def _meet(tracker: Etracker, people: Sequence[Person], torrent: Torrent) -> None:
    """Let the tracker look everybody up, so that no first announce is answered before scoring has responded."""
    for person in people:
        for _ in range(ATTEMPTS):
            if torrent.info_hash in _scrape(tracker, person, torrent).get(b"files", {}):
                break
            time.sleep(POLL_SECONDS)


def _await_seeders(tracker: Etracker, people: Sequence[Person], torrent: Torrent) -> None:
    seeders = sum(person.kind is Kind.SEEDER for person in people)
    deadline = time.monotonic() + SEEDERS_SECONDS
    while time.monotonic() < deadline:
        if _scrape(tracker, people[0], torrent)[b"files"][torrent.info_hash][b"complete"] == seeders:
            return
        time.sleep(POLL_SECONDS)
    raise SilentSeedersError(f"fewer than {seeders} seeders announced within {SEEDERS_SECONDS:.0f} s")


def _watch(clients: Sequence[Client], limit_seconds: float, advance: Callable[[float], object]) -> None:
    deadline, before = time.monotonic() + limit_seconds, 0.0
    while time.monotonic() < deadline and any(client.completed is None for client in clients):
        time.sleep(POLL_SECONDS)
        for client in clients:
            client.look()
        now = sum(1.0 if client.completed else client.progress for client in clients) / len(clients)
        advance(now - before)
        before = now
    advance(1.0 - before)


def _outcome(clients: Sequence[Client]) -> Outcome:
    outcome = Outcome()
    for client in clients:
        if client.completed is None:
            outcome.stranded += 1
        else:
            outcome.seconds.setdefault(client.person.kind, []).append(client.completed - client.joined)
    return outcome
