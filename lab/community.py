"""Measures whether seeding pays: some users of a community seed for two days after every snatch, others leave."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from etracker_announce.domain.policies import Policy
from etracker_announce.domain.swarm import Role
from etracker_scoring.scores.formula import (
    NEW_KEY,
    NEW_TORRENT,
    KeyHistory,
    ScoreParameters,
    SeedingAnnounce,
    TorrentHistory,
    record_announce,
    score_of,
)
from etracker_scoring.scores.tiers import HeldTier, Origin, deserved_tier, hold_tier, within_reach
from etracker_shared.language.tier import Tier

from .regimes import (
    DOWNLINKS,
    GIGABYTE,
    HOUR,
    IMPATIENT_SHARE,
    LINE_SHARES,
    MEGABIT,
    UNREACHABLE_SHARE,
    UPLINKS,
    spread_over,
)
from .stage import FEW_PEERS, IMPATIENT_SECONDS, Stage
from .state import make_swarms
from .tracker import EPOCH, Member, identity_of

DAY = 24 * HOUR
DAYS = 20
STEADY_FROM = 7 * DAY
"""Long enough for scores to form: one half-life."""

PAIRS = 80
"""Pairs of users with equal lines who want the same torrents: one seeds, the other leaves."""

PUBLISHERS = 5
PUBLISHER_UPLINK = 20 * MEGABIT
TORRENTS = 50
TORRENT_BYTES = (1 * GIGABYTE, 8 * GIGABYTE)
SNATCHES_PER_DAY = 0.8
FRESHNESS_DAYS = 2.0
"""Days in which a torrent's popularity falls by a factor of e."""

SEEDING_SECONDS = 48 * HOUR
PARAMETERS = ScoreParameters()


@dataclass(frozen=True, slots=True)
class Community:
    """The downloads of a community. Lines are in bytes per second.

    Over users: ``up``, ``down``, ``reachable``, ``impatient``, ``pair_hash``. Over torrents: ``torrent_bytes``. Over
    peers: the rest. The order of users is: publishers, :data:`PAIRS` users who seed, then those who leave. Peers are
    in the same order.
    """

    up: npt.NDArray[np.int64]
    down: npt.NDArray[np.int64]
    reachable: npt.NDArray[np.bool_]
    impatient: npt.NDArray[np.bool_]
    torrent_bytes: npt.NDArray[np.int64]
    user: npt.NDArray[np.int64]
    torrent: npt.NDArray[np.int64]
    arrival: npt.NDArray[np.float64]
    pair_hash: npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Payoff:
    """``advantages``: for each pair, the leaver's time to completion divided by the seeder's. Tiers: as of the end."""

    advantages: list[float]
    tiers_of_seeders: list[int]
    tiers_of_leavers: list[int]


def draw_community(seed: int) -> Community:
    """Draw a community: the same for every policy."""
    rng = np.random.default_rng(seed)
    lines = spread_over(rng, PAIRS, LINE_SHARES)
    users = PUBLISHERS + 2 * PAIRS
    release = np.sort(rng.uniform(0, (DAYS - 2) * DAY, TORRENTS))
    release[:5] = 0.0
    wishes = [(pair, *wish) for pair in range(PAIRS) for wish in _wishes(rng, release)]
    pair, torrent, when = (np.array(column) for column in zip(*wishes, strict=True))
    later = rng.uniform(0, 4 * HOUR, (2, len(wishes)))
    publisher = rng.integers(0, PUBLISHERS, TORRENTS)
    return Community(
        up=np.concatenate([np.full(PUBLISHERS, PUBLISHER_UPLINK), *[np.array(UPLINKS)[lines] * MEGABIT] * 2]),
        down=np.concatenate([np.full(PUBLISHERS, 100 * MEGABIT), *[np.array(DOWNLINKS)[lines] * MEGABIT] * 2]),
        reachable=np.concatenate([np.ones(PUBLISHERS, np.bool_), rng.random(2 * PAIRS) >= UNREACHABLE_SHARE]),
        impatient=rng.random(users) < IMPATIENT_SHARE,
        torrent_bytes=rng.integers(*TORRENT_BYTES, TORRENTS),
        user=np.concatenate([publisher, PUBLISHERS + pair, PUBLISHERS + PAIRS + pair]),
        torrent=np.concatenate([np.arange(TORRENTS), torrent, torrent]),
        arrival=np.concatenate([release, when + later[0], when + later[1]]),
        pair_hash=rng.integers(0, 2**32, users, dtype=np.uint64),
    )


def _wishes(rng: np.random.Generator, release: npt.NDArray[np.float64]) -> list[tuple[int, float]]:
    """Return the torrents that one pair wants, and when. Each occurs once; newer ones are more likely."""
    wishes: list[tuple[int, float]] = []
    taken = np.zeros(len(release), np.bool_)
    for when in np.sort(rng.uniform(0, DAYS * DAY, rng.poisson(SNATCHES_PER_DAY * DAYS))):
        draw = np.where((release <= when) & ~taken, np.exp((release - when) / (FRESHNESS_DAYS * DAY)), 0.0)
        if draw.sum() > 0:
            torrent = int(rng.choice(len(release), p=draw / draw.sum()))
            taken[torrent] = True
            wishes.append((torrent, float(when)))
    return wishes


