"""Marks of stored torrent files: a number that changes whenever the file does.

A file without a mark (None) hasn't been checked yet: an operator stored it with SQL.
"""

from collections.abc import Callable

NOT_A_TORRENT = 0
"""The mark of a file that was checked and isn't a torrent."""


def new_mark(random_bits: Callable[[int], int]) -> int:
    """Return a mark that no other file has; ``random_bits`` takes the number of random bits."""
    return random_bits(62) + 1
