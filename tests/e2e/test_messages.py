"""The tracker's messages as clients show them, and how the clients' odder habits affect statistics."""

from collections.abc import Callable

import asyncpg
import pytest

from etracker_shared.agreements.facts import Event
from tests.support.clients import Aria2, Client, Libtorrent, QBittorrent, Status, Transmission
from tests.support.netns import TRACKER_NAME, client_address
from tests.support.processes import wait_until
from tests.support.room import Room
from tests.support.torrents import (
    Content,
    Version,
    info_hash_v1,
    info_hash_v2,
    make_content,
    make_torrent,
    with_announce_url,
)
from tests.support.tracker import Counts, Tracker, User

LENGTH = 3_000_000
SECONDS = 60.0
WRONG_KEY = "0" * 30

pytestmark = pytest.mark.timeout(120)


def _content(room: Room, name: str) -> Content:
    return make_content(room.directory / "seeds" / name, LENGTH)


def _start(room: Room, kind: type[Client], number: int, version: int = 4) -> Client:
    client = kind(room.directory / f"{kind.name}-{number}", client_address(number, version))
    room.start(client)
    return client


def _wait_for_file(client: Client, handle: str) -> Status:
    wait_until(lambda: client.status(handle).complete, f"{client} completes its download", SECONDS, 0.2)
    return client.status(handle)


def _row(tracker: Tracker, query: str, *arguments: object, when: Callable[[asyncpg.Record], bool]) -> asyncpg.Record:
    """Wait until the only row of a query is as it should be, and return it."""

    def is_so() -> bool:
        rows = tracker.query(query, *arguments)
        return len(rows) == 1 and when(rows[0])

    wait_until(is_so, f"{query} {arguments} is as it should be", pause=0.2)
    return tracker.query(query, *arguments)[0]


@pytest.mark.parametrize("kind", [Transmission, Libtorrent])
def test_a_client_shows_that_its_announce_key_is_wrong(tracker: Tracker, room: Room, kind: type[Client]) -> None:
    torrent = make_torrent(_content(room, f"wrong-key-{kind.name}.bin"))
    tracker.upload(torrent)
    wait_until(
        lambda: tracker.refuses(WRONG_KEY), "the key is refused"
    )  # while scoring is starting, it counts as a guest's
    client = _start(room, kind, 1)
    url = f"{tracker.url(4)}/{WRONG_KEY}/announce"
    handle = client.add(with_announce_url(torrent, url), room.directory / "downloads", seeding=False)
    expected = "Invalid announce key, get a new one at "
    wait_until(lambda: expected in client.status(handle).message, f"{client} shows {expected!r}", SECONDS)


@pytest.mark.parametrize("kind", [Transmission, Libtorrent])
def test_a_client_shows_that_its_torrent_is_not_tracked(tracker: Tracker, room: Room, kind: type[Client]) -> None:
    torrent = make_torrent(_content(room, f"untracked-{kind.name}.bin"))
    client = _start(room, kind, 1)
    url = room.user(1).announce_url
    handle = client.add(with_announce_url(torrent, url), room.directory / "downloads", seeding=False)
    expected = "Unregistered torrent"
    wait_until(lambda: expected in client.status(handle).message, f"{client} shows {expected!r}", SECONDS)


def test_a_client_on_both_address_families_is_one_peer_that_either_family_reaches(tracker: Tracker, room: Room) -> None:
    content = _content(room, "dual-stack.bin")
    torrent = make_torrent(content)
    tracker.upload(torrent)
    info_hash = info_hash_v1(torrent)
    seeder, owner = _start_on_both_families(room, 1)
    url = f"http://{TRACKER_NAME}:{tracker.port}/{owner.key}/announce"
    seeder.add(with_announce_url(torrent, url), content.path.parent, seeding=True)
    wait_until(lambda: seeder.logs().count("tracker_reply") == 2, f"{seeder} announces over both families")
    assert owner.scrape(info_hash) == Counts(complete=1, incomplete=0, downloaded=0)

    for version in (4, 6):
        leecher = _start(room, Libtorrent, 4 + version, version)
        downloads = room.directory / f"downloads-{version}"
        torrent = room.user(4 + version, version).torrent(info_hash)
        _wait_for_file(leecher, leecher.add(torrent, downloads, seeding=False))
        leecher.kill()  # so that the next one can download only from the first seeder

    seeder.stop()
    session = _row(tracker, _SESSIONS, owner.key, when=lambda row: row["event"] == Event.STOPPED)
    assert session["uploaded_credit"] == 2 * LENGTH


