"""Attacks by people who leave after downloading: as whom they announce, when, and what they report."""

import enum
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from etracker_announce.domain.swarm import Role
from etracker_shared.language.tier import Tier

from .claims import Claim, tier_after
from .regimes import LEAVERS, Behaviour, Population
from .tracker import Member, identity_of, mixed

HOUR = 3600
KEYS_OF_AN_ATTACKER = 5
KEYS_OF_A_BURST = 16
BEFOREHAND_SECONDS = 2 * HOUR
SHORT_VISIT_SECONDS = 10
_ACCOMPLICE = 2**31 - 1


class Attack(enum.StrEnum):
    """Attacks by people who leave after downloading, as the page names them."""

    NONE = "none"
    ASK_EVERY_MINUTE = "asking every minute"
    FIVE_KEYS = "five keys"
    NEW_KEY_EACH_TIME = "a new key each time"
    CLAIM_1 = "claiming to seed 1 torrent for a day"
    CLAIM_20 = "claiming to seed 20 torrents for a day"
    CLAIM_100 = "claiming to seed 100 torrents for a day"
    CLAIM_3000 = "claiming to seed 3,000 torrents for a day"
    CLAIM_DEAD = "claiming to seed 20 dead torrents alone for a day"
    NEVER_FINISH = "reporting one byte left throughout"
    JOIN_AND_STOP = "joining and stopping two hours before"
    BURST = "sixteen new keys at once"
    NEWCOMER = "one new key from an unused network"
    WAIT_BEFOREHAND = "announcing for two hours before"
    CLAIM_FOR_WEEKS = "claiming to seed 20 torrents for three weeks"
    RELAY = "lists from a long-term seeder's key"
    PEER_EXCHANGE = "peer exchange on"
    """Not an attack by choice: it happens in torrents without the private flag."""


PREVENTED = (
    Attack.ASK_EVERY_MINUTE,
    Attack.FIVE_KEYS,
    Attack.NEW_KEY_EACH_TIME,
    Attack.CLAIM_1,
    Attack.CLAIM_20,
    Attack.CLAIM_100,
    Attack.CLAIM_3000,
    Attack.CLAIM_DEAD,
    Attack.NEVER_FINISH,
    Attack.JOIN_AND_STOP,
    Attack.BURST,
)
"""The attacks that must not pay. The others remain possible; the page says at what price."""

REFERENCE = {Attack.BURST: Attack.NEWCOMER}
"""With what an attack is compared, if not with no attack: many new keys must not be worth more than one."""

CLAIMS = {
    Attack.CLAIM_1: Claim(torrents=1, days=1.0),
    Attack.CLAIM_20: Claim(torrents=20, days=1.0),
    Attack.CLAIM_100: Claim(torrents=100, days=1.0),
    Attack.CLAIM_3000: Claim(torrents=3000, days=1.0),
    Attack.CLAIM_DEAD: Claim(torrents=20, days=1.0, prefixes=1),
    Attack.CLAIM_FOR_WEEKS: Claim(torrents=20, days=21.0, pays=True),
}

SNATCHES_BEFORE = {Behaviour.HIT_AND_RUN: 20, Behaviour.FREE_RIDER: 20, Behaviour.WHITEWASHER: 0}
"""As in ``histories.py``: what these people downloaded earlier and never seeded."""


class Attacker(NamedTuple):
    """One person under an attack. ``arrival``: when the download begins, seconds. ``accomplice``: for relays."""

    attack: Attack
    member: Member
    arrival: float
    accomplice: Member

    def keys(self, peer: int, role: Role, seconds: int) -> Sequence[Member]:
        """Return the members that the person now announces as; none while away."""
        match self.attack:
            case Attack.FIVE_KEYS:
                # All keys of tiers 0 and 1 in one address prefix have the same pair hash.
                return self._several(peer, KEYS_OF_AN_ATTACKER)
            case Attack.BURST:
                return (self.member, *self._several(peer, KEYS_OF_A_BURST, Tier.LITTLE_HISTORY)[1:])
            case Attack.NEW_KEY_EACH_TIME:
                return (replace(self.member, identity=identity_of(peer, seconds), tier=Tier.FREE_RIDER),)
            case Attack.RELAY if role is Role.LEECHER:
                return self.member, self.accomplice
            case Attack.JOIN_AND_STOP if self.arrival - BEFOREHAND_SECONDS + SHORT_VISIT_SECONDS <= seconds:
                return (self.member,) if seconds >= self.arrival else ()
        return (self.member,)

    def _several(self, peer: int, keys: int, tier: int | None = None) -> list[Member]:
        of_prefix = self.member.pair_hash if tier is None else mixed(self.member.pair_hash) >> 32
        tier = self.member.tier if tier is None else tier
        return [
            replace(self.member, identity=identity_of(peer, key), pair_hash=of_prefix, tier=tier) for key in range(keys)
        ]

    def wait(self, interval_seconds: int, seconds: int) -> int | None:
        """Return after how many seconds the person announces again; None: as everybody does."""
        if self.attack is Attack.ASK_EVERY_MINUTE:
            return 60
        left = int(self.arrival) - seconds
        if left <= 0:
            return None
        if self.attack is Attack.JOIN_AND_STOP:
            return SHORT_VISIT_SECONDS if left + SHORT_VISIT_SECONDS > BEFOREHAND_SECONDS else left
        return min(interval_seconds, left)

    def reported_left(self, left_bytes: int) -> int:
        """Return what the person says is left to download."""
        return 1 if self.attack is Attack.NEVER_FINISH and left_bytes else left_bytes


def lead_of(attack: Attack) -> int:
    """Return how many seconds before their downloads attackers begin to announce."""
    return BEFOREHAND_SECONDS if attack in (Attack.JOIN_AND_STOP, Attack.WAIT_BEFOREHAND) else 0


def attackers_of(
    attack: Attack, population: Population, members: Sequence[Member], lead_seconds: int
) -> dict[int, Attacker]:
    """Return the attackers among a population, by peer."""
    if attack in (Attack.NONE, Attack.PEER_EXCHANGE):
        return {}
    accomplices: dict[int, Member] = {}
    attackers = {}
    for peer, member in enumerate(members):
        kind = Behaviour(int(population.behaviour[peer]))
        if kind in LEAVERS:
            identity = identity_of(peer, _ACCOMPLICE)
            accomplice = replace(member, identity=identity, pair_hash=mixed(identity) >> 32, tier=Tier.LONG_TERM_SEEDER)
            accomplice = accomplices.setdefault(member.torrent, accomplice)
            own = replace(member, tier=tier_under(attack, kind, member.tier))
            attackers[peer] = Attacker(attack, own, float(population.arrival[peer]) + lead_seconds, accomplice)
    return attackers


def tier_under(attack: Attack, kind: Behaviour, tier: int) -> int:
    """Return the tier that an attacker has when the download begins."""
    if attack in (Attack.NEWCOMER, Attack.BURST):
        return Tier.CONTRIBUTOR
    claim = CLAIMS.get(attack)
    return tier if claim is None else tier_after(claim, SNATCHES_BEFORE[kind])
