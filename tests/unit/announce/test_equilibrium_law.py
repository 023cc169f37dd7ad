"""Policy ``equilibrium`` against its law, spelled out for one pair at a time."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etracker_announce.domain.policies import Asker, EquilibriumParameters, Question, equilibrium
from etracker_announce.domain.policies.equilibrium import few
from etracker_announce.domain.policies.equilibrium.kinds import READ
from etracker_announce.domain.policies.equilibrium.pairs import Pairs
from etracker_announce.domain.policies.equilibrium.parameters import seeders_guaranteed
from etracker_announce.domain.policies.pair_hashes import pair_hash_of
from etracker_announce.domain.swarm import RECORD, PeerFlag, Records, Role

NOW = 1_750_000_000
EVERYBODY = 10_000
PARAMETERS = (
    equilibrium.DEFAULTS,
    EquilibriumParameters(
        phi=0.5, leechers=2, exact_up_to=12, fewest=5, seeders=(1, 1, 2, None, None), seeders_share=0.3
    ),
    replace(equilibrium.DEFAULTS, phi=1.0),
    replace(equilibrium.DEFAULTS, fewest=20, steps=(1.0, 1.0, 1.0, 1.0), crowd=20, seeders_share=0.5),
)


class Peer(NamedTuple):
    place: int
    pair_hash: int
    tier: int
    seeds: bool
    age: int


class Law:
    """What the policy promises to one asker."""

    def __init__(self, question: Question, candidates: Records, parameters: EquilibriumParameters) -> None:
        asker = question.asker
        self.asker = Peer(
            -1, asker.pair_hash, asker.tier, asker.role is not Role.LEECHER, question.now - asker.first_seen
        )
        self.question = question
        self.parameters = parameters
        self.tau = equilibrium.tau_of(question.torrent_length, parameters, question.leechers)
        seeding = PeerFlag.SEEDER | PeerFlag.PARTIAL_SEED
        self.peers = [
            Peer(
                place,
                int(r["pair_hash"]),
                int(r["tier"]),
                bool(r["flags"] & seeding),
                max(int(r["seen4"]), int(r["seen6"])) - int(r["first_seen"]),
            )
            for place, r in enumerate(candidates)
        ]

    def allowed(self) -> set[int]:
        found = [peer for peer in self.peers if self.may_meet(peer)]
        if not self.asker.seeds:
            wanted = min(self.parameters.fewest, self.question.numwant, len(self.peers))
            rest = sorted(set(self.peers) - set(found), key=lambda peer: (peer.tier, hashed(self.asker, peer)))
            found += rest[: max(0, wanted - len(found))]
        return {peer.place for peer in found}

    def may_meet(self, peer: Peer) -> bool:
        if self.asker.seeds and peer.seeds:
            return False
        alike = [other for other in self.peers if other.seeds == peer.seeds and other is not peer]
        rivals = [other for other in self.peers if other.seeds == self.asker.seeds and other is not peer]
        asker_accepts = self.asker.seeds or self.accepts(self.asker, peer, alike)
        return asker_accepts and (peer.seeds or self.accepts(peer, self.asker, rivals))

    def accepts(self, leecher: Peer, other: Peer, alike: Sequence[Peer]) -> bool:
        """Return whether a leecher accepts another, next to whom it knows others of that kind."""
        steps = sum(self.parameters.steps[leecher.tier : other.tier])
        gap = steps - leecher.age / self.tau
        if other.tier <= leecher.tier or hashed(leecher, other) <= self.parameters.phi ** max(0.0, gap):
            return True
        number, most = len(alike) + 1, self.parameters.exact_up_to
        if other.seeds:
            number = max(number, self.question.seeders)
        if number > most:
            return hashed(leecher, other) <= self.guaranteed(leecher, other, most) / (
                most if other.seeds and self.parameters.seeders[leecher.tier] is None else number
            )
        closer = [peer for peer in alike if hashed(leecher, peer) < hashed(leecher, other)]
        return len(closer) < self.guaranteed(leecher, other, len(alike) + 1)

    def guaranteed(self, leecher: Peer, other: Peer, number: int) -> int:
        if not other.seeds:
            return self.parameters.leechers
        return seeders_guaranteed(self.parameters, leecher.tier, number, self.question.leechers)


def hashed(one: Peer, other: Peer) -> float:
    return pair_hash_of(one.pair_hash + other.pair_hash)


def make_swarm(seeders: int, leechers: int, rng: np.random.Generator) -> Records:
    records = np.zeros(seeders + leechers, RECORD)
    records["identity"] = np.arange(len(records))
    records["pair_hash"] = rng.integers(0, 2**32, len(records), dtype=np.uint64)
    records["tier"] = rng.integers(rng.choice([0, 0, 3]), 5, len(records))
    seen = NOW - rng.integers(0, 3000, len(records))
    records["first_seen"] = seen - rng.integers(0, rng.choice([1, 600, 6000]), len(records))
    records["seen4"] = np.where(rng.random(len(records)) < 0.5, seen, 0)
    records["seen6"] = np.where(records["seen4"] > 0, seen - 60, seen)
    records["flags"] = PeerFlag.GUEST
    records["flags"][:seeders] |= rng.choice([PeerFlag.SEEDER, PeerFlag.PARTIAL_SEED], seeders).astype(np.uint8)
    rng.shuffle(records)
    return records


def make_question(rng: np.random.Generator, seeders: int, numwant: int) -> Question:
    asker = Asker(
        identity=EVERYBODY,
        pair_hash=int(rng.integers(0, 2**32, dtype=np.uint64)),
        tier=int(rng.integers(0, 5)),
        role=Role(int(rng.integers(0, 3))),
        first_seen=NOW - int(rng.integers(0, rng.choice([1, 600, 6000]))),
        share=0.0,
    )
    counted = int(rng.choice([0, seeders + (asker.role is not Role.LEECHER), 500]))
    length = (None, 10**8, 6 * 10**9)[rng.integers(0, 3)]
    seed, now, leechers = int(rng.integers(0, 2**32)), NOW + int(rng.integers(0, 3)), int(rng.choice([0, 30, 70, 5000]))
    return Question(asker, numwant, length, seed, now, counted, leechers)


@st.composite
def batches(draw: st.DrawFn) -> tuple[list[Question], list[Records]]:
    """Up to six askers, each with its own swarm, many of them at the sizes where something begins to differ."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    size = st.one_of(st.integers(0, 9), st.sampled_from([11, 12, 39, 40]), st.integers(0, 45))
    sizes = draw(st.lists(st.tuples(size, size), min_size=1, max_size=6))
    numwant = st.sampled_from([EVERYBODY, EVERYBODY, EVERYBODY, 1, 20])
    questions = [make_question(rng, seeders, draw(numwant)) for seeders, _ in sizes]
    return questions, [make_swarm(seeders, leechers, rng) for seeders, leechers in sizes]


