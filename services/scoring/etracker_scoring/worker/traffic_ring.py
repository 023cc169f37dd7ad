"""The ring of days that ``traffic_blocks`` is: a day's part is emptied before it is used again."""

from etracker_shared.agreements.anomalies import BLOCK_SECONDS, TRAFFIC_SLOTS

BLOCKS_PER_DAY = 86_400 // BLOCK_SECONDS
KEPT_BLOCKS = 5 * BLOCKS_PER_DAY
"""How old a block may be to be added to."""


def slot_of(block: int) -> int:
    """Return which part of the ring a block is in."""
    return block // BLOCKS_PER_DAY % TRAFFIC_SLOTS
