"""One client is one peer, even if it restarts, its announce URL gets a new key, or its torrent is deleted."""

from collections.abc import Iterator

import pytest

from tests.support.clients import Libtorrent, Transmission
from tests.support.netns import TRACKER_IPV4, client_address
from tests.support.processes import wait_until
from tests.support.recorder import Recorder, recording, split
from tests.support.room import Room
from tests.support.torrents import Content, info_hash_v1, make_content, make_torrent, with_announce_url
from tests.support.tracker import Counts, Tracker, User

LENGTH = 300_000
RESTARTS = 3
CLOCK_SECONDS = 2
"""Times are stored in whole seconds."""
ONE_SEEDER = Counts(complete=1, incomplete=0, downloaded=0)
NOBODY = Counts(complete=0, incomplete=0, downloaded=0)
SOMEBODY = b"-ET0001-somebody-els"
SOMEBODYS_PORT = 6999
URLS = ["of a key that is rotated", "of a guest who gets a key"]

_SESSIONS = """
SELECT count(*) AS sessions, min(session.first_seen) = max(session.first_seen) AS same_start,
    sum(session.seeding_seconds)::bigint AS seeding_seconds, bool_or(session.event = 3) AS stopped
FROM announces AS session JOIN peers AS key ON key.id = session.key_id WHERE key.key_hash = hash_announce_key($1)
"""

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def recorder(tracker: Tracker) -> Iterator[Recorder]:
    with recording(tracker.port) as recorder:
        yield recorder


def _upload(tracker: Tracker, room: Room, name: str) -> tuple[Content, bytes]:
    content = make_content(room.directory / "seeds" / f"{name}.bin", LENGTH)
    torrent = make_torrent(content)
    tracker.upload(torrent)
    return content, torrent


def _start_seeder(
    room: Room, owner: User, recorder: Recorder, content: Content, torrent: bytes
) -> tuple[Transmission, str]:
    """Start a Transmission that announces through the recorder; return it and its torrent, once that is counted."""
    seeder = Transmission(room.directory / "transmission", client_address(1, 4))
    room.start(seeder)
    url = recorder.url(TRACKER_IPV4, owner.key)
    handle = seeder.add(with_announce_url(torrent, url), content.path.parent, seeding=True)
    owner.wait_for_counts(info_hash_v1(torrent), ONE_SEEDER)
    return seeder, handle


@pytest.mark.promise(23, 28)
def test_a_client_that_is_killed_three_times_stays_one_seeder_whose_seeding_time_keeps_growing(
    tracker: Tracker, room: Room, recorder: Recorder
) -> None:
    content, torrent = _upload(tracker, room, "killed")
    info_hash = info_hash_v1(torrent)
    owner, somebody = room.user(1), room.user(2)
    seeder, handle = _start_seeder(room, owner, recorder, content, torrent)
    seeder.quit()  # otherwise it wouldn't know after a crash that the file is complete
    for restart in range(1, RESTARTS + 1):
        seeder.start()
        recorder.wait_for(1 + restart, "started")
        seeder.kill()
        assert somebody.scrape(info_hash) == ONE_SEEDER
    seeder.start()
    recorder.wait_for(2 + RESTARTS, "started")
    assert somebody.scrape(info_hash) == ONE_SEEDER
    listed = split(somebody.announce(info_hash, SOMEBODY)[b"peers"], 4)
    assert listed == [(str(seeder.address), seeder.port)]

    seeder.pause(handle)
    recorder.wait_for(1, "stopped")
    said = [announce for announce in recorder.announces if announce.path.startswith(f"/{owner.key}/")]
    assert len({announce.peer_id for announce in said}) >= 2 + RESTARTS
    wait_until(lambda: tracker.query(_SESSIONS, owner.key)[0]["stopped"], "the last announce is counted")
    (sessions,) = tracker.query(_SESSIONS, owner.key)
    assert sessions["sessions"] >= 2 + RESTARTS
    assert sessions["same_start"]
    assert abs(sessions["seeding_seconds"] - (said[-1].at - said[0].at)) <= CLOCK_SECONDS


