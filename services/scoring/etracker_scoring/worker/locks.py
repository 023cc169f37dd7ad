"""Postgres advisory locks that divide the work. All but the last are released when their worker's connection ends.

=================== ===================================================================================================
lock                held by
=================== ===================================================================================================
:data:`ANY_WORKER`  every worker (shared); a worker of the version that had one leader (exclusive)
:data:`PRESENT`, 0  workers that take a fair share of the shards; a shared lock
:data:`SHARD`, n    the worker that settles the facts of shard n
:data:`UPKEEP`, n    the worker that does job n of the upkeep
:data:`PREFIX`, n   a transaction that decides about new keys from address prefixes whose hash is n
=================== ===================================================================================================
"""

from zlib import crc32

ANY_WORKER = 0x6574_7261_636B  # "etrack"
PRESENT, SHARD, UPKEEP, PREFIX = range(0x6574_7201, 0x6574_7205)

PREFIX_LOCKS = 128
"""A batch of thousands of new keys must not fill Postgres' lock table, which all connections share."""


def prefix_locks(prefixes: list[bytes]) -> list[int]:
    """Return the locks of these address prefixes, in the order in which every worker takes them."""
    return sorted({crc32(prefix) % PREFIX_LOCKS for prefix in prefixes})
