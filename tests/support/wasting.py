"""A swarm of real seeders, and a real client in it whose disk loses data again and again."""

import time
from ipaddress import ip_address
from pathlib import Path

from redis import Redis

from etracker_shared.agreements.anomalies import AnomalyState
from etracker_shared.agreements.block_lists import IDENTITY_BYTES
from etracker_shared.agreements.redis_keys import handed
from etracker_shared.language.identity import hash_announce_key
from tests.support.clients import Client, Libtorrent
from tests.support.netns import client_address
from tests.support.processes import wait_until
from tests.support.recorder import split
from tests.support.recordings.broken import lose
from tests.support.room import Room
from tests.support.torrents import Content, info_hash_v1, make_content, make_torrent
from tests.support.tracker import Address, Counts, Tracker, User

LENGTH = 51_000_000
"""Torrents of less than 50 MB are not judged."""
LOST = 0.6
ROUNDS_TO_SUSPICION = 3
PATIENCE_SECONDS = 3.0
"""Clients of libtorrent announce a second after they were told to, and put it off if they are told again."""
SLOW = 16_000
"""Bytes per second."""
SECONDS = 60.0
_STATE = "SELECT state FROM anomalies JOIN peers ON peers.id = anomalies.key_id WHERE key_hash = hash_announce_key($1)"
_KINDS = """
SELECT DISTINCT kind FROM anomaly_evidence JOIN anomalies ON anomalies.id = anomaly_id
JOIN peers ON peers.id = anomalies.key_id WHERE key_hash = hash_announce_key($1)
"""


class Seeder:
    """A client that seeds the torrent, with what its user sees."""

    def __init__(self, client: Client, user: User, handle: str) -> None:
        self.client = client
        self.user = user
        self.handle = handle

    @property
    def message(self) -> str:
        return self.client.status(self.handle).message

    def announce(self) -> None:
        self.client.announce(self.handle)


class Waster:
    """The client with the broken disk."""

    def __init__(self, room: Room, tracker: Tracker, content: Content, number: int) -> None:
        self.user = room.user(number)
        self.client = Libtorrent(room.directory / "waster", client_address(number, 4))
        self.address = self.client.address
        self._room = room
        self._tracker = tracker
        self._content = content
        self._torrent = b""
        self._handle = ""

    @property
    def state(self) -> AnomalyState | None:
        """What the tracker thinks of it; None for nothing."""
        rows = self._tracker.query(_STATE, self.user.key)
        return AnomalyState(rows[0]["state"]) if rows else None

    @property
    def evidence(self) -> set[str]:
        """The kinds of evidence against it."""
        return {row["kind"] for row in self._tracker.query(_KINDS, self.user.key)}

    def start(self, info_hash: bytes) -> None:
        """Download everything."""
        self._torrent = self.user.torrent(info_hash)
        self._room.start(self.client)
        self._add()
        self.finish()

    def lose_and_check(self, rate: int = 0) -> None:
        """Lose most of the data, and find out; ``rate``: the limit of downloads, in bytes per second, 0 for none."""
        self.client.remove(self._handle)
        lose(self._folder / self._content.path.name, LOST)
        self._add()
        self.limit(rate)
        wait_until(lambda: 0 < self.client.status(self._handle).progress < 1, f"{self.client} finds the loss", SECONDS)

    def _add(self) -> None:
        self._handle = self.client.add(self._torrent, self._folder, seeding=False)

    def finish(self) -> None:
        """Download what is missing."""
        wait_until(lambda: self.client.status(self._handle).complete, f"{self.client} downloads", SECONDS)

    def limit(self, rate: int) -> None:
        """Limit its downloads, in bytes per second; 0 is no limit."""
        self.client.limit(self._handle, rate, 0)

    @property
    def _folder(self) -> Path:
        return self._room.directory / "wasted"


class Swarm:
    """One torrent, its seeders, and the waster. ``redis``: the tracker's."""

    def __init__(self, room: Room, tracker: Tracker, redis: Redis, name: str, waster: int) -> None:
        self._room = room
        self._redis = redis
        self._content = make_content(room.directory / "seeds" / name, LENGTH)
        torrent = make_torrent(self._content)
        tracker.upload(torrent)
        self.info_hash = info_hash_v1(torrent)
        self.waster = Waster(room, tracker, self._content, waster)
        self.seeders: list[Seeder] = []

    def seed(self, client: Client, number: int) -> Seeder:
        """Let a running client seed for the user at the address of this number."""
        user = self._room.user(number)
        handle = client.add(user.torrent(self.info_hash), self._content.path.parent, seeding=True)
        self.seeders.append(Seeder(client, user, handle))
        return self.seeders[-1]

    def waste(self) -> None:
        """Let the waster waste until it is confirmed. All seeders are handed it while it is a suspect."""
        waster, counts = self.waster, self.seeders[0].user.wait_for_counts
        counts(self.info_hash, Counts(len(self.seeders), 0, 0))
        waster.start(self.info_hash)
        for _ in range(ROUNDS_TO_SUSPICION):
            waster.lose_and_check()
            waster.finish()
        wait_until(lambda: waster.state is AnomalyState.SUSPECTED, "the waster is suspected", SECONDS)
        waster.lose_and_check(SLOW)
        counts(self.info_hash, Counts(len(self.seeders), 1, 1))
        self._hand_out()
        waster.limit(0)
        waster.finish()
        waster.lose_and_check()
        waster.finish()
        wait_until(lambda: waster.state is AnomalyState.CONFIRMED, "the waster is confirmed", SECONDS)

    def listed_for(self, user: User, peer_id: bytes) -> set[Address]:
        """Return the addresses that a leecher is given."""
        return {ip_address(address) for address, _ in split(user.announce(self.info_hash, peer_id)[b"peers"], 4)}

    def _hand_out(self) -> None:
        """Let every seeder announce until it has been handed the waster."""
        asked_at = dict.fromkeys(self.seeders, 0.0)

        def all_have_it() -> bool:
            missing = [seeder for seeder in self.seeders if not self._has_it(seeder)]
            for seeder in missing:
                if time.monotonic() > asked_at[seeder] + PATIENCE_SECONDS:
                    asked_at[seeder] = time.monotonic()
                    seeder.announce()
            return not missing

        wait_until(all_have_it, "all seeders have been handed the waster", SECONDS, 0.1)

    def _has_it(self, seeder: Seeder) -> bool:
        return bool(self._redis.exists(handed(hash_announce_key(seeder.user.key)[:IDENTITY_BYTES])))
