"""Real clients in a ring: each seeds its own torrent to the next one, all at the same time.

The torrents are private, and DHT, PEX and LSD are off, so only the tracker can have introduced the clients. The
counters in a client's own interface are those that it announces, so Postgres must have them, to the byte. They are
also what the client sent, except that Transmission counts a little of the protocol as upload (0.1 %).
"""

import hashlib
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from fastbencode import bdecode

from etracker_shared.agreements.facts import Event
from tests.support import clients
from tests.support.clients import Client, Status
from tests.support.netns import client_address
from tests.support.processes import wait_until
from tests.support.room import Room
from tests.support.torrents import Content, info_hash_v1, make_content, make_torrent
from tests.support.tracker import Counts, Tracker, User

LENGTH = 20_000_000
DOWNLOAD_SECONDS = 120.0
TRANSMISSION_OVERCOUNT = 1.001

_STATISTICS = """
SELECT given.announce_key, torrent.info_hash, session.uploaded, session.downloaded, session.uploaded_credit,
       session.downloaded_credit, session.amount_left, session.event
FROM announces AS session
JOIN peers AS key ON key.id = session.key_id
JOIN unnest($1::text[]) AS given (announce_key) ON hash_announce_key(given.announce_key) = key.key_hash
JOIN infohashes AS torrent ON torrent.id = session.info_hash_id
"""


@dataclass(slots=True)
class Member:
    """One member of the ring: a client, its user, what it seeds and what it downloads."""

    client: Client
    user: User
    content: Content
    torrent: bytes
    seeding: str = field(init=False, repr=False)
    downloading: str = field(init=False, repr=False)
    seeded: Status = field(init=False, repr=False)
    downloaded: Status = field(init=False, repr=False)

    @property
    def info_hash(self) -> bytes:
        """The infohash of the torrent that this member seeds."""
        return info_hash_v1(self.torrent)


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("version", "kinds"),
    [
        (4, clients.ALL),
        (6, (clients.Transmission, clients.QBittorrent)),
        pytest.param(6, (clients.Aria2, clients.Transmission, clients.Libtorrent), marks=pytest.mark.full),
    ],
    ids=["IPv4", "IPv6", "IPv6-others"],
)
def test_clients_that_only_the_tracker_introduced_exchange_files_and_are_counted_to_the_byte(
    tracker: Tracker, room: Room, version: int, kinds: Sequence[type[Client]]
) -> None:
    ring = [_join(tracker, room, number, kind, version) for number, kind in enumerate(kinds, start=1)]
    _seed(ring)
    _download(ring, room.directory)
    _say_complete(ring)
    _read_counters(ring)
    _stop(ring)
    _check_files(ring, room.directory)
    _check_clients_against_what_was_sent(ring)
    _check_sessions(tracker, ring)
    _check_totals(tracker, ring)


def _join(tracker: Tracker, room: Room, number: int, kind: type[Client], version: int) -> Member:
    name = f"{kind.name}-{version}"
    content = make_content(room.directory / name / "seeds" / f"of-{name}.bin", LENGTH + number * 12_345)
    torrent = make_torrent(content)
    tracker.upload(torrent)
    client = kind(room.directory / name / "home", client_address(number, version))
    room.start(client)
    return Member(client, room.user(number, version), content, torrent)


def _pairs(ring: list[Member]) -> list[tuple[Member, Member]]:
    """Return each member with the one whose torrent it downloads."""
    return [(member, ring[place - 1]) for place, member in enumerate(ring)]


def _seed(ring: list[Member]) -> None:
    for member in ring:
        torrent = member.user.torrent(member.info_hash)
        _check_only_tracker(torrent, member.user)
        member.seeding = member.client.add(torrent, member.content.path.parent, seeding=True)
    for member in ring:
        member.user.wait_for_counts(member.info_hash, Counts(complete=1, incomplete=0, downloaded=0))


def _check_only_tracker(torrent: bytes, user: User) -> None:
    fields = bdecode(torrent)
    assert fields[b"info"][b"private"] == 1
    assert fields[b"announce"].decode() == user.announce_url
    assert not fields.keys() & {b"nodes", b"url-list", b"httpseeds"}


