"""Policy ``random``: any numwant peers, as a plain tracker gives them."""

import numpy as np
import numpy.typing as npt

from etracker_announce.domain.policies.question import Question
from etracker_announce.domain.swarm import Records

Places = npt.NDArray[np.intp]

_MIX, _SHIFT = np.array(0x9E3779B97F4A7C15, np.uint64), np.array(29, np.uint64)


def choose(question: Question, candidates: Records) -> Records:
    """Choose numwant of the candidates at random."""
    return sample(candidates, question.numwant, question.seed)


def sample(candidates: Records, size: int, seed: int) -> Records:
    """Draw ``size`` records without repetition; the seed and the secret in their pair hashes fix which."""
    if len(candidates) <= size:
        return candidates
    return candidates.take(_draw(candidates["pair_hash"], size, seed))


def sample_at(candidates: Records, places: Places, size: int, seed: int) -> Records:
    """Draw from the candidates at some places, as :func:`sample` would from these alone."""
    if len(places) > size:
        places = places.take(_draw(candidates["pair_hash"].take(places), size, seed))
    return candidates.take(places)


def _draw(pair_hashes: npt.NDArray[np.uint64], size: int, seed: int) -> Places:
    lots = (pair_hashes ^ np.uint64(seed << 32 | seed)) * _MIX
    lots ^= lots >> _SHIFT
    lots *= _MIX
    return np.argpartition(lots, size)[:size]
