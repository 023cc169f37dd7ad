"""What a client goes through while its announces are recorded.

In each part of its life a libtorrent session seeds to the client, and another one downloads from it. Their announces
are kept, too: the balance of a swarm is judged with all of them.
"""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import libtorrent
from fastbencode import bencode

from tests.support.clients import Client, Libtorrent, QBittorrent, Status, Transmission
from tests.support.clients.base import ClientError
from tests.support.netns import TRACKER_IPV4, TRACKER_NAME, client_address
from tests.support.processes import wait_until
from tests.support.recordings.tracker import INTERVAL_SECONDS, RecordingTracker
from tests.support.torrents import Version, info_hash_v1, info_hash_v2, make_content, make_torrent, with_announce_url

PIECE_BYTES = 32 * 1024
CONTENT_BYTES = 512 * PIECE_BYTES
RATE = CONTENT_BYTES // (4 * INTERVAL_SECONDS)
"""Downloads take four intervals."""
SECONDS = 90.0
PACE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Torrent:
    """A torrent of the recording, without a tracker, and where its content is."""

    data: bytes
    folder: Path
    info_hashes: tuple[bytes, ...]
    private: bool


@dataclass
class Life:
    """One client's life. ``kind`` gives the client; ``torrents``: those of all parts."""

    kind: type[Client]
    home: Path
    tracker: RecordingTracker
    torrents: list[Torrent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.client = self.kind(self.home / "client", client_address(1, 4))
        self.seeder = Libtorrent(self.home / "seeder", client_address(2, 4))
        self.taker = Libtorrent(self.home / "taker", client_address(3, 4))

    def live(self) -> None:
        """Go through all parts that the client has a way to do; print those that it hasn't."""
        with self.client, self.seeder, self.taker:
            for part in (self._whole, self._partial, self._magnet, *self._formats()):
                try:
                    part()
                except ClientError as error:
                    sys.stderr.write(f"{part.__name__}: {error}\n")
            self._quit()

    def _formats(self) -> Sequence[Callable[[], None]]:
        return (self._hybrid, self._v2) if self.kind in {Libtorrent, QBittorrent} else ()

    def _whole(self) -> None:
        """Download, force announces, seed, pause, verify, restart."""
        torrent = self._make("whole", private=True)
        seeding = self._seed(torrent)
        handle = self.client.add(self._for("client", torrent), self.home / "downloads", seeding=False)
        self._finish(self.client, handle, announces=True)
        self._try(self.client.announce, handle, times=3)
        self.seeder.pause(seeding)
        self._take(torrent, handle)
        for step in (self.client.pause, self.client.resume, self.client.recheck):
            self._try(step, handle)
            self._let_pass(2)
        self._quit()
        self.client.start()
        if self.client.name in {"libtorrent", "aria2", "rtorrent"}:  # they don't remember their torrents here
            handle = self.client.add(self._for("client", torrent), self.home / "downloads", seeding=True)
        self._let_pass(2)
        self._try(self.client.announce, handle)

    def _quit(self) -> None:
        if isinstance(self.client, Transmission):
            self.client.quit()  # it announces nothing then
        else:
            self.client.stop()

    def _partial(self) -> None:
        torrent = self._make("partial", private=True, files=2)
        self._seed(torrent)
        handle = self.client.add_first_file(self._for("client", torrent), self.home / "parts")
        self._let_pass(6, lambda: self._try(self.client.announce, handle))

    def _magnet(self) -> None:
        torrent = self._make("magnet", private=False)  # metadata of private torrents isn't sent
        self._seed(torrent)
        info_hash, url = torrent.info_hashes[0].hex(), self.tracker.url(TRACKER_IPV4, "client")
        handle = self.client.add_magnet(f"magnet:?xt=urn:btih:{info_hash}&tr={url}", self.home / "magnets")
        self._let_pass(8, lambda: self._try(self.client.announce, handle))

    def _hybrid(self) -> None:
        self._download(self._make("hybrid", private=True, version=Version.HYBRID))

    def _v2(self) -> None:
        self._download(self._make("v2", private=True, version=Version.V2))

    def _download(self, torrent: Torrent) -> None:
        self._seed(torrent)
        handle = self.client.add(self._for("client", torrent), self.home / "formats", seeding=False)
        self._finish(self.client, handle, announces=True)
        self._take(torrent, handle)

    def _make(self, name: str, *, private: bool, version: Version = Version.V1, files: int = 1) -> Torrent:
        folder = self.home / "seeds" / name
        if files == 1:
            content = make_content(folder / f"{self.kind.name}-{name}.bin", CONTENT_BYTES)
            data = make_torrent(content, version=version, private=private, piece_size=PIECE_BYTES)
        else:
            data = _make_folder(folder, f"{self.kind.name}-{name}", files, private=private)
        hashes = {Version.V1: [info_hash_v1], Version.V2: [info_hash_v2], Version.HYBRID: [info_hash_v1, info_hash_v2]}
        torrent = Torrent(data, folder, tuple(make(data)[:20] for make in hashes[version]), private)
        self.torrents.append(torrent)
        return torrent

    def _for(self, name: str, torrent: Torrent, host: object = TRACKER_IPV4) -> bytes:
        return with_announce_url(torrent.data, self.tracker.url(host, name))

    def _seed(self, torrent: Torrent) -> str:
        handle = self.seeder.add(self._for("seeder", torrent), torrent.folder, seeding=True)
        self.seeder.limit(handle, 0, RATE)
        wait_until(lambda: self._announced("seeder", torrent), "the seeder is in the swarm")
        return handle

    def _take(self, torrent: Torrent, handle: str) -> None:
        """Have a third person download, which only this client has the data for."""
        taking = self.taker.add(self._for("taker", torrent), self.home / "taken", seeding=False)
        self.taker.limit(taking, RATE, 0)
        end = time.monotonic() + SECONDS
        while not self.taker.status(taking).complete and time.monotonic() < end:
            self._try(self.client.announce, handle)
            self.taker.announce(taking)
            time.sleep(INTERVAL_SECONDS)
        self._try(self.client.announce, handle)
        self._let_pass(1)
        self.taker.pause(taking)

    def _finish(self, client: Client, handle: str, *, announces: bool) -> Status:
        end = time.monotonic() + SECONDS
        while not client.status(handle).complete and time.monotonic() < end:
            if announces:
                self._try(client.announce, handle)
            time.sleep(INTERVAL_SECONDS)
        self._let_pass(1)
        return client.status(handle)

    def _announced(self, name: str, torrent: Torrent) -> bool:
        hashes = {info_hash.hex() for info_hash in torrent.info_hashes}
        return any(line["info_hash"] in hashes for line in self.tracker.of(name))

    def _let_pass(self, intervals: int, each: Callable[[], None] | None = None) -> None:
        for _ in range(intervals):
            time.sleep(INTERVAL_SECONDS)
            if each:
                each()

    def _try(self, step: Callable[[str], None], handle: str, times: int = 1) -> None:
        """Do what not every client has a way to do."""
        for _ in range(times):
            try:
                step(handle)
            except ClientError as error:
                sys.stderr.write(f"{self.client}: {error}\n")
            time.sleep(PACE_SECONDS)


@dataclass
class DualStack(Life):
    """A libtorrent session that listens on IPv4 and IPv6: it announces over both."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.client = Libtorrent(self.home / "both", client_address(1, 4), client_address(1, 6))

    def live(self) -> None:
        with self.client, self.seeder, self.taker:
            torrent = self._make("dual-stack", private=True)
            self._seed(torrent)
            data = self._for("client", torrent, TRACKER_NAME)
            handle = self.client.add(data, self.home / "downloads", seeding=False)
            self._finish(self.client, handle, announces=True)
            self._take(torrent, handle)
            self.client.stop()


def _make_folder(folder: Path, name: str, files: int, *, private: bool) -> bytes:
    entries = []
    for number in range(files):
        make_content(folder / name / f"{name}-{number}.bin", CONTENT_BYTES // files)
        entries.append(libtorrent.create_file_entry(f"{name}/{name}-{number}.bin", CONTENT_BYTES // files))
    maker = libtorrent.create_torrent(entries, PIECE_BYTES, libtorrent.create_torrent.v1_only)
    maker.set_priv(private)
    libtorrent.set_piece_hashes(maker, str(folder))
    data: bytes = bencode(maker.generate())
    return data
