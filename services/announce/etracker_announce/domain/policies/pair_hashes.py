"""The hash of a pair of peers: a number that nobody can predict, the same whichever of the two asks."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.uint64]

_MASK = 2**64 - 1
_FACTORS = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB

# Arrays without a dimension, made once: with any other kind of number each operation takes half as long again.
_SHIFT30, _SHIFT27 = np.array(30, np.uint64), np.array(27, np.uint64)
_FACTOR1, _FACTOR2 = np.array(_FACTORS[0], np.uint64), np.array(_FACTORS[1], np.uint64)
_UNIT = np.array(2.0**-64)


def pair_hashes(pair_hash: int, others: Numbers) -> Floats:
    """Hash one peer with each of several others to 0..1. Peers are given by the secret hashes in their records."""
    return mixed(others + np.uint64(pair_hash))


def mixed(sums: Numbers) -> Floats:
    """Mix sums of two peers' hashes to 0..1, in place."""
    sums ^= sums >> _SHIFT30
    sums *= _FACTOR1
    sums ^= sums >> _SHIFT27
    sums *= _FACTOR2
    return np.asarray(np.multiply(sums, _UNIT))


def pair_hash_of(x: int) -> float:
    """Mix the sum of two peers' hashes to 0..1."""
    x &= _MASK
    x = (x ^ x >> 30) * _FACTORS[0] & _MASK
    return ((x ^ x >> 27) * _FACTORS[1] & _MASK) * 2.0**-64
