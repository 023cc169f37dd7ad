"""What a download owes, whatever its client says about the end of it, and whose seeding pays.

The kind: a key takes a torrent, or a part of it, and doesn't seed it.
"""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etracker_scoring.scores.formula import KeyHistory
from etracker_scoring.worker.downloads import SNATCH_SHARE
from etracker_shared.agreements.facts import UNKNOWN, Event, Fact
from etracker_shared.language.identity import hash_announce_key
from tests.support.batches import SIZE, Store
from tests.support.facts import make_fact

MEMBER = (1, 0)
DAY = 24 * 3600
HOME, SEEDBOX = b"-TR4050-home00000000", b"-qB5010-seedbox00000"


def download(taken: int, *, steps: int = 10, left: int | None = None, **more: Any) -> list[Fact]:
    """Facts of a client that begins with nothing, ten minutes apart. ``left``: what it says is left, all the time."""
    return [
        make_fact(
            at=600 * step,
            downloaded=taken * step // steps,
            left=SIZE - taken * step // steps if left is None else left,
            **more,
        )
        for step in range(steps + 1)
    ]


def seed(start: int, hours: float, **more: Any) -> list[Fact]:
    return [make_fact(at=start + 1800 * step, left=0, downloaded=SIZE, **more) for step in range(int(hours * 2) + 1)]


def owed(store: Store) -> float:
    history: KeyHistory = store.keys[hash_announce_key("alice")].history
    return history.owed


def debt_hours(store: Store) -> float:
    credit = store.credits.get(MEMBER)
    return credit.seeding.debt_seconds / 3600 if credit else 0.0


@pytest.mark.parametrize("left", [1, SIZE, UNKNOWN])
def test_a_download_that_never_says_left_is_0_is_a_snatch(left: int) -> None:
    store = Store()
    store.settle(download(SIZE, left=left))
    assert store.snatches == store.totals["keys snatches"] == 1
    assert owed(store) == pytest.approx(1.0, rel=1e-3)
    assert debt_hours(store) == pytest.approx(24)


@pytest.mark.parametrize("taken", [900, 990, 999])
def test_leaving_near_the_end_owes_as_finishing_does(taken: int) -> None:
    store = Store()
    store.settle([*download(taken), make_fact(at=7000, downloaded=taken, left=SIZE - taken, event=Event.STOPPED)])
    assert store.snatches == 1
    assert debt_hours(store) == pytest.approx(24)


def test_finishing_after_the_snatch_owes_nothing_more() -> None:
    store = Store()
    for fact in download(SIZE, steps=20):
        store.settle([fact])
    assert store.snatches == 1
    assert debt_hours(store) == pytest.approx(24)


@pytest.mark.parametrize("event", [Event.REGULAR, Event.PAUSED])
@pytest.mark.parametrize("taken", [60, 400, 890])
def test_a_partial_selection_owes_its_share(taken: int, event: Event) -> None:
    store = Store()
    for fact in [*download(taken), make_fact(at=7000, downloaded=taken, left=SIZE - taken, event=event)]:
        store.settle([fact])
    assert store.snatches == 0
    assert debt_hours(store) == pytest.approx(24 * taken / SIZE)
    assert owed(store) == pytest.approx(taken / SIZE, rel=1e-3)


def test_a_look_at_a_torrent_owes_nothing() -> None:
    store = Store()
    store.settle(download(50))
    assert (owed(store), debt_hours(store)) == (0.0, 0.0)


def test_downloads_of_several_sessions_add_up() -> None:
    store = Store()
    store.settle(download(500))
    store.settle(
        [make_fact(at=9000 + step, peer_id=SEEDBOX, downloaded=100 * step, left=500 - step) for step in range(5)]
    )
    assert store.snatches == 1


@pytest.mark.parametrize("length", [SIZE, None])
def test_what_is_left_may_show_the_download_where_the_counter_does_not(length: int | None) -> None:
    store = Store(length)
    for step in range(20):
        store.settle([make_fact(at=600 * step, left=SIZE - 50 * step)])
    assert store.snatches == 1