def _download(ring: list[Member], directory: Path) -> None:
    for member, source in _pairs(ring):
        torrent = member.user.torrent(source.info_hash)
        member.downloading = member.client.add(torrent, _downloads(directory, member), seeding=False)
    with ThreadPoolExecutor(len(ring)) as threads:
        list(threads.map(_wait_for_file, ring))


def _wait_for_file(member: Member) -> None:
    began = time.monotonic()
    client, handle = member.client, member.downloading
    wait_until(lambda: client.status(handle).complete, f"{client} completes its download", DOWNLOAD_SECONDS, 0.2)
    sys.stdout.write(f"{client} had its file after {time.monotonic() - began:.1f} s\n")


def _downloads(directory: Path, member: Member) -> Path:
    return directory / f"{member.client.name}-{member.client.address.version}" / "downloads"


def _say_complete(ring: list[Member]) -> None:
    """Wait until the tracker knows; rtorrent would only report it with its next regular announce."""
    for member, source in _pairs(ring):
        if isinstance(member.client, clients.RTorrent):
            member.client.announce(member.downloading)
        member.user.wait_for_counts(source.info_hash, Counts(complete=2, incomplete=0, downloaded=1))


def _read_counters(ring: list[Member]) -> None:
    """Read the clients' own counters; qBittorrent updates them every 1.5 s."""
    for member in ring:
        wait_until(partial(_says_all_sent, member), f"{member.client} says what it sent")
        member.seeded = member.client.status(member.seeding)
        member.downloaded = member.client.status(member.downloading)


def _says_all_sent(member: Member) -> bool:
    return member.client.status(member.seeding).uploaded >= member.content.length


def _stop(ring: list[Member]) -> None:
    with ThreadPoolExecutor(len(ring)) as threads:
        list(threads.map(lambda member: member.client.stop(), ring))
    for member in ring:
        member.user.wait_for_counts(member.info_hash, Counts(complete=0, incomplete=0, downloaded=1))


def _check_files(ring: list[Member], directory: Path) -> None:
    for member, source in _pairs(ring):
        data = (_downloads(directory, member) / source.content.name).read_bytes()
        assert hashlib.sha256(data).digest() == source.content.sha256, f"{member.client} has another file"


def _check_clients_against_what_was_sent(ring: list[Member]) -> None:
    for member, source in _pairs(ring):
        overcount = TRANSMISSION_OVERCOUNT if isinstance(member.client, clients.Transmission) else 1
        length = member.content.length
        assert length <= member.seeded.uploaded <= length * overcount, member.client
        assert member.seeded.downloaded == 0, member.client
        assert member.downloaded.downloaded == source.content.length, member.client
        assert member.downloaded.uploaded == 0, member.client


def _check_sessions(tracker: Tracker, ring: list[Member]) -> None:
    keys = [member.user.key for member in ring]

    def all_stopped() -> bool:
        return [row["event"] for row in tracker.query(_STATISTICS, keys)] == [Event.STOPPED] * 2 * len(ring)

    wait_until(all_stopped, "every session's end is in Postgres", pause=0.2)
    sessions = {(row["announce_key"], row["info_hash"]): row for row in tracker.query(_STATISTICS, keys)}
    for member, source in _pairs(ring):
        for info_hash, said in ((member.info_hash, member.seeded), (source.info_hash, member.downloaded)):
            row = sessions[member.user.key, info_hash]
            assert (row["uploaded"], row["downloaded"]) == (said.uploaded, said.downloaded), member.client
            assert (row["uploaded_credit"], row["downloaded_credit"]) == (said.uploaded, said.downloaded), member.client
            assert row["amount_left"] == 0, member.client


def _check_totals(tracker: Tracker, ring: list[Member]) -> None:
    for member, source in _pairs(ring):
        (key,) = tracker.query("SELECT * FROM peers WHERE key_hash = hash_announce_key($1)", member.user.key)
        assert (key["uploaded"], key["downloaded"]) == (member.seeded.uploaded, member.downloaded.downloaded)
        assert key["snatched"] == 1, member.client
        (torrent,) = tracker.query("SELECT * FROM infohashes WHERE info_hash = $1", source.info_hash)
        assert torrent["uploaded_bytes"] == source.seeded.uploaded, source.client
        assert torrent["downloaded_bytes"] == member.downloaded.downloaded, member.client
        assert torrent["downloaded"] == 1, f"snatches of {source.client}'s torrent"
