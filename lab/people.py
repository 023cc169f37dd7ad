"""The people of a regime, as themselves or as attackers."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from etracker_announce.domain.policies import Policy
from etracker_announce.domain.swarm import Role
from etracker_shared.agreements.policies import PolicyName
from etracker_shared.language.tier import Tier

from .histories import shares_of
from .regimes import LEAVERS, Behaviour, Population
from .stage import FEW_PEERS, IMPATIENT_SECONDS, Stage
from .state import make_swarms
from .tracker import INTERVAL_SECONDS, Member, identity_of

HORIZON_SECONDS = 48 * 3600
SATISFIED_BY_RATIO = (Behaviour.RATIO_CONSCIOUS, Behaviour.NEWCOMER)
KEYS_OF_AN_ATTACKER = 5


class Attack(enum.StrEnum):
    """Attacks by people who leave after downloading."""

    NONE = "none"
    ASK_EVERY_MINUTE = "asking every minute"
    FIVE_KEYS = "five keys"
    NEW_KEY_EACH_TIME = "a new key each time"
    PEER_EXCHANGE = "peer exchange on"
    """Not an attack by choice: it happens in torrents without the private flag."""


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
    people = _Crowd(population, shares_of(policy_name, population), attack)
    stage = Stage(
        swarms,
        people,
        policy,
        population.arrival,
        secret=seed,
        peer_exchange=attack is Attack.PEER_EXCHANGE,
        interval_seconds=interval_seconds,
    )
    people.stage = stage
    stage.play(HORIZON_SECONDS, int(np.count_nonzero(population.behaviour != Behaviour.SEED)))
    return Outcome(population, stage.completed - population.arrival, stage.announces)


class _Crowd:
    """The behaviour of a population, in which each user has one torrent."""

    stage: Stage

    def __init__(self, population: Population, shares: npt.NDArray[np.float64], attack: Attack) -> None:
        self._population = population
        self._attack = attack
        self._behaviour = [Behaviour(kind) for kind in population.behaviour.tolist()]
        self._members = [
            Member(identity_of(peer), int(torrent), int(pair_hash), int(tier), float(share))
            for peer, (torrent, pair_hash, tier, share) in enumerate(
                zip(population.torrent, population.pair_hash, population.tier, shares, strict=True)
            )
        ]

    def seeds(self, peer: int) -> bool:
        return self._behaviour[peer] is Behaviour.SEED

    def stays(self, peer: int, seconds: int) -> bool:
        del seconds
        kind, s = self._behaviour[peer], self.stage.swarms
        if kind in SATISFIED_BY_RATIO:
            return bool(s.uploaded[peer] < s.downloaded[peer])
        return kind not in LEAVERS

    def keys(self, peer: int, role: Role, seconds: int) -> Sequence[Member]:
        del role
        member = self._members[peer]
        if self._behaviour[peer] not in LEAVERS:
            return (member,)
        if self._attack is Attack.FIVE_KEYS:
            # All keys of tiers 0 and 1 in one address prefix have the same pair hash.
            return [replace(member, identity=identity_of(peer, key)) for key in range(KEYS_OF_AN_ATTACKER)]
        if self._attack is Attack.NEW_KEY_EACH_TIME:
            return (replace(member, identity=identity_of(peer, seconds), tier=Tier.FREE_RIDER),)
        return (member,)

    def wait(self, peer: int, interval_seconds: int, connections: int) -> int:
        if self._attack is Attack.ASK_EVERY_MINUTE and self._behaviour[peer] in LEAVERS:
            return 60
        if self._population.impatient[peer] and connections < FEW_PEERS:
            return min(interval_seconds, IMPATIENT_SECONDS)
        return interval_seconds
