"""A key waits in a bounded number of torrents at once, and the memory for that is bounded too."""

from hypothesis import given
from hypothesis import strategies as st

from etracker_announce.tracker.waiting import Waiting
from etracker_shared.language.identity import InfoHash, KeyHash

NOW, HOLD = 1_800_000_000, 3_000
ONE, OTHER = KeyHash(b"1" * 16), KeyHash(b"2" * 16)


def torrent(number: int) -> InfoHash:
    return InfoHash(number.to_bytes(20, "big"))


def taken(waiting: Waiting, numbers: range, *, at: int = 0, key: KeyHash = ONE) -> list[int]:
    return [number for number in numbers if waiting.take_place(key, torrent(number), NOW + at)]


def test_a_key_has_as_many_places_as_it_may_and_keeps_them() -> None:
    waiting = Waiting(3, HOLD)
    for at in (0, HOLD, 2 * HOLD):
        assert taken(waiting, range(5), at=at) == [0, 1, 2]
    assert taken(waiting, range(5), key=OTHER) == [0, 1, 2]


def test_announces_that_arrive_together_get_no_more_places() -> None:
    """A place counts from the moment it is taken, not from the answer."""
    waiting = Waiting(3, HOLD)
    taken(waiting, range(3))
    assert taken(waiting, range(100, 200), at=HOLD + 1) == [100, 101, 102]


def test_a_torrent_that_is_open_or_left_frees_its_place() -> None:
    waiting = Waiting(3, HOLD)
    taken(waiting, range(3))
    waiting.leave(ONE, torrent(1))
    waiting.leave(OTHER, torrent(2))
    waiting.leave(ONE, torrent(9))
    assert taken(waiting, range(9)) == [0, 1, 2]
    waiting.leave(ONE, torrent(0))
    assert taken(waiting, range(5, 9)) == [5]


def test_progress_takes_the_place_of_none_but_not_of_progress() -> None:
    waiting = Waiting(3, HOLD)
    taken(waiting, range(3))
    for number in (0, 7, 8, 9):
        waiting.learn(ONE, torrent(number), NOW, progressed=True)
    waiting.learn(ONE, torrent(10), NOW, progressed=False)
    assert taken(waiting, range(20)) == [0, 7, 8]
    waiting.learn(ONE, torrent(7), NOW, progressed=False)
    waiting.learn(ONE, torrent(9), NOW, progressed=True)
    assert taken(waiting, range(20)) == [0, 8, 9]


def test_keys_that_announced_longest_ago_are_forgotten_first() -> None:
    waiting = Waiting(3, HOLD, most_places=6)
    keys = [KeyHash(bytes([number]) * 16) for number in range(3)]
    for key in (keys[0], keys[1], keys[0], keys[2]):
        taken(waiting, range(3), key=key)
    assert taken(waiting, range(5, 8), key=keys[0]) == []
    assert taken(waiting, range(5, 8), key=keys[1]) == [5, 6, 7]


OPERATIONS = st.sampled_from(["take_place", "leave", "progress", "idle"])


@given(st.lists(st.tuples(OPERATIONS, st.integers(0, 2), st.integers(0, 9), st.integers(0, HOLD)), max_size=200))
def test_whatever_happened_a_key_that_holds_nothing_gets_all_its_places(
    operations: list[tuple[str, int, int, int]],
) -> None:
    waiting, now = Waiting(2, HOLD, most_places=5), NOW
    for what, key, number, seconds in operations:
        key_hash, info_hash = KeyHash(bytes([key]) * 16), torrent(number)
        now += seconds
        if what == "take_place":
            waiting.take_place(key_hash, info_hash, now)
        elif what == "leave":
            waiting.leave(key_hash, info_hash)
        else:
            waiting.learn(key_hash, info_hash, now, progressed=what == "progress")
    assert taken(waiting, range(20, 25), at=now - NOW, key=ONE) == [20, 21]
    assert taken(waiting, range(20, 25), at=now - NOW + HOLD + 1, key=OTHER) == [20, 21]
    assert taken(waiting, range(30, 35), at=now - NOW, key=ONE) == []
