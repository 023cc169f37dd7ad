"""The hash of a pair of peers: a number that nobody can predict, and the same whichever of the two announces."""

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.uint64]

_MASK = 2**64 - 1
_FACTORS = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB

# Zero-dimensional arrays, created once: with any other kind of number, each operation takes half as long again.
_SHIFT30, _SHIFT27 = np.array(30, np.uint64), np.array(27, np.uint64)
_FACTOR1, _FACTOR2 = np.array(_FACTORS[0], np.uint64), np.array(_FACTORS[1], np.uint64)
_UNIT = np.array(2.0**-64)


def pair_hashes(pair_hash: int, others: npt.NDArray[np.unsignedinteger[Any]]) -> Floats:
    """Hash a peer with each of several others to numbers from 0 to 1. The arguments are the peers' secret hashes."""
    return mixed(others + np.uint64(pair_hash))


def mixed(sums: Numbers) -> Floats:
    """Mix sums of two peers' hashes into numbers from 0 to 1, overwriting the sums."""
    sums ^= sums >> _SHIFT30
    sums *= _FACTOR1
    sums ^= sums >> _SHIFT27
    sums *= _FACTOR2
    return np.asarray(np.multiply(sums, _UNIT))


def pair_hash_of(x: int) -> float:
    """Mix the sum of two peers' hashes into a number from 0 to 1."""
    x &= _MASK
    x = (x ^ x >> 30) * _FACTORS[0] & _MASK
    return ((x ^ x >> 27) * _FACTORS[1] & _MASK) * 2.0**-64
