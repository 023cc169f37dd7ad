"""A real client whose disk loses data again and again: found, left out, and named to those that were given it.

Real seeders are handed it while it is a suspect. No threshold is lowered: the torrent is as small as a judged one may
be, and the client's checks follow each other at once instead of days apart.
"""

import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from redis import Redis

from etracker_shared.agreements.anomalies import Kind
from tests.support.clients import Client, Libtorrent, QBittorrent, Transmission
from tests.support.handshakes import answers
from tests.support.netns import client_address
from tests.support.peerbanhelper import read_as_peerbanhelper
from tests.support.processes import wait_until
from tests.support.room import Room
from tests.support.stack import StackRun
from tests.support.torrents import info_hash_v1, make_content, make_torrent, with_announce_url
from tests.support.tracker import Counts, Tracker, User
from tests.support.wasting import SECONDS, Seeder, Swarm

FIRST_SEEDER, WASTER, STRANGER, BYSTANDER, OTHER = 101, 111, 112, 113, 114
STRANGERS_PEER_ID = b"-ET0001-a-newcomer-0"
SMALL = 300_000
QUARANTINE_SECONDS = 10.0
REPLIES = 120
"""One reply in a hundred may be a failure because of somebody else."""
_TOKEN = re.compile(r"/b/(\w+)")

pytestmark = pytest.mark.timeout(180)


@dataclass
class Scene:
    """The swarm once the waster is confirmed and left out of lists. ``stranger`` came too late to be given it."""

    room: Room
    tracker: Tracker
    swarm: Swarm
    libtorrent: Libtorrent
    qbittorrent: QBittorrent
    transmission: Transmission
    stranger: User
    other_info_hash: bytes

    @property
    def seeders(self) -> dict[str, Seeder]:
        return {seeder.client.name: seeder for seeder in self.swarm.seeders}

    @property
    def told(self) -> str:
        """What recipients see."""
        return f"block peer {self.swarm.waster.address}:"

    def warn(self, name: str) -> str:
        """Let a seeder announce, wait for its warning, and return the URL of its list without the form."""
        seeder = self.seeders[name]
        if not _TOKEN.search(seeder.message):
            seeder.announce()
        wait_until(lambda: self.told in seeder.message, f"{seeder.client} shows the address", SECONDS)
        token = _TOKEN.search(seeder.message)
        assert token, seeder.message
        return f"{self.tracker.url(4)}/api/blocklist/{token[1]}"

    @property
    def failures(self) -> int:
        """How many announces of the libtorrent session have failed."""
        return self.libtorrent.logs().count("tracker_error: ")

    def provoke_failure(self) -> bool:
        """Return whether the session had a failure; if not, let it announce when the tracker can afford one."""
        if self.failures:
            return True
        for _ in range(REPLIES):
            self.swarm.listed_for(self.stranger, STRANGERS_PEER_ID)
        self.seeders["libtorrent"].announce()
        return False

    def answers_waster(self, client: Client) -> bool:
        """Return whether a client answers the waster in another torrent; it always answers others."""
        assert answers(client, client_address(OTHER, 4), self.other_info_hash)
        return answers(client, self.swarm.waster.address, self.other_info_hash)


@pytest.fixture(scope="module")
def scene(stack: StackRun) -> Iterator[Scene]:
    tracker = Tracker.of(stack)
    settings = stack.redis_settings()
    directory = Path(tempfile.mkdtemp(prefix="etracker-e2e-"))
    room = Room(directory, tracker)
    try:
        with Redis.from_url(settings.redis_url, password=settings.redis.get_secret_value()) as redis:
            yield _play(room, tracker, redis)
    finally:
        room.close()
        shutil.rmtree(directory, ignore_errors=True)


def _play(room: Room, tracker: Tracker, redis: Redis) -> Scene:
    swarm = Swarm(room, tracker, redis, "wasted.bin", WASTER)
    libtorrent = Libtorrent(room.directory / "libtorrent", client_address(FIRST_SEEDER, 4))
    qbittorrent = QBittorrent(room.directory / "qbittorrent", client_address(FIRST_SEEDER + 1, 4))
    transmission = Transmission(room.directory / "transmission", client_address(FIRST_SEEDER + 2, 4))
    clients: tuple[Client, ...] = (libtorrent, qbittorrent, transmission)
    for number, client in enumerate(clients, FIRST_SEEDER):
        room.start(client)
        seeder = swarm.seed(client, number)
    # Transmission 3.00 obeys the tracker's minimum interval only from its second announce on.
    seeder.user.wait_for_counts(swarm.info_hash, Counts(len(clients), 0, 0))
    seeder.client.pause(seeder.handle)
    seeder.user.wait_for_counts(swarm.info_hash, Counts(len(clients) - 1, 0, 0))
    seeder.client.resume(seeder.handle)
    swarm.waste()
    stranger = room.user(STRANGER)
    wait_until(
        lambda: swarm.waster.address not in swarm.listed_for(stranger, STRANGERS_PEER_ID),
        "the waster is in no list",
        QUARANTINE_SECONDS,
        0.5,
    )
    other = _another_torrent(room, tracker, qbittorrent, transmission)
    return Scene(room, tracker, swarm, libtorrent, qbittorrent, transmission, stranger, info_hash_v1(other))


