"""Policy ``random``: any numwant peers, as plain trackers do."""

import numpy as np
import numpy.typing as npt

from etracker_announce.domain.policies.question import Question
from etracker_announce.domain.swarm import Records

Places = npt.NDArray[np.intp]
Numbers = npt.NDArray[np.uint64]

_MIX, _SHIFT = np.array(0x9E3779B97F4A7C15, np.uint64), np.array(29, np.uint64)


def choose(question: Question, candidates: Records) -> Records:
    """Choose numwant of the candidates at random."""
    return sample(candidates, question.numwant, question.seed)


def sample(candidates: Records, size: int, seed: int) -> Records:
    """Draw ``size`` records without repetition. Only the seed and their secret pair hashes decide which ones."""
    if len(candidates) <= size:
        return candidates
    lots = lots_of(candidates["pair_hash"], np.uint64(seed_of_lots(seed)))
    return candidates.take(smallest(lots, size))


def seed_of_lots(seed: int) -> int:
    """Widen a seed of 32 bits to 64."""
    return seed << 32 | seed


def lots_of(pair_hashes: Numbers, seeds: Numbers | np.uint64) -> Numbers:
    """Draw a lot for each peer, from one seed for all of them or one seed per peer."""
    lots = (pair_hashes ^ seeds) * _MIX
    lots ^= lots >> _SHIFT
    lots *= _MIX
    return lots


def smallest(lots: Numbers, size: int) -> Places:
    """Return the places of the ``size`` smallest lots. There must be more lots than that."""
    return np.argpartition(lots, size)[:size]