def test_a_client_that_restarts_before_each_announce_shows_by_what_is_left_how_much_it_took() -> None:
    store = Store()
    for step in range(20):
        store.settle([make_fact(at=600 * step, left=SIZE - 50 * step, peer_id=b"-TR4050-%012d" % step, address="home")])
    assert store.snatches == 1


@pytest.mark.parametrize("lefts", [(SIZE, 0), (SIZE, 600, 300, 0), (0, 0), (SIZE, 20)])
def test_finding_what_one_has_owes_nothing(lefts: Sequence[int]) -> None:
    """A recheck, or a torrent whose data came from elsewhere."""
    store = Store()
    for at, left in enumerate(lefts):
        store.settle([make_fact(at=600 * at, left=left)])
    assert (store.snatches, owed(store)) == (0, 0.0)


@pytest.mark.parametrize("length", [SIZE, None])
def test_repairing_what_one_arrived_with_owes_nothing(length: int | None) -> None:
    store = Store(length)
    repaired = SIZE // SNATCH_SHARE - 10
    for at, (left, downloaded) in enumerate([(0, 0), (repaired, 0), (repaired // 2, repaired // 2), (0, repaired)]):
        store.settle([make_fact(at=600 * at, left=left, downloaded=downloaded)])
    assert (store.snatches, owed(store)) == (0, 0.0)


def test_padding_that_is_never_downloaded_does_not_hide_the_end() -> None:
    store = Store()
    store.settle([*download(600), make_fact(at=7000, downloaded=600, left=0)])
    assert store.snatches == 1
    assert debt_hours(store) == pytest.approx(24)


@pytest.mark.parametrize("left", [0, 1])
def test_the_client_that_downloaded_pays(left: int) -> None:
    store = Store()
    store.settle([*download(SIZE, left=1, peer_id=HOME), *seed(6600, 12, peer_id=HOME)])
    assert debt_hours(store) == pytest.approx(12)


@pytest.mark.parametrize("taken", [400, 990])
@pytest.mark.parametrize("address", [None, "home"])
def test_another_client_that_only_announces_left_0_pays_nothing(taken: int, address: str | None) -> None:
    store = Store()
    store.settle(download(taken, peer_id=HOME, address="home", port=1))
    before = debt_hours(store)
    for fact in seed(6600, 30, peer_id=SEEDBOX, address=address, port=2):
        store.settle([fact])
    assert debt_hours(store) >= before
    history = store.keys[hash_announce_key("alice")].history
    assert history.paid == 0.0
    assert history.length_days > 1, "its seeding still counts for the score"


def test_another_client_that_downloaded_it_too_pays() -> None:
    store = Store()
    store.settle(download(SIZE, peer_id=HOME))
    store.settle([fact._replace(at_ms=fact.at_ms + 7_000_000) for fact in download(950, peer_id=SEEDBOX)])
    store.settle(seed(14_000, 12, peer_id=SEEDBOX))
    assert debt_hours(store) == pytest.approx(12)


def restarted(**changes: Any) -> list[Fact]:
    """Twelve hours of seeding by a client that was restarted a while after the download."""
    return seed(20_000, 12, **({"peer_id": b"-TR4050-restarted000", "address": "home", "port": 2} | changes))


@pytest.mark.parametrize("stopped", [True, False])
def test_a_restarted_client_pays_at_once_if_it_stopped_and_later_if_it_only_fell_silent(stopped: bool) -> None:
    store = Store()
    store.settle(download(SIZE, peer_id=HOME, address="home", port=1))
    if stopped:
        store.settle([make_fact(at=6100, peer_id=HOME, downloaded=SIZE, event=Event.STOPPED, address="home", port=1)])
    for fact in restarted():
        store.settle([fact])
    assert debt_hours(store) == pytest.approx(12, abs=0.2)


@pytest.mark.parametrize("changes", [{"address": "elsewhere"}, {"peer_id": SEEDBOX}, {"address": None}])
def test_a_client_of_another_program_or_at_another_address_is_not_the_one_restarted(changes: dict[str, Any]) -> None:
    store = Store()
    store.settle(download(SIZE, peer_id=HOME, address="home", port=1))
    store.settle(restarted(**changes))
    assert debt_hours(store) == pytest.approx(24)


def test_a_client_that_still_announces_is_not_succeeded_by_a_second_one_of_the_same_program() -> None:
    store = Store()
    store.settle(download(SIZE, left=1, peer_id=HOME, address="home", port=1))
    second = seed(6600, 12, peer_id=b"-TR4050-second000000", address="home", port=2)
    first = [fact._replace(peer_id=HOME, port=1, left=1, at_ms=fact.at_ms + 1000) for fact in second]
    for pair in zip(second, first, strict=True):
        store.settle(pair)
    assert debt_hours(store) == pytest.approx(24)


def test_a_new_peer_id_at_the_same_endpoint_pays() -> None:
    store = Store()
    store.settle(download(SIZE, peer_id=HOME, address="home", port=1))
    store.settle(seed(6600, 12, peer_id=SEEDBOX, address="home", port=1))
    assert debt_hours(store) == pytest.approx(12, abs=0.2)


def test_the_client_that_downloaded_pays_at_full_speed_next_to_another_one() -> None:
    store = Store()
    store.settle(download(SIZE, left=1, peer_id=HOME))
    at_home = seed(6600, 12, peer_id=HOME)
    elsewhere = [fact._replace(peer_id=SEEDBOX, at_ms=fact.at_ms + 900_000) for fact in at_home]
    for pair in zip(at_home, elsewhere, strict=True):
        store.settle(pair)
    assert debt_hours(store) == pytest.approx(12)


def test_several_clients_that_downloaded_it_pay_no_faster_than_one() -> None:
    store = Store()
    store.settle(download(SIZE, peer_id=HOME))
    store.settle([fact._replace(at_ms=fact.at_ms + 7_000_000) for fact in download(950, peer_id=SEEDBOX)])
    for pair in zip(seed(14_000, 12, peer_id=HOME), seed(14_010, 12, peer_id=SEEDBOX), strict=True):
        store.settle(pair)
    assert debt_hours(store) == pytest.approx(12, abs=0.6)


def test_a_partial_seed_pays_the_share_that_it_owes_and_earns_nothing() -> None:
    store = Store()
    store.settle(download(400))
    paused = [make_fact(at=6600 + 1800 * step, left=600, downloaded=400, event=Event.PAUSED) for step in range(41)]
    for fact in paused:
        store.settle([fact])
    history = store.keys[hash_announce_key("alice")].history
    assert debt_hours(store) == 0.0
    assert history.paid == pytest.approx(0.4, rel=1e-2)
    assert (history.recent, history.length_days, history.seeding_seconds) == (0.0, 0.0, 0.0)


def test_debts_from_before_are_paid_by_any_client() -> None:
    """As the migration leaves them: a snatch, its debt, and nobody who owes it."""
    store = Store()
    store.settle(download(SIZE, peer_id=HOME))
    store.memberships[MEMBER] = store.memberships[MEMBER]._replace(taken=0, owed_share=0.0, owed_by=None)
    store.settle([make_fact(at=6500, left=1, downloaded=2 * SIZE, peer_id=HOME)])
    assert store.snatches == 1
    assert debt_hours(store) == pytest.approx(24), "and nothing is owed twice"
    store.settle(seed(6600, 12, peer_id=SEEDBOX))
    assert debt_hours(store) == pytest.approx(12)


@given(st.lists(st.tuples(st.integers(0, SIZE), st.integers(UNKNOWN, SIZE), st.sampled_from(Event)), max_size=30))
def test_no_history_owes_more_than_one_snatch_of_a_torrent(reports: list[tuple[int, int, Event]]) -> None:
    store = Store()
    for at, (downloaded, left, event) in enumerate(reports):
        store.settle([make_fact(at=600 * at, downloaded=downloaded, left=left, event=event)])
    assert 0 <= owed(store) <= 1 + 1e-9
    assert 0 <= debt_hours(store) <= 24 + 1e-9
