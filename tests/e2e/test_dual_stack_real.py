"""A client on a host with both address families announces once, over IPv6, and must meet those that only have IPv4."""

import pytest

from tests.support.clients import Aria2, Libtorrent
from tests.support.netns import TRACKER_NAME, client_address
from tests.support.processes import wait_until
from tests.support.recorder import recording
from tests.support.room import Room
from tests.support.torrents import info_hash_v1, make_content, make_torrent, with_announce_url
from tests.support.tracker import Counts, Tracker

LENGTH = 3_000_000
SECONDS = 60.0


@pytest.mark.timeout(120)
@pytest.mark.promise(17)
def test_a_client_that_announces_over_ipv6_only_finishes_from_seeders_that_only_have_ipv4(
    tracker: Tracker, room: Room
) -> None:
    content = make_content(room.directory / "seeds" / "dual.bin", LENGTH)
    torrent = make_torrent(content)
    tracker.upload(torrent)
    info_hash = info_hash_v1(torrent)
    for number in (1, 2):
        seeder = Libtorrent(room.directory / f"seeder-{number}", client_address(number, 4))
        room.start(seeder)
        seeder.add(room.user(number).torrent(info_hash), content.path.parent, seeding=True)
    user = room.user(3, 6)
    user.wait_for_counts(info_hash, Counts(complete=2, incomplete=0, downloaded=0))

    leecher = Aria2(room.directory / "leecher", client_address(3, 6), client_address(3, 4))
    room.start(leecher)
    with recording(tracker.port) as recorder:
        torrent = with_announce_url(torrent, recorder.url(TRACKER_NAME, user.key))
        handle = leecher.add(torrent, room.directory / "downloads", seeding=False)
        wait_until(lambda: leecher.status(handle).complete, f"{leecher} completes its download", SECONDS, 0.1)
    assert {announce.source for announce in recorder.announces} == {leecher.address}
    assert len(recorder.with_event("started")) == 1
