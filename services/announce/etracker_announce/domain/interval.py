"""Announce intervals: they differ between peers, but are always the same for one peer."""

from zlib import crc32

JITTER_PERCENT = 10


def spread(interval_seconds: int, *who: bytes) -> int:
    """Change an interval by up to 10 % either way, depending only on ``who``: announcing again doesn't change it.

    Clients don't spread their announces themselves. A checksum spreads well enough and costs nothing.
    """
    checksum = 0
    for part in who:
        checksum = crc32(part, checksum)
    per_mille = checksum % (20 * JITTER_PERCENT + 1) - 10 * JITTER_PERCENT
    return interval_seconds + interval_seconds * per_mille // 1000
