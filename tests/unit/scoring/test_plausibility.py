"""A counter that claims more than anybody can have moved is credited with the most one can have moved.

The kind of fault: one absurd number, by accident or on purpose, that spoils statistics permanently.
"""

import pytest

from etracker_scoring.worker.plausibility import FEWEST_PEERS, SLACK_SECONDS, SMALL_TORRENT_BYTES, Limits
from etracker_scoring.worker.records import Session, Torrent
from etracker_scoring.worker.sessions import Settlement, settle
from etracker_shared.agreements.facts import MAX_COUNTER, Fact
from tests.support.facts import make_fact

LIMITS = Limits(bytes_per_second=1000)
FILM = Torrent(1, 10 * SMALL_TORRENT_BYTES)


def settle_all(*facts: Fact, torrent: Torrent = FILM, limits: Limits = LIMITS) -> list[Settlement]:
    settlements: list[Settlement] = []
    session: Session | None = None
    for fact in facts:
        settlement = settle(session, fact, torrent=torrent, limits=limits)
        assert settlement is not None
        session = settlement.session
        settlements.append(settlement)
    return settlements


def test_a_line_carries_no_more_than_its_speed_allows() -> None:
    *_, last = settle_all(make_fact(), make_fact(at=40, uploaded=MAX_COUNTER, downloaded=7))
    assert (last.uploaded, last.downloaded, last.implausible) == (1000 * (40 + SLACK_SECONDS), 7, True)
    assert last.session.uploaded_credit == last.uploaded


def test_after_an_absurd_counter_the_true_one_counts_again() -> None:
    numbers = (0, 1000, MAX_COUNTER, 2000, 3000)
    settlements = settle_all(*[make_fact(at=at, uploaded=number) for at, number in enumerate(numbers)])
    assert [settlement.uploaded for settlement in settlements[3:]] == [0, 1000]
    assert sum(settlement.uploaded for settlement in settlements) <= 1000 * (len(numbers) + SLACK_SECONDS)


def test_many_absurd_counters_are_credited_no_more_than_one() -> None:
    facts = [make_fact(at=number / 10, uploaded=number % 2 * MAX_COUNTER) for number in range(100)]
    assert settle_all(*facts)[-1].session.uploaded_credit <= 1000 * (10 + SLACK_SECONDS)


@pytest.mark.parametrize(("peers", "most"), [(0, FEWEST_PEERS), (1000, 4004)])
def test_a_swarm_takes_no_more_than_its_peers_lack(peers: int, most: int) -> None:
    fast = Limits(2**62)
    *_, last = settle_all(
        make_fact(), make_fact(at=40, uploaded=MAX_COUNTER), torrent=FILM._replace(peers=peers), limits=fast
    )
    assert last.uploaded == 10 * SMALL_TORRENT_BYTES * most


def test_a_peer_downloads_a_torrent_a_few_times_between_two_reports_at_most() -> None:
    *_, last = settle_all(make_fact(), make_fact(at=40, downloaded=MAX_COUNTER), limits=Limits(2**62))
    assert last.downloaded == 40 * SMALL_TORRENT_BYTES


def test_what_a_new_peer_id_goes_on_with_is_bounded_too() -> None:
    (before,) = settle_all(make_fact(address="home"))
    after = make_fact(at=40, uploaded=MAX_COUNTER, address="home", peer_id=b"-TR4050-000000000000")
    settlement = settle(None, after, before.session, FILM, LIMITS)
    assert settlement is not None
    assert (settlement.uploaded, settlement.implausible) == (1000 * (40 + SLACK_SECONDS), True)
