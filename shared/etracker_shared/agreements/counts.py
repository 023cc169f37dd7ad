"""A swarm's counts as stored in its members hash (field ``n`` of :mod:`~etracker_shared.agreements.redis_keys`).

Announce's Lua step writes them; all code that shows or sums up counts reads them.
"""

import struct
from typing import NamedTuple

_LAYOUT = struct.Struct("<III")


class SwarmCounts(NamedTuple):
    """Peers of each kind; a partial seed (BEP 21) is counted as neither seeder nor leecher."""

    seeders: int
    leechers: int
    partial_seeds: int


NO_COUNTS = SwarmCounts(0, 0, 0)


def unpack_counts(value: bytes | None) -> SwarmCounts:
    """Unpack the field, which is None for a swarm that doesn't exist.

    The value starts with three numbers of 4 bytes, little-endian: the records in the seeders' table (including
    partial seeds), the records in the leechers' table, and the partial seeds among the former.
    """
    if value is None:
        return NO_COUNTS
    in_seeders_table, leechers, partial_seeds = _LAYOUT.unpack_from(value)
    return SwarmCounts(in_seeders_table - partial_seeds, leechers, partial_seeds)


def unpack_table_sizes(value: bytes | None) -> tuple[int, int]:
    """Unpack the numbers of records in the seeders' table, partial seeds included, and in the leechers' table."""
    if value is None:
        return 0, 0
    in_seeders_table, in_leechers_table, _ = _LAYOUT.unpack_from(value)
    return in_seeders_table, in_leechers_table
