"""A real client that downloads a part of a torrent, stops, and owes for what it took."""

import pytest

from etracker_shared.language.identity import hash_announce_key
from tests.support.clients import Libtorrent
from tests.support.netns import client_address
from tests.support.processes import wait_until
from tests.support.room import Room
from tests.support.torrents import info_hash_v1, make_content, make_torrent
from tests.support.tracker import Counts, Tracker

LENGTH = 4_000_000
A_PIECE = 262_144
DEBT_SECONDS = 24 * 3600

_DEBT = """
SELECT debt_seconds, snatched FROM memberships JOIN peers ON peers.id = key_id WHERE key_hash = $1 AND debt_seconds > 0
"""

pytestmark = pytest.mark.timeout(120)


@pytest.mark.promise(29, 30)
@pytest.mark.parametrize(("share", "owed", "snatches"), [(0.4, 0.4, 0), (0.96, 1.0, 1)])
def test_a_client_that_stops_before_the_end_owes_for_what_it_downloaded(
    share: float, owed: float, snatches: int, tracker: Tracker, room: Room
) -> None:
    content = make_content(room.directory / "seeds" / f"part-{share}.bin", LENGTH)
    torrent = make_torrent(content)
    tracker.upload(torrent)
    info_hash = info_hash_v1(torrent)
    owner, taker = room.user(1), room.user(2)
    seeder, leecher = (Libtorrent(room.directory / f"{at}", client_address(at, 4)) for at in (1, 2))
    room.start(seeder)
    seeder.add(owner.torrent(info_hash), content.path.parent, seeding=True)
    owner.wait_for_counts(info_hash, Counts(complete=1, incomplete=0, downloaded=0))
    room.start(leecher)
    handle = leecher.add_part(taker.torrent(info_hash), room.directory / "downloads", share)
    wait_until(lambda: leecher.status(handle).downloaded >= share * LENGTH - A_PIECE, f"{leecher} has what it wants")
    leecher.stop()
    key_hash = hash_announce_key(taker.key)
    wait_until(lambda: bool(tracker.query(_DEBT, key_hash)), "the download is owed")
    (row,) = tracker.query(_DEBT, key_hash)
    assert row["debt_seconds"] / DEBT_SECONDS == pytest.approx(owed, abs=0.05)
    assert row["snatched"] == snatches