def play_community(community: Community, policy: Policy, seed: int) -> Payoff:
    """Simulate twenty days; compare those who seed with those who leave, except during the first week."""
    swarms = make_swarms(
        up=community.up,
        down=community.down,
        reachable=community.reachable,
        user=community.user,
        torrent=community.torrent,
        torrent_bytes=community.torrent_bytes,
        seed=seed,
    )
    members = _Members(community)
    stage = Stage(swarms, members, policy, community.arrival, secret=seed)
    members.stage = stage
    stage.play(DAYS * DAY, len(community.arrival))
    return Payoff(
        _advantages(community, stage.completed - community.arrival),
        members.tiers(PUBLISHERS, PUBLISHERS + PAIRS),
        members.tiers(PUBLISHERS + PAIRS, PUBLISHERS + 2 * PAIRS),
    )


def _advantages(community: Community, duration: npt.NDArray[np.float64]) -> list[float]:
    """Return how much longer the leaver of each pair waits: the geometric mean over torrents that both completed."""
    of_seeders, of_leavers = np.split(duration[TORRENTS:], 2)
    arrival, pair = (np.split(of_peers[TORRENTS:], 2)[0] for of_peers in (community.arrival, community.user))
    both = (arrival >= STEADY_FROM) & np.isfinite(of_seeders) & np.isfinite(of_leavers)
    logs = np.log(of_leavers[both] / of_seeders[both])
    return [float(np.exp(logs[pair[both] == one].mean())) for one in np.unique(pair[both])]


class _Members:
    """Users whose tiers come from the scores that they earn."""

    stage: Stage

    def __init__(self, community: Community) -> None:
        users = len(community.up)
        self._community = community
        self._keys: list[KeyHistory] = [NEW_KEY] * users
        self._held = [HeldTier(Tier.CONTRIBUTOR)] * users
        self._torrents: list[TorrentHistory] = [NEW_TORRENT] * len(community.user)
        self._seeding_since: dict[int, int] = {}
        self._completed_at: dict[int, int] = {}

    def tiers(self, first: int, last: int) -> list[int]:
        """Count the users in each tier."""
        return [sum(held.tier == tier for held in self._held[first:last]) for tier in Tier]

    def seeds(self, peer: int) -> bool:
        return peer < TORRENTS

    def waits(self, peer: int, seconds: int) -> bool:
        del peer, seconds
        return False

    def stays(self, peer: int, seconds: int) -> bool:
        self._credit(peer, seconds)
        user = self._community.user[peer]
        if user < PUBLISHERS:
            return True
        completed = self._completed_at[peer]
        return bool(user < PUBLISHERS + PAIRS) and seconds - completed < SEEDING_SECONDS

    def keys(self, peer: int, role: Role, seconds: int) -> Sequence[Member]:
        del role
        user = int(self._community.user[peer])
        tier = self._judge(user, seconds)
        return (
            Member(identity_of(peer), int(self._community.torrent[peer]), int(self._community.pair_hash[user]), tier),
        )

    def left(self, peer: int, left_bytes: int) -> int:
        del peer
        return left_bytes

    def wait(self, peer: int, interval_seconds: int, connections: int) -> int:
        leeching = peer not in self._seeding_since
        if leeching and self._community.impatient[self._community.user[peer]] and connections < FEW_PEERS:
            return min(interval_seconds, IMPATIENT_SECONDS)
        return interval_seconds

    def _credit(self, peer: int, seconds: int) -> None:
        """Add a seeder's announce to its score."""
        user, torrent = int(self._community.user[peer]), int(self._community.torrent[peer])
        since = self._seeding_since.get(peer)
        if since is None and peer >= TORRENTS:
            self._completed_at[peer] = seconds
        announce = SeedingAnnounce(
            at_seconds=EPOCH + seconds,
            seeded_from=None if since is None else EPOCH + since,
            snatched=since is None and peer >= TORRENTS,
            seeding_prefixes=self.stage.seeders_of(torrent),
            length_bytes=int(self._community.torrent_bytes[torrent]),
            wanted=self.stage.leechers_of(torrent) > 0,
        )
        self._seeding_since[peer] = seconds
        self._keys[user], self._torrents[peer] = record_announce(
            self._keys[user], self._torrents[peer], announce, PARAMETERS
        )

    def _judge(self, user: int, seconds: int) -> int:
        now = EPOCH + seconds
        score = score_of(self._keys[user], now, PARAMETERS)
        deserved = deserved_tier(self._keys[user], score, Origin(grace=True), PARAMETERS)
        deserved = within_reach(self._keys[user], deserved, self._held[user].tier, PARAMETERS)
        self._held[user] = hold_tier(self._held[user], deserved, score, now, PARAMETERS)
        return int(self._held[user].tier)
