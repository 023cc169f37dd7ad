"""The people of a regime, as themselves or as attackers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from etracker_announce.domain.policies import Policy
from etracker_announce.domain.swarm import Role
from etracker_shared.agreements.policies import PolicyName

from .attacks import Attack, attackers_of, lead_of
from .histories import shares_of
from .regimes import LEAVERS, Behaviour, Population
from .stage import FEW_PEERS, IMPATIENT_SECONDS, Stage
from .state import make_swarms
from .tracker import INTERVAL_SECONDS, Member, identity_of

HORIZON_SECONDS = 48 * 3600
SATISFIED_BY_RATIO = (Behaviour.RATIO_CONSCIOUS, Behaviour.NEWCOMER)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome for everybody. ``duration``: seconds from arrival to completion, nan if they never completed."""

    population: Population
    duration: npt.NDArray[np.float64]
    announces: int


def play(
    population: Population,
    policy_name: PolicyName,
    policy: Policy,
    seed: int,
    attack: Attack = Attack.NONE,
    *,
    interval_seconds: int = INTERVAL_SECONDS,
) -> Outcome:
    """Simulate one run of a population under a policy until everybody has completed, or until the horizon."""
    peers = len(population.torrent)
    swarms = make_swarms(
        up=population.up,
        down=population.down,
        reachable=population.reachable,
        user=np.arange(peers),
        torrent=population.torrent,
        torrent_bytes=np.full(int(population.torrent.max()) + 1, population.torrent_bytes),
        seed=seed,
    )
    lead = lead_of(attack)
    people = _Crowd(population, shares_of(policy_name, population), attack, lead)
    arrival = np.where(population.behaviour == Behaviour.SEED, 0.0, population.arrival + lead)
    stage = Stage(
        swarms,
        people,
        policy,
        arrival - people.lead,
        secret=seed,
        peer_exchange=attack is Attack.PEER_EXCHANGE,
        interval_seconds=interval_seconds,
    )
    people.stage = stage
    stage.play(lead + HORIZON_SECONDS, int(np.count_nonzero(population.behaviour != Behaviour.SEED)))
    return Outcome(population, stage.completed - arrival, stage.announces)


class _Crowd:
    """The behaviour of a population, in which each user has one torrent."""

    stage: Stage

    def __init__(
        self, population: Population, shares: npt.NDArray[np.float64], attack: Attack, lead_seconds: int
    ) -> None:
        self._population = population
        self._behaviour = [Behaviour(kind) for kind in population.behaviour.tolist()]
        self._members = [
            Member(identity_of(peer), int(torrent), int(pair_hash), int(tier), float(share))
            for peer, (torrent, pair_hash, tier, share) in enumerate(
                zip(population.torrent, population.pair_hash, population.tier, shares, strict=True)
            )
        ]
        self._attackers = attackers_of(attack, population, self._members, lead_seconds)
        self.lead = np.zeros(len(self._members))
        """How many seconds before its download each peer begins to announce."""
        self.lead[list(self._attackers)] = lead_seconds

    def seeds(self, peer: int) -> bool:
        return self._behaviour[peer] is Behaviour.SEED

    def waits(self, peer: int, seconds: int) -> bool:
        attacker = self._attackers.get(peer)
        return attacker is not None and seconds < attacker.arrival

    def stays(self, peer: int, seconds: int) -> bool:
        del seconds
        kind, s = self._behaviour[peer], self.stage.swarms
        if kind in SATISFIED_BY_RATIO:
            return bool(s.uploaded[peer] < s.downloaded[peer])
        return kind not in LEAVERS

    def keys(self, peer: int, role: Role, seconds: int) -> Sequence[Member]:
        attacker = self._attackers.get(peer)
        return (self._members[peer],) if attacker is None else attacker.keys(peer, role, seconds)

    def left(self, peer: int, left_bytes: int) -> int:
        attacker = self._attackers.get(peer)
        return left_bytes if attacker is None else attacker.reported_left(left_bytes)

    def wait(self, peer: int, interval_seconds: int, connections: int) -> int:
        attacker = self._attackers.get(peer)
        wait = None if attacker is None else attacker.wait(interval_seconds, self.stage.seconds)
        if wait is not None:
            return wait
        if self._population.impatient[peer] and connections < FEW_PEERS:
            return min(interval_seconds, IMPATIENT_SECONDS)
        return interval_seconds
