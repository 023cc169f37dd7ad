"""Batches: snatches, sums of keys and torrents, and what holds for any facts at all."""

import math
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etracker_scoring.scores.formula import DAY, KeyHistory, decay
from etracker_scoring.scores.tiers import HeldTier
from etracker_scoring.worker.admission import Outcome
from etracker_scoring.worker.downloads import GUEST_SNATCHES
from etracker_shared.agreements.facts import MAX_COUNTER, UNKNOWN, Event, Fact, FactFlag
from etracker_shared.language.identity import hash_announce_key
from etracker_shared.language.tier import Tier
from tests.support.batches import NOW_MS, PARAMETERS, SIZE, TORRENTS, Store
from tests.support.facts import START_MS, info_hash_of, make_fact

LN2 = math.log(2.0)


def download(downloaded: int, *, size: int = SIZE, **more: object) -> list[Fact]:
    start = make_fact(left=size, **more)
    return [start, make_fact(at=10, downloaded=downloaded, left=0, **more)]


@pytest.mark.promise(29)
def test_a_download_that_ends_is_a_snatch_without_any_completed() -> None:
    store = Store()
    store.settle(download(1000))
    assert (store.snatches, store.totals["keys snatches"]) == (1, 1)


@pytest.mark.parametrize(
    ("length", "downloaded", "snatches"), [(1000, 100, 1), (1000, 99, 0), (None, 100, 1), (None, 99, 0)]
)
@pytest.mark.promise(29)
def test_a_tenth_of_the_size_or_of_what_was_left_if_it_is_unknown_must_be_downloaded_here(
    length: int | None, downloaded: int, snatches: int
) -> None:
    store = Store(length)
    store.settle(download(downloaded))
    assert store.snatches == snatches


@pytest.mark.promise(29)
@pytest.mark.parametrize("length", [SIZE, None])
@pytest.mark.parametrize("who", [{"key": "alice"}, {"guest": b"-TR4050-guest0000000"}])
def test_repairing_what_one_arrived_with_is_no_snatch(length: int | None, who: dict[str, object]) -> None:
    store = Store(length)
    lefts = ((0, 0), (90, 0), (90, 0), (40, 50), (0, 90))
    store.settle([make_fact(at=at, left=left, downloaded=down, **who) for at, (left, down) in enumerate(lefts)])
    assert store.snatches == 0


def test_snatches_of_guests_are_counted_up_to_a_few_per_address_prefix() -> None:
    store = Store()
    for number in range(10):
        store.settle(download(1000, guest=b"-TR4050-%012d" % number))
    store.settle(download(1000, guest=b"-TR4050-elsewhere000", prefix=b"\x04\x0a\x00\x01\x00\x00\x00"))
    assert store.snatches == GUEST_SNATCHES + 1


@pytest.mark.promise(29)
def test_a_peer_that_arrives_complete_has_not_snatched() -> None:
    store = Store()
    store.settle([make_fact(downloaded=1000, event=Event.COMPLETED), make_fact(at=9, downloaded=2000)])
    assert store.snatches == 0


@pytest.mark.promise(29)
def test_completed_with_bytes_left_is_no_snatch() -> None:
    store = Store()
    store.settle([make_fact(left=9), make_fact(at=9, downloaded=899, left=1, event=Event.COMPLETED)])
    assert store.snatches == 0


@pytest.mark.promise(29)
def test_a_snatch_counts_once_for_ever_however_often_a_key_downloads() -> None:
    store = Store()
    for round_number in range(3):
        peer_id = b"-TR4050-%012d" % round_number
        store.settle(download(1000, peer_id=peer_id))
        store.settle([make_fact(at=20, left=500, downloaded=1000, peer_id=peer_id)])
        store.settle([make_fact(at=30, left=0, downloaded=1500, peer_id=peer_id)])
    assert store.snatches == 1


def test_a_snatch_adds_up_downloads_of_earlier_sessions() -> None:
    store = Store()
    store.settle([make_fact(left=1000), make_fact(at=5, downloaded=60, left=940)])
    store.settle([make_fact(at=9, left=940, peer_id=b"another instance...")])
    store.settle([make_fact(at=12, left=0, downloaded=50, peer_id=b"another instance...")])
    assert store.snatches == 1


