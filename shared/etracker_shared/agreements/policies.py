"""The names of selection policies: announce applies them, and scoring grants the shares that some of them need."""

from enum import StrEnum


class PolicyName(StrEnum):
    """Selection policies."""

    RANDOM = "random"
    ANNOUNCES = "announces"
    SEEDS = "seeds"
    GOOD_SEEDS = "good_seeds"
    RATIO = "ratio"
    TIERS = "tiers"
    EQUILIBRIUM = "equilibrium"


DEFAULT_POLICY = PolicyName.EQUILIBRIUM
