"""The benchmark's own book-keeping: if it is wrong, every verified run is."""

from collections import defaultdict
from urllib.parse import parse_qs, urlsplit

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.world import Shape, World, announce_key


class KeyInPath:
    def path(self, announce_key: str) -> str:
        return f"/{announce_key}/announce"


def said(request: bytes) -> tuple[str, dict[str, str]]:
    url = urlsplit(request.decode().split(" ")[1])
    return url.path.split("/")[1], {name: values[0] for name, values in parse_qs(url.query).items()}


@given(announces=st.integers(1, 700), seed=st.integers(0, 50))
@settings(max_examples=30, deadline=None)
def test_expected_statistics_are_what_the_requests_add_up_to(announces: int, seed: int) -> None:
    world = World(Shape("some", 200, 20), seed)
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    downloaded: dict[str, int] = {}
    snatches: dict[str, int] = defaultdict(int)
    keys: dict[str, str] = {}
    for request in world.announces(announces, KeyInPath(), close=False):
        key, query = said(request)
        peer = query["peer_id"]
        keys[peer] = key
        first.setdefault(peer, int(query["uploaded"]))
        last[peer] = int(query["uploaded"])
        downloaded[peer] = int(query["downloaded"])
        snatches[key] += query.get("event") == "completed"
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for peer, key in keys.items():
        sums[key][0] += last[peer] - first[peer]
        sums[key][1] += downloaded[peer]
    assert world.expected_by_key() == {key: (up, down, snatches[key]) for key, (up, down) in sums.items()}


def test_a_peer_announces_once_a_lap_so_that_its_announces_never_overtake() -> None:
    world = World(Shape("some", 200, 20))
    for _ in range(3):
        lap = [said(request)[1]["peer_id"] for request in world.announces(200, KeyInPath(), close=False)]
        assert len(set(lap)) == 200


def test_a_key_is_in_each_torrent_at_most_once() -> None:
    world = World(Shape("some", 10_000, 1_000))
    assert len(set(zip(world.key_of.tolist(), world.torrent_of.tolist(), strict=True))) == 10_000


def test_an_announce_that_wants_a_new_connection_says_so() -> None:
    world = World(Shape("some", 20, 2))
    assert all(b"\r\nConnection: close\r\n" in request for request in world.announces(20, KeyInPath(), close=True))
    assert not any(b"Connection:" in request for request in world.announces(20, KeyInPath(), close=False))


def test_first_announces_meet_every_torrent_and_every_key() -> None:
    world = World(Shape("some", 2_000, 200))
    peers = world.first_announces()
    assert set(world.torrent_of[peers].tolist()) == set(range(200))
    assert set(world.key_of[peers].tolist()) == set(range(200))
    assert len(set(peers.tolist())) == len(peers)


def test_a_part_of_a_world_announces_for_few_keys_and_the_whole_knows_of_it() -> None:
    world = World(Shape("parted", 1_000, 100))
    world.join_silently()
    part = world.of_keys(7)
    chosen = set(np.flatnonzero(world.key_of < 7).tolist())
    requests = part.announces(2 * len(chosen), KeyInPath(), close=False)
    assert {said(request)[0] for request in requests} == {announce_key(world.shape, index) for index in range(7)}
    assert world.expected_by_key() == part.expected_by_key()
    assert sum(uploaded for uploaded, *_ in world.expected_by_key().values()) > 0