@pytest.mark.promise(31)
def test_a_download_finished_under_another_peer_id_is_a_snatch() -> None:
    store = Store()
    store.settle([make_fact(left=1000), make_fact(at=5, downloaded=900, left=100)])
    store.settle([make_fact(at=9, left=0, peer_id=b"restarted in between")])
    assert store.snatches == 1


def test_a_seedbox_that_seeds_on_does_not_finish_the_download_at_home() -> None:
    store = Store()
    store.settle([make_fact(peer_id=b"seedbox............."), make_fact(at=1, left=1000)])
    store.settle([make_fact(at=5, downloaded=800, left=200), make_fact(at=6, peer_id=b"seedbox.............")])
    assert store.snatches == 0
    store.settle([make_fact(at=9, downloaded=1000, left=0)])
    assert store.snatches == 1


@pytest.mark.promise(29)
def test_the_zeros_of_webtorrents_stopped_are_no_snatch() -> None:
    store = Store()
    store.settle(
        [make_fact(left=1000), make_fact(at=5, downloaded=500, left=500), make_fact(at=9, event=Event.STOPPED)]
    )
    assert store.snatches == 0


def test_a_partial_seed_that_fetches_the_rest_has_snatched() -> None:
    store = Store()
    store.settle([make_fact(left=1000), make_fact(at=5, downloaded=500, left=500, event=Event.PAUSED)])
    assert store.snatches == 0
    store.settle([make_fact(at=9, downloaded=1000, left=0)])
    assert store.snatches == 1


def test_a_guest_snatches_once_a_session_and_belongs_to_nobody() -> None:
    store = Store()
    facts = [make_fact(guest=b"-XX0000-guestguest01", at=at, downloaded=at * 100, left=left) for at, left in
             [(0, 1000), (10, 0), (20, 100), (30, 0)]]  # fmt: skip
    store.settle(facts[:2])
    store.settle(facts[2:])
    assert (store.snatches, store.totals["torrents downloaded"]) == (1, 3000)
    assert store.totals["keys downloaded"] == 0
    assert not store.memberships


@pytest.mark.parametrize("flags", [FactFlag.NONE, FactFlag.PROVISIONAL])
def test_facts_of_keys_that_are_not_registered_are_dropped(flags: FactFlag) -> None:
    settled = Store().settle([make_fact(key="mallory", flags=flags)])
    assert settled.outcomes == {Outcome.UNREGISTERED: 1}
    assert not settled.sessions


def test_a_provisional_fact_of_a_registered_key_counts() -> None:
    assert Store().settle([make_fact(flags=FactFlag.PROVISIONAL)]).outcomes == {Outcome.SETTLED: 1}


def test_facts_of_torrents_that_are_not_tracked_are_dropped() -> None:
    assert Store().settle([make_fact(torrent="stranger")]).outcomes == {Outcome.UNLISTED: 1}


def test_a_keys_seeding_time_is_the_union_over_its_torrents() -> None:
    store = Store()
    store.settle([make_fact(at=at, torrent=torrent) for at in (0, 1000, 2000) for torrent in TORRENTS])
    assert (store.totals["torrents seeding_seconds"], store.totals["keys seeding_seconds"]) == (6000, 2000)


def test_a_membership_is_written_only_when_it_changes() -> None:
    store = Store()
    assert store.settle([make_fact(left=5)]).memberships
    assert not store.settle([make_fact(at=9, left=4)]).memberships


def history_of(store: Store, key: str = "alice") -> KeyHistory:
    return store.keys[hash_announce_key(key)].history


def test_a_clients_seeding_is_credited_without_writing_its_membership_each_time() -> None:
    store = Store()
    store.settle([make_fact(), make_fact(at=1000)])
    settled = store.settle([make_fact(at=2000)])
    assert not settled.memberships
    assert not settled.keys.credits
    assert history_of(store).at_seconds == START_MS / 1000 + 2000
    assert history_of(store).recent == pytest.approx(0.75 * LN2 / 7 / DAY * 2000, rel=1e-3)


