"""Batches: snatches, sums of keys and torrents, and what holds for any facts at all."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etracker_scoring.domain.ledger import Books, Ledger, Outcome, account, admit, possible_snatches
from etracker_scoring.domain.records import Key, Membership, MembershipKey, Session, SessionKey, Torrent
from etracker_shared.facts import MAX_COUNTER, UNKNOWN_LEFT, Event, Fact, FactFlag
from etracker_shared.identity import hash_announce_key
from tests.support.facts import info_hash_of, make_fact

TORRENTS = ("film", "music", "text")
SIZE = 1000


class Store:
    """What Postgres would hold, so that a test can settle batch after batch."""

    def __init__(self, length: int | None = SIZE) -> None:
        self.torrents = {make_fact(torrent=name).info_hash: Torrent(at, length) for at, name in enumerate(TORRENTS)}
        self.keys = {hash_announce_key("alice"): Key(1, 0), hash_announce_key("bob"): Key(2, 0)}
        self.sessions: dict[SessionKey, Session] = {}
        self.memberships: dict[MembershipKey, Membership] = {}
        self.totals: Counter[str] = Counter()

    def settle(self, facts: Sequence[Fact]) -> Ledger:
        admitted, outcomes = admit(facts, self.keys, self.torrents)
        downloaded = {
            member: sum(kept.downloaded_credit for key, kept in self.sessions.items() if key[:2] == member)
            for member in possible_snatches(admitted, self.memberships)
        }
        ledger = account(admitted, Books(self.sessions, self.memberships, downloaded))
        self.sessions.update(ledger.sessions)
        self.memberships.update(ledger.memberships)
        for key_hash, key in self.keys.items():
            if sums := ledger.keys.get(key.id):
                self.keys[key_hash] = key._replace(seeded_until=sums.seeded_until)
        for side, entries in (("keys", ledger.keys), ("torrents", ledger.torrents)):
            for sums in entries.values():
                for name in ("snatches", "uploaded", "downloaded", "seeding_seconds"):
                    total = self.totals[f"{side} {name}"] + getattr(sums, name)
                    self.totals[f"{side} {name}"] = min(MAX_COUNTER, total)
        ledger.outcomes += outcomes
        return ledger

    @property
    def snatches(self) -> int:
        return self.totals["torrents snatches"]


def download(downloaded: int, *, size: int = SIZE, **more: object) -> list[Fact]:
    start = make_fact(left=size, **more)
    return [start, make_fact(at=10, downloaded=downloaded, left=0, **more)]


def test_protocol_29_a_download_that_ends_is_a_snatch_without_any_completed() -> None:
    store = Store()
    store.settle(download(1000))
    assert (store.snatches, store.totals["keys snatches"]) == (1, 1)


@pytest.mark.parametrize(
    ("length", "downloaded", "snatches"), [(1000, 100, 1), (1000, 99, 0), (None, 1, 1), (None, 0, 0)]
)
def test_protocol_29_a_tenth_of_the_size_or_anything_of_an_unknown_size_must_be_downloaded_here(
    length: int | None, downloaded: int, snatches: int
) -> None:
    store = Store(length)
    store.settle(download(downloaded))
    assert store.snatches == snatches


def test_protocol_29_a_peer_that_arrives_complete_has_not_snatched() -> None:
    store = Store()
    store.settle([make_fact(downloaded=1000, event=Event.COMPLETED), make_fact(at=9, downloaded=2000)])
    assert store.snatches == 0


def test_protocol_29_completed_with_bytes_left_is_no_snatch() -> None:
    store = Store()
    store.settle([make_fact(left=9), make_fact(at=9, downloaded=999, left=1, event=Event.COMPLETED)])
    assert store.snatches == 0


def test_protocol_29_a_snatch_counts_once_for_ever_however_often_a_key_downloads() -> None:
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


def test_protocol_31_a_download_finished_under_another_peer_id_is_a_snatch() -> None:
    store = Store()
    store.settle([make_fact(left=1000), make_fact(at=5, downloaded=900, left=100)])
    store.settle([make_fact(at=9, left=0, peer_id=b"restarted meanwhile.")])
    assert store.snatches == 1


def test_a_seedbox_that_seeds_on_does_not_finish_the_download_at_home() -> None:
    store = Store()
    store.settle([make_fact(peer_id=b"seedbox............."), make_fact(at=1, left=1000)])
    store.settle([make_fact(at=5, downloaded=900, left=100), make_fact(at=6, peer_id=b"seedbox.............")])
    assert store.snatches == 0
    store.settle([make_fact(at=9, downloaded=1000, left=0)])
    assert store.snatches == 1


def test_protocol_30_the_zeros_of_webtorrents_stopped_are_no_snatch() -> None:
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
    ledger = Store().settle([make_fact(key="mallory", flags=flags)])
    assert ledger.outcomes == {Outcome.UNREGISTERED: 1}
    assert not ledger.sessions


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


counters = st.one_of(st.integers(0, 2000), st.sampled_from([0, MAX_COUNTER]))
any_fact = st.builds(
    lambda at, **more: make_fact(at=at, **more),
    at=st.integers(0, 5000),
    key=st.sampled_from(["alice", "bob"]),
    torrent=st.sampled_from(TORRENTS),
    peer_id=st.sampled_from([b"a" * 20, b"b" * 20]),
    uploaded=counters,
    downloaded=counters,
    left=st.sampled_from([UNKNOWN_LEFT, 0, 1, SIZE, MAX_COUNTER]),
    event=st.sampled_from(Event),
    flags=st.sampled_from([FactFlag.NONE, FactFlag.GUEST, FactFlag.PROVISIONAL]),
)
histories = st.lists(any_fact, max_size=40)


def state(store: Store) -> tuple[object, ...]:
    return store.sessions, store.memberships, store.keys, store.totals


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
    ledger = store.settle(facts)
    for sums in (*ledger.keys.values(), *ledger.torrents.values()):
        assert min(sums.uploaded, sums.downloaded, sums.seeding_seconds, sums.snatches) >= 0
        assert max(sums.uploaded, sums.downloaded) <= MAX_COUNTER
    assert store.totals["keys snatches"] <= len(store.memberships)
    assert store.totals["keys seeding_seconds"] <= 2 * 5000
