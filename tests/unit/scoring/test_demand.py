"""The bonus for rarity: only where somebody else downloads while the key seeds.

The kind: a seeder that stages the demand for its own torrents, or claims to seed what nobody wants.
"""

from typing import Any

import pytest

from etracker_scoring.scores.formula import GIB
from etracker_shared.agreements.facts import Event, Fact
from etracker_shared.language.identity import hash_announce_key
from tests.support.batches import Store
from tests.support.facts import make_fact

HERE, THERE, ELSEWHERE = (b"\x04\x0a\x00" + bytes([number, 0, 0, 0]) for number in range(3))
LENGTH = int(4 * GIB)


def leech(at: int, left: int, **more: Any) -> Fact:
    return make_fact(
        **{"key": "bob", "prefix": THERE, "peer_id": b"-TR4050-leecher00000", "at": at, "left": left} | more
    )


def progress(at: int, **more: Any) -> list[Fact]:
    return [leech(at - 60, 2000, **more), leech(at, 1000, **more)]


def weight_of(*others: Fact, at: int = 3600) -> float:
    """Return the weight of half an hour of seeding that ends at a given time, among the facts of others."""
    store = Store(LENGTH)
    seeding = [make_fact(at=at - 1800, prefix=HERE), make_fact(at=at, prefix=HERE)]
    for fact in sorted([*others, *seeding], key=lambda fact: fact.at_ms):
        store.settle([fact])
    return store.keys[hash_announce_key("alice")].history.drawn / 1800


@pytest.mark.parametrize("at", [1, 1800, 1801, 3599])
@pytest.mark.parametrize("who", [{}, {"guest": b"-TR4050-guest0000000"}])
def test_progress_in_this_interval_or_the_one_before_earns_the_bonus(at: int, who: dict[str, Any]) -> None:
    assert weight_of(*progress(at, **who)) == pytest.approx(18)


@pytest.mark.parametrize(
    "others",
    [
        pytest.param([], id="nobody"),
        pytest.param([leech(100, 2000), leech(2000, 2000)], id="a leecher that gets nothing"),
        pytest.param([leech(100, 2000), leech(2000, 3000)], id="a leecher that loses data"),
        pytest.param(progress(-1), id="long ago"),
        pytest.param(progress(2000, prefix=HERE), id="from the seeder's own network"),
        pytest.param(progress(2000, key="alice"), id="another client of the seeder's own key"),
        pytest.param(progress(2000, prefix=HERE, guest=b"-TR4050-guest0000000"), id="a guest in its own network"),
        pytest.param(progress(2000, torrent="music"), id="in another torrent"),
        pytest.param(
            [leech(100, 2000), leech(2000, 0, downloaded=0, uploaded=0, event=Event.STOPPED)], id="a hollow farewell"
        ),
    ],
)
def test_what_is_no_demand_by_others_earns_none(others: list[Fact]) -> None:
    assert weight_of(*others) == pytest.approx(6)


def test_the_seeders_own_leecher_does_not_hide_that_of_others() -> None:
    assert weight_of(*progress(2000), *progress(2500, prefix=HERE)) == pytest.approx(18)
    assert weight_of(*progress(2000), *progress(2500, key="alice", prefix=ELSEWHERE)) == pytest.approx(18)


def test_demand_is_known_within_a_batch_and_across_batches() -> None:
    facts = [make_fact(at=0, prefix=HERE), *progress(900), make_fact(at=1800, prefix=HERE)]
    whole, pieces = Store(LENGTH), Store(LENGTH)
    whole.settle(facts)
    for fact in facts:
        pieces.settle([fact])
    assert whole.keys == pieces.keys
    assert whole.keys[hash_announce_key("alice")].history.drawn == pytest.approx(18 * 1800)
