import numpy as np

from lab.community import DAY, DAYS, PAIRS, PUBLISHERS, TORRENTS, draw_community
from lab.regimes import HOUR


def test_the_same_seed_draws_the_same_community() -> None:
    one, same, other = (draw_community(seed) for seed in (1, 1, 2))
    assert (one.arrival == same.arrival).all()
    assert (one.pair_hash == same.pair_hash).all()
    assert not np.array_equal(one.arrival, other.arrival)


def test_both_of_a_pair_have_one_line_and_want_the_same_torrents_within_hours() -> None:
    community = draw_community(3)
    seeders, leavers = slice(PUBLISHERS, PUBLISHERS + PAIRS), slice(PUBLISHERS + PAIRS, None)
    assert (community.up[seeders] == community.up[leavers]).all()
    assert (community.down[seeders] == community.down[leavers]).all()
    user, torrent, arrival = (
        np.split(of_peers[TORRENTS:], 2) for of_peers in (community.user, community.torrent, community.arrival)
    )
    assert (user[0] + PAIRS == user[1]).all()
    assert (torrent[0] == torrent[1]).all()
    assert (np.abs(arrival[0] - arrival[1]) <= 4 * HOUR).all()


def test_nobody_wants_a_torrent_twice_or_before_it_is_released() -> None:
    community = draw_community(4)
    wishes = list(zip(community.user[TORRENTS:].tolist(), community.torrent[TORRENTS:].tolist(), strict=True))
    assert len(set(wishes)) == len(wishes)
    release = community.arrival[:TORRENTS]
    assert (community.arrival[TORRENTS:] >= release[community.torrent[TORRENTS:]]).all()
    assert community.arrival.max() <= DAYS * DAY + 4 * HOUR