def _another_torrent(room: Room, tracker: Tracker, *seeders: Client) -> bytes:
    """Let clients seed something else: Transmission has no use for the waster in a torrent that both have."""
    content = make_content(room.directory / "other seeds" / "other.bin", SMALL)
    torrent = make_torrent(content)
    tracker.upload(torrent)
    for client in seeders:
        client.add(with_announce_url(torrent, f"{tracker.url(4)}/announce"), content.path.parent, seeding=True)
    return torrent


def test_it_is_confirmed_for_what_it_downloads_and_others_are_still_listed(scene: Scene) -> None:
    assert scene.swarm.waster.evidence == {Kind.CYCLE}
    assert len(scene.swarm.listed_for(scene.stranger, STRANGERS_PEER_ID)) == len(scene.seeders)


def test_its_recipients_see_its_address_in_their_own_clients(scene: Scene) -> None:
    for name in ("libtorrent", "qbittorrent", "transmission"):
        scene.warn(name)


def test_a_seeder_that_goes_on_losing_sees_one_failure(scene: Scene) -> None:
    seeder = scene.seeders["libtorrent"]
    wait_until(scene.provoke_failure, f"{scene.libtorrent} shows the failure", SECONDS, 1.0)
    assert scene.told in seeder.message
    replies = _replies_to(scene.libtorrent)
    assert scene.libtorrent.logs().count("tracker_warning: ") == 1
    seeder.announce()
    wait_until(lambda: _replies_to(scene.libtorrent) > replies, "the next announce succeeds", SECONDS)
    assert scene.failures == 1


def test_a_client_that_came_later_is_told_nothing(scene: Scene) -> None:
    bystander = Libtorrent(scene.room.directory / "bystander", client_address(BYSTANDER, 4))
    scene.room.start(bystander)
    torrent = scene.room.user(BYSTANDER).torrent(scene.swarm.info_hash)
    handle = bystander.add(torrent, scene.room.directory / "downloads", seeding=False)
    wait_until(lambda: bystander.status(handle).complete, f"{bystander} downloads", SECONDS)
    _wait_for_replies(bystander, 2)
    bystander.announce(handle)
    _wait_for_replies(bystander, 3)
    assert "tracker_warning" not in bystander.logs()
    assert "tracker_error" not in bystander.logs()
    assert str(scene.swarm.waster.address) not in bystander.logs()


def test_transmission_fetches_its_list_from_the_tracker_and_refuses_the_waster(scene: Scene) -> None:
    wait_until(lambda: scene.answers_waster(scene.transmission), "Transmission answers it at first", SECONDS)
    assert scene.transmission.load_block_list(f"{scene.warn('transmission')}.p2p") == 1
    wait_until(lambda: not scene.answers_waster(scene.transmission), "Transmission refuses it", SECONDS)


def test_qbittorrent_reads_its_list_and_refuses_the_waster(scene: Scene) -> None:
    wait_until(lambda: scene.answers_waster(scene.qbittorrent), "qBittorrent answers it at first", SECONDS)
    path = scene.room.directory / "list.dat"
    path.write_bytes(_fetch(f"{scene.warn('qbittorrent')}.dat"))
    scene.qbittorrent.load_block_list(path)
    wait_until(lambda: not scene.answers_waster(scene.qbittorrent), "qBittorrent refuses it", SECONDS)


def test_peerbanhelper_would_ban_the_waster_and_nobody_else(scene: Scene) -> None:
    text = _fetch(f"{scene.warn('qbittorrent')}.txt").decode()
    assert read_as_peerbanhelper(text) == {str(scene.swarm.waster.address)}


def _wait_for_replies(client: Libtorrent, number: int) -> None:
    wait_until(lambda: _replies_to(client) >= number, f"{client} gets {number} replies", SECONDS)


def _replies_to(client: Libtorrent) -> int:
    return client.logs().count("tracker_reply: ")


def _fetch(url: str) -> bytes:
    return httpx.get(url, trust_env=False).raise_for_status().content
