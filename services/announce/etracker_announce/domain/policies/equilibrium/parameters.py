"""The parameters of policy ``equilibrium``, and what follows from them alone."""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from etracker_shared.language.parameters import described

TIERS = 5

RIVALS = 41
"""With up to this many seeders, a seeder's candidates include the others, to find out which a leecher is guaranteed.

Beyond that, only their number is known.
"""

ALL = 1.0
"""A share that no hash exceeds."""


@dataclass(frozen=True, slots=True)
class EquilibriumParameters:
    """The parameters that an operator can set.

    Raises:
        ValueError: a parameter makes no sense; the message says which one, and which values do.
    """

    phi: float = described(
        0.1,
        "Share of the peers one step above to which a leecher is introduced at once, more than 0 and at most 1; 1 "
        "restricts nobody, and each further step multiplies by it again.",
    )
    steps: tuple[float, float, float, float] = described(
        (1.5, 1.5, 0.5, 0.5),
        "Steps from tier 0 to 1, 1 to 2, 2 to 3 and 3 to 4; one step of difference is forgiven after each tau.",
    )
    pace: float = described(
        8e6, "Pace in bytes per second that determines tau: the time it takes to fetch the torrent at this pace."
    )
    crowd: int = described(
        30,
        "Number of leechers of a torrent beyond which tau rises in proportion to their number, and the share in "
        "`ETRACKER_EQUILIBRIUM_SEEDERS_SHARE` falls.",
    )
    largest_crowd: int = described(105, "Number of leechers of a torrent above which tau rises no further.")
    tau_bounds: tuple[float, float] = described((120.0, 7200.0), "Minimum and maximum of tau in seconds.")
    tau_unknown: float = described(1800.0, "Tau in seconds for a torrent of unknown size.")
    seeders: tuple[int | None, int | None, int | None, int | None, int | None] = described(
        (1, 3, 10, 20, None), "Number of seeders that each of the tiers 0 to 4 is guaranteed."
    )
    seeders_share: float = described(
        0.075,
        "Share of a torrent's seeders, from 0 to 1, that every tier is guaranteed if that is more than its number.",
    )
    leechers: int = described(4, "Number of leechers that everybody is guaranteed.")
    exact_up_to: int = described(
        40,
        f"Number of peers, at most {RIVALS - 1}, up to which guarantees are counted exactly; among more peers they are "
        "a share.",
    )
    fewest: int = described(2, "Minimum number of peers in a leecher's list.")
    idle_pace: float = described(
        0.25,
        "Share of the time a leecher is present that counts as waiting while it makes no progress, more than 0 and at "
        "most 1: with 0.25 all restrictions end after 16 tau in any case.",
    )
    waiting_torrents: int = described(
        50, "Maximum number of torrents in which a key waits for its restrictions to end at the same time."
    )
    interval_bounds: tuple[int, int] = described(
        (300, 1800),
        "Minimum and maximum in seconds of the announce interval while a list is restricted, which is tau within these "
        "bounds and never exceeds `ETRACKER_INTERVAL_SECONDS`.",
    )

    def __post_init__(self) -> None:
        self._check_restrictions()
        self._check_tau()
        self._check_guarantees()

    def _check_restrictions(self) -> None:
        if not 0 < self.phi <= 1:
            raise ValueError("phi must be more than 0 and at most 1")
        if not all(step >= 0 and math.isfinite(step) for step in self.steps):
            raise ValueError("steps must be finite numbers of at least 0")

    def _check_tau(self) -> None:
        if not all(map(math.isfinite, (self.pace, self.tau_unknown, *self.tau_bounds))):
            raise ValueError("pace, tau_unknown and tau_bounds must be finite numbers")
        if not (self.pace > 0 and self.tau_unknown > 0):
            raise ValueError("pace and tau_unknown must be more than 0")
        if not (
            0 < self.tau_bounds[0] <= self.tau_bounds[1] and 0 < self.interval_bounds[0] <= self.interval_bounds[1]
        ):
            raise ValueError("tau_bounds and interval_bounds must be more than 0, the smaller one first")
        if not 1 <= self.crowd <= self.largest_crowd:
            raise ValueError("crowd and largest_crowd must be at least 1, the smaller one first")
        if not (0 < self.idle_pace <= 1 and self.waiting_torrents >= 1):
            raise ValueError("idle_pace must be more than 0 and at most 1, waiting_torrents at least 1")

    def _check_guarantees(self) -> None:
        if not 0 <= self.seeders_share <= 1:
            raise ValueError("seeders_share must be 0 to 1")
        if min(self.leechers, self.fewest, *(k for k in self.seeders if k is not None)) < 1:
            raise ValueError("seeders, leechers and fewest must be at least 1, or the swarm falls apart")
        guaranteed = [math.inf if k is None else k for k in self.seeders]
        if guaranteed != sorted(guaranteed):
            raise ValueError("a higher tier must not be guaranteed fewer seeders")
        if not 1 <= self.exact_up_to < RIVALS:
            raise ValueError(f"exact_up_to must be 1 to {RIVALS - 1}")


DEFAULTS = EquilibriumParameters()


@functools.cache
def heights_of(steps: Sequence[float]) -> tuple[float, ...]:
    """Return how many steps each tier is above tier 0."""
    return tuple(sum(steps[:tier]) for tier in range(TIERS))


def crowding_of(parameters: EquilibriumParameters, leechers: int) -> float:
    """Return how crowded a torrent is, at least 1. Where many leechers compete, restrictions leave no line unused."""
    return max(1.0, min(leechers, parameters.largest_crowd) / parameters.crowd)


def tau_of(torrent_length: int | None, parameters: EquilibriumParameters, leechers: int = 0) -> float:
    """Return the number of seconds after which one step of difference is forgiven. ``leechers``: of the torrent."""
    crowding = crowding_of(parameters, leechers)
    if torrent_length is None:
        return parameters.tau_unknown * crowding
    shortest, longest = parameters.tau_bounds
    return min(max(torrent_length / parameters.pace * crowding, shortest), longest)


def seeders_guaranteed(parameters: EquilibriumParameters, tier: int, seeders: int, leechers: int) -> int:
    """Return how many seeders a tier is guaranteed, given the number of seeders and of leechers."""
    wanted = parameters.seeders[tier]
    if wanted is None:
        return seeders
    return max(wanted, math.ceil(parameters.seeders_share * seeders / crowding_of(parameters, leechers)))


def share_of_seeders(parameters: EquilibriumParameters, tier: int, seeders: int, leechers: int) -> float:
    """Return the guarantee as a share of many seeders: as many of them as would be guaranteed of ``exact_up_to``."""
    if parameters.seeders[tier] is None:
        return ALL
    return seeders_guaranteed(parameters, tier, parameters.exact_up_to, leechers) / seeders
