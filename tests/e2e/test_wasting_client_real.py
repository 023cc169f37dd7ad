"""A real client that fetches the same data again and again: found, left out, and named to those that were given it.

Nothing is lowered but the interval between the announces, which are forced: every announce of the client is evidence.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.clients import Libtorrent, QBittorrent
from tests.support.netns import client_address
from tests.support.processes import wait_until
from tests.support.recordings.broken import lose
from tests.support.room import Room
from tests.support.stack import StackRun, running_stack
from tests.support.torrents import info_hash_v1, make_content, make_torrent
from tests.support.tracker import Tracker, User

LENGTH = 64_000_000
"""Smaller contents are not judged."""
ROUNDS = 6
SECONDS = 90.0
CONFIRMED = 2
"""As the database has it."""
STRANGER = b"-ET0001-a-newcomer-0"
_STATE = "SELECT state FROM anomalies JOIN peers ON peers.id = anomalies.key_id WHERE key_hash = hash_announce_key($1)"

pytestmark = [pytest.mark.full, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def stack(namespace: None) -> Iterator[StackRun]:
    """A tracker that acts on what it finds."""
    with running_stack({"ETRACKER_KEY_LIMIT": "1000/hour", "ETRACKER_DETECTION": "enforce"}, host="") as stack:
        yield stack


def test_a_client_whose_disk_loses_its_downloads_is_left_out_and_only_its_recipients_are_told(
    tracker: Tracker, room: Room
) -> None:
    content = make_content(room.directory / "seeds" / "wasted.bin", LENGTH)
    torrent = make_torrent(content)
    tracker.upload(torrent)
    info_hash = info_hash_v1(torrent)
    seeder, bystander, waster = (room.user(number) for number in (1, 2, 3))
    seeding = _start(room, 1)
    served = seeding.add(seeder.torrent(info_hash), content.path.parent, seeding=True)
    wasting = Libtorrent(room.directory / "waster", client_address(3, 4))
    for _ in range(ROUNDS):
        _download_and_lose(room, wasting, waster, info_hash)
        seeding.announce(served)  # it is given the waster as a peer
    wait_until(lambda: _state(tracker, waster) == CONFIRMED, "the waster is confirmed", SECONDS, 0.5)
    handle = _add(room, wasting, waster, info_hash)
    uninvolved = _start(room, 2)
    watched = uninvolved.add(bystander.torrent(info_hash), room.directory / "bystander", seeding=False)

    address = str(wasting.address)
    wait_until(lambda: _is_told(seeding, served, address), f"{seeding} shows the address", SECONDS, 1.0)
    wait_until(lambda: wasting.status(handle).complete, "the waster isn't kept from downloading", SECONDS)
    wait_until(lambda: uninvolved.status(watched).complete, "the bystander downloads", SECONDS)
    assert address not in uninvolved.status(watched).message
    peers = bystander.announce(info_hash, STRANGER)[b"peers"]
    assert wasting.address.packed not in [peers[start : start + 4] for start in range(0, len(peers), 6)]


def _start(room: Room, number: int) -> QBittorrent:
    client = QBittorrent(room.directory / f"qbittorrent-{number}", client_address(number, 4))
    room.start(client)
    return client


def _add(room: Room, client: Libtorrent, user: User, info_hash: bytes) -> str:
    room.start(client)
    return client.add(user.torrent(info_hash), room.directory / "wasted", seeding=False)


def _download_and_lose(room: Room, client: Libtorrent, user: User, info_hash: bytes) -> None:
    handle = _add(room, client, user, info_hash)
    wait_until(lambda: client.status(handle).complete, f"{client} downloads", SECONDS)
    client.stop()
    lose(_only_file(room.directory / "wasted"))


def _only_file(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


def _state(tracker: Tracker, user: User) -> Any:
    rows = tracker.query(_STATE, user.key)
    return rows[0]["state"] if rows else None


def _is_told(client: QBittorrent, handle: str, address: str) -> bool:
    client.announce(handle)
    return address in client.status(handle).message
