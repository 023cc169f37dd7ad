"""The tier of a peer."""

import enum


class Tier(enum.IntEnum):
    """How much a key has given to others, from guests and free-riders to long-term seeders."""

    FREE_RIDER = 0
    LITTLE_HISTORY = 1
    CONTRIBUTOR = 2
    STEADY_SEEDER = 3
    LONG_TERM_SEEDER = 4