def identities(lists: Sequence[Records]) -> list[set[int]]:
    return [set(records["identity"].tolist()) for records in lists]


@pytest.mark.parametrize("parameters", PARAMETERS)
@settings(deadline=None, max_examples=100)
@given(batch=batches())
def test_choosing_for_many_is_choosing_for_each_and_follows_the_law(
    parameters: EquilibriumParameters, batch: tuple[list[Question], list[Records]]
) -> None:
    questions, swarms = batch
    together = identities(Pairs(questions, swarms, parameters).choose())
    assert together == identities([Pairs([q], [s], parameters).choose()[0] for q, s in zip(*batch, strict=True)])
    assert together == identities([few.choose(q, s, parameters) for q, s in zip(*batch, strict=True)])
    assert together == identities(equilibrium.choose_many(questions, swarms, parameters))
    for question, swarm, chosen in zip(questions, swarms, together, strict=True):
        allowed = set(swarm["identity"][sorted(Law(question, swarm, parameters).allowed())].tolist())
        assert chosen <= allowed
        assert len(chosen) == min(question.numwant, len(allowed))


def test_whoever_wants_nobody_is_given_nobody_and_changes_nothing_for_others() -> None:
    rng = np.random.default_rng(1)
    swarm = make_swarm(50, 50, rng)
    asked = make_question(rng, 50, EVERYBODY)
    nothing, all_of_them = equilibrium.choose_many([asked._replace(numwant=0), asked], [swarm, swarm])
    assert not len(nothing)
    assert identities([all_of_them]) == identities([equilibrium.choose(asked, swarm)])
    assert not len(equilibrium.choose(asked._replace(numwant=-1), swarm))
    assert [len(chosen) for chosen in equilibrium.choose_many([asked, asked], [swarm[:0], swarm[:0]])] == [0, 0]
    assert equilibrium.choose_many([], []) == []


def test_chosen_records_are_the_candidates_byte_by_byte() -> None:
    rng = np.random.default_rng(2)
    swarms = [np.frombuffer(rng.bytes(80 * RECORD.itemsize), RECORD).copy() for _ in range(4)]
    for swarm in swarms:
        swarm["tier"] %= 5
    questions = [make_question(rng, 40, 10) for _ in swarms]
    for swarm, chosen in zip(swarms, equilibrium.choose_many(questions, swarms), strict=True):
        assert len(chosen)
        assert {record.tobytes() for record in chosen} <= {record.tobytes() for record in swarm}


def test_what_the_law_reads_of_a_record_lies_where_the_record_has_it() -> None:
    assert RECORD.fields is not None
    assert READ.names is not None
    assert READ.fields is not None
    for read, field in (*((name, name) for name in READ.names[:-1]), ("tier_and_flags", "tier")):
        assert READ.fields[read][1] == RECORD.fields[field][1]
    assert RECORD.fields["flags"][1] == RECORD.fields["tier"][1] + 1