@pytest.mark.promise(18, 23)
@pytest.mark.parametrize("before", URLS)
@pytest.mark.parametrize("kind", [Transmission, Libtorrent])
def test_a_running_client_with_another_announce_url_never_meets_itself_and_counts_once(
    tracker: Tracker, room: Room, recorder: Recorder, kind: type[Transmission | Libtorrent], before: str
) -> None:
    _, torrent = _upload(tracker, room, f"{kind.name}-{URLS.index(before)}")
    info_hash = info_hash_v1(torrent)
    owner, somebody = room.user(1), room.user(2)
    somebody.announce(info_hash, SOMEBODY, left=0, port=SOMEBODYS_PORT)
    leecher = kind(room.directory / kind.name, client_address(1, 4))
    room.start(leecher)
    key = owner.key if before == URLS[0] else None
    url = recorder.url(TRACKER_IPV4, key)
    handle = leecher.add(with_announce_url(torrent, url), room.directory / "downloads", seeding=False)
    recorder.wait_for(1, "started")
    assert somebody.scrape(info_hash) == Counts(complete=1, incomplete=1, downloaded=0)

    new_key = tracker.rotate(owner.key) if key else owner.key
    leecher.replace_tracker(handle, recorder.url(TRACKER_IPV4, new_key))
    wait_until(lambda: bool(recorder.to(new_key)), f"{leecher} announces with the new key")
    for announce in recorder.announces:
        assert b"failure reason" not in announce.answer
        assert announce.own_endpoint not in announce.endpoints
    assert (str(client_address(2, 4)), SOMEBODYS_PORT) in recorder.to(new_key)[0].endpoints
    assert somebody.scrape(info_hash) == Counts(complete=1, incomplete=1, downloaded=0)
    leecher.stop()
    assert somebody.scrape(info_hash) == ONE_SEEDER


@pytest.mark.promise(16)
def test_a_client_with_the_url_of_a_rotated_key_leaves_the_swarm_when_it_is_stopped(
    tracker: Tracker, room: Room, recorder: Recorder
) -> None:
    content, torrent = _upload(tracker, room, "old-key")
    info_hash = info_hash_v1(torrent)
    owner, somebody = room.user(1), room.user(2)
    seeder, handle = _start_seeder(room, owner, recorder, content, torrent)
    tracker.rotate(owner.key)
    seeder.pause(handle)
    stopped = recorder.wait_for(1, "stopped")
    assert b"failure reason" not in stopped.answer
    wait_until(lambda: seeder.is_content(handle), f"{seeder} has nothing more to say")
    assert somebody.scrape(info_hash) == NOBODY


@pytest.mark.promise(16)
def test_a_client_that_pauses_a_deleted_torrent_sends_stopped_once(
    tracker: Tracker, room: Room, recorder: Recorder
) -> None:
    content, torrent = _upload(tracker, room, "deleted")
    info_hash = info_hash_v1(torrent)
    owner, somebody = room.user(1), room.user(2)
    seeder, handle = _start_seeder(room, owner, recorder, content, torrent)
    tracker.remove(info_hash)
    wait_until(lambda: _is_unregistered(somebody.announce(info_hash, SOMEBODY)), "it is no longer tracked")

    seeder.pause(handle)
    stopped = recorder.wait_for(1, "stopped")
    assert b"failure reason" not in stopped.answer
    wait_until(lambda: seeder.is_content(handle), f"{seeder} has nothing more to say")
    seeder.quit()
    assert len(recorder.with_event("stopped")) == 1
    assert _is_unregistered(somebody.announce(info_hash, SOMEBODY))
    assert tracker.query("SELECT 1 FROM infohashes WHERE info_hash = $1", info_hash) == []


def _is_unregistered(answer: dict[bytes, object]) -> bool:
    return answer.get(b"failure reason") == b"Unregistered torrent"