_SESSIONS = """
SELECT session.* FROM announces AS session JOIN peers AS key ON key.id = session.key_id
WHERE key.key_hash = hash_announce_key($1)
"""


def _start_on_both_families(room: Room, number: int) -> tuple[Client, User]:
    addresses = [client_address(number, version) for version in (4, 6)]
    client = Libtorrent(room.directory / "dual-stack", *addresses)
    room.start(client)
    return client, room.user(number)


def test_a_client_that_restarts_keeps_its_statistics(tracker: Tracker, room: Room) -> None:
    content = _content(room, "restart.bin")
    torrent = make_torrent(content)
    tracker.upload(torrent)
    info_hash = info_hash_v1(torrent)
    owner = room.user(1)
    seeder = _start(room, QBittorrent, 1)
    handle = seeder.add(owner.torrent(info_hash), content.path.parent, seeding=True)
    owner.wait_for_counts(info_hash, Counts(complete=1, incomplete=0, downloaded=0))
    _let_somebody_download(room, Aria2, 2, info_hash)
    wait_until(lambda: seeder.status(handle).uploaded == LENGTH, f"{seeder} says what it sent")
    seeder.stop()
    owner.wait_for_counts(info_hash, Counts(complete=0, incomplete=0, downloaded=1))

    seeder.start()
    owner.wait_for_counts(info_hash, Counts(complete=1, incomplete=0, downloaded=1))
    _let_somebody_download(room, Libtorrent, 3, info_hash)
    wait_until(lambda: seeder.status(handle).uploaded == LENGTH, f"{seeder} says what it sent since its restart")
    seeder.stop()
    key = _row(tracker, _KEY, owner.key, when=lambda row: row["uploaded"] == 2 * LENGTH)
    assert (key["downloaded"], key["snatched"]) == (0, 0)


_KEY = "SELECT * FROM peers WHERE key_hash = hash_announce_key($1)"


def _let_somebody_download(room: Room, kind: type[Client], number: int, info_hash: bytes) -> None:
    leecher = _start(room, kind, number)
    downloads = room.directory / f"downloads-{number}"
    _wait_for_file(leecher, leecher.add(room.user(number).torrent(info_hash), downloads, seeding=False))
    leecher.stop()


@pytest.mark.promise(4, 26)
@pytest.mark.parametrize("version", [Version.HYBRID, Version.V2])
def test_v2_and_hybrid_torrents_have_one_set_of_statistics(tracker: Tracker, room: Room, version: Version) -> None:
    content = _content(room, f"{version.name}.bin")
    torrent = make_torrent(content, version=version)
    tracker.upload(torrent)
    info_hash = info_hash_v2(torrent)[:20]
    seeding, downloading = room.user(1), room.user(2)
    seeder, leecher = _start(room, Libtorrent, 1), _start(room, Libtorrent, 2)
    seeder.add(seeding.torrent(info_hash), content.path.parent, seeding=True)
    for swarm in _swarms(torrent, version):
        seeding.wait_for_counts(swarm, Counts(complete=1, incomplete=0, downloaded=0))
    said = _wait_for_file(
        leecher, leecher.add(downloading.torrent(info_hash), room.directory / "downloads", seeding=False)
    )
    for swarm in _swarms(torrent, version):
        seeding.wait_for_counts(swarm, Counts(complete=2, incomplete=0, downloaded=1))
    leecher.stop()
    seeder.stop()

    assert said.downloaded == LENGTH
    _row(tracker, _KEY, seeding.key, when=lambda row: row["uploaded"] == LENGTH and row["snatched"] == 0)
    _row(tracker, _KEY, downloading.key, when=lambda row: row["downloaded"] == LENGTH and row["snatched"] == 1)
    _row(tracker, _SESSIONS, downloading.key, when=lambda row: row["event"] == Event.STOPPED)
    _row(tracker, _TORRENT, info_hash_v2(torrent), when=_has_one_set)


_TORRENT = "SELECT * FROM infohashes WHERE info_hash_v2 = $1 AND same_as IS NULL"


def _has_one_set(torrent: asyncpg.Record) -> bool:
    return bool((torrent["uploaded_bytes"], torrent["downloaded_bytes"], torrent["downloaded"]) == (LENGTH, LENGTH, 1))


def _swarms(torrent: bytes, version: Version) -> list[bytes]:
    """Return the infohashes that are announced: those of a hybrid are two swarms."""
    v2 = info_hash_v2(torrent)[:20]
    return [v2, info_hash_v1(torrent)] if version is Version.HYBRID else [v2]