@pytest.mark.parametrize("batches", [1, 8])
def test_two_clients_of_a_key_in_a_torrent_are_credited_once(batches: int) -> None:
    """The second joins at 500, they take turns, and the first leaves after 2000."""
    two = Store()
    others = [(0, "a"), (500, "b"), (1000, "a"), (1500, "b"), (2000, "a"), (2500, "b"), (3500, "b"), (4500, "b")]
    facts = [make_fact(at=at, peer_id=who.encode() * 20) for at, who in others]
    for start in range(0, 8, 8 // batches):
        two.settle(facts[start : start + 8 // batches])
    one = Store()
    one.settle([make_fact(at=at) for at in range(0, 5000, 500)])
    now = START_MS / 1000 + 4500
    of_two, of_one = (decay(history_of(store), now, PARAMETERS) for store in (two, one))
    assert of_two.recent == pytest.approx(of_one.recent, rel=1e-3)  # decayed in other steps
    assert of_two.length_days == pytest.approx(of_one.length_days, rel=1e-3)


@pytest.mark.promise(28)
def test_a_first_claim_of_any_size_is_worth_nothing() -> None:
    store = Store()
    store.settle([make_fact(uploaded=10**15, downloaded=10**15), make_fact(at=900, uploaded=2 * 10**15)])
    honest = Store()
    honest.settle([make_fact(), make_fact(at=900)])
    assert history_of(store) == history_of(honest)


def test_a_snatch_is_owed_and_seeding_pays() -> None:
    store = Store()
    store.settle([*download(1000), make_fact(at=1810, downloaded=1000)])
    member = (1, TORRENTS.index("film"))
    assert store.credits[member].seeding.debt_seconds == 24 * 3600 - 1800
    assert history_of(store).owed == pytest.approx(1.0, rel=1e-3)
    assert history_of(store).paid == pytest.approx(1800 / 86400)


def test_a_newcomers_tier_is_decided_with_its_first_fact_and_nothing_is_said_about_it() -> None:
    settled = Store().settle([make_fact()])
    assert settled.keys.scores[1].held == HeldTier(Tier.CONTRIBUTOR)
    assert (list(settled.keys.new_tiers), settled.keys.notices) == ([1], {})
    assert settled.keys.changed == [hash_announce_key("alice")]


def test_a_tier_that_changes_is_recorded_and_told_once() -> None:
    store = Store()
    store.settle([make_fact(left=1000), make_fact(torrent="music", left=1000)])
    done = [make_fact(torrent=name, at=9, left=0, downloaded=1000) for name in ("film", "music")]
    settled = store.settle(done)
    assert settled.keys.scores[1].held == HeldTier(Tier.LITTLE_HISTORY, START_MS / 1000 + 9)
    assert settled.keys.notices[1].at_ms == NOW_MS
    assert "tier 1 of 4" in settled.keys.notices[1].text
    assert settled.keys.changed == [hash_announce_key("alice")]
    assert not store.settle([make_fact(at=20)]).keys.notices


@pytest.mark.parametrize(
    ("after_ms", "event", "told"),
    [(1999, Event.REGULAR, False), (2000, Event.REGULAR, True), (5000, Event.STOPPED, False)],
)
def test_a_notice_is_told_by_an_answer_that_can_have_held_it(after_ms: int, event: Event, told: bool) -> None:
    store = Store()
    store.settle([make_fact()])
    alice = hash_announce_key("alice")
    store.keys[alice] = store.keys[alice]._replace(undelivered_since_ms=START_MS + 10_000)
    settled = store.settle([make_fact(at_ms=START_MS + 10_000 + after_ms, event=event)])
    assert (1 in settled.keys.delivered) is told
    assert (alice in settled.keys.changed) is told


@pytest.mark.promise(27, 31)
def test_counters_are_measured_against_what_the_same_key_torrent_and_peer_id_reported() -> None:
    store = Store()
    sessions: list[dict[str, Any]] = [
        {"uploaded": 100},
        {"uploaded": 2000, "key": "bob"},
        {"uploaded": 30_000, "torrent": "music"},
        {"uploaded": 400_000, "peer_id": b"another instance...."},
    ]
    store.settle([make_fact(at=at, **session) for at, session in enumerate(sessions)])
    assert store.totals["keys uploaded"] == 0
    store.settle(
        [
            make_fact(at=60 + at, **session | {"uploaded": session["uploaded"] + 5})
            for at, session in enumerate(sessions)
        ]
    )
    assert store.totals["keys uploaded"] == 4 * 5


counters = st.one_of(st.integers(0, 2000), st.sampled_from([0, MAX_COUNTER]))
any_fact = st.builds(
    lambda at, **more: make_fact(at=at, **more),
    at=st.integers(0, 5000),
    key=st.sampled_from(["alice", "bob"]),
    torrent=st.sampled_from(TORRENTS),
    peer_id=st.sampled_from([b"a" * 20, b"a" * 8 + b"b" * 12, b"b" * 20]),
    address=st.sampled_from(["home", "elsewhere"]),
    port=st.integers(1, 2),
    prefix=st.sampled_from([b"home...", b"other.."]),
    uploaded=counters,
    downloaded=counters,
    left=st.sampled_from([UNKNOWN, 0, 1, SIZE // 2, SIZE, MAX_COUNTER]),
    event=st.sampled_from(Event),
    flags=st.sampled_from([FactFlag.NONE, FactFlag.GUEST, FactFlag.PROVISIONAL]),
)
histories = st.lists(any_fact, max_size=40)


def state(store: Store) -> tuple[object, ...]:
    """What doesn't depend on how facts are cut into batches; tiers do, since they are judged once a batch."""
    histories = {key_hash: key.history for key_hash, key in store.keys.items()}
    return store.sessions, store.memberships, store.credits, histories, store.totals


@given(histories, st.lists(st.integers(0, 40), max_size=5))
def test_batches_may_be_cut_anywhere(facts: list[Fact], cuts: list[int]) -> None:
    whole, pieces = Store(), Store()
    whole.settle(facts)
    for start, stop in pairwise([0, *sorted(cuts), 40]):
        pieces.settle(facts[start:stop])
    assert state(whole) == state(pieces)


@given(histories, st.integers(0, 40), st.integers(0, 40))
def test_a_replay_of_any_stretch_in_its_order_changes_nothing(facts: list[Fact], start: int, stop: int) -> None:
    facts = sorted(facts, key=lambda fact: fact.at_ms)
    facts = [fact for at, fact in enumerate(facts) if at == 0 or fact.at_ms != facts[at - 1].at_ms]
    store = Store()
    store.settle(facts)
    before = repr(state(store))
    store.settle(facts[start:stop])
    assert repr(state(store)) == before


@given(histories, st.permutations(TORRENTS))
def test_how_facts_of_several_torrents_interleave_does_not_matter_to_what_was_transferred(
    facts: list[Fact], order: list[str]
) -> None:
    mixed, in_turn = Store(), Store()
    mixed.settle(facts)
    for torrent in order:
        in_turn.settle([fact for fact in facts if fact.info_hash == info_hash_of(torrent)])
    for name in ("keys uploaded", "keys downloaded", "torrents uploaded", "torrents downloaded", "keys snatches"):
        assert mixed.totals[name] == in_turn.totals[name]


@given(histories)
def test_nothing_is_ever_negative_nor_too_large_and_no_key_snatches_a_torrent_twice(facts: list[Fact]) -> None:
    store = Store()
    settled = store.settle(facts)
    for sums in (*settled.keys.sums.values(), *settled.torrents.values()):
        assert min(sums.uploaded, sums.downloaded, sums.seeding_seconds, sums.snatches) >= 0
        assert max(sums.uploaded, sums.downloaded) <= MAX_COUNTER
    assert store.totals["keys snatches"] <= len(store.memberships)
    assert store.totals["keys seeding_seconds"] <= 2 * 5000
