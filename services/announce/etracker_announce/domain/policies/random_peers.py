"""Policy ``random``: any numwant peers, as a plain tracker gives them."""

import numpy as np

from etracker_announce.domain.policies.question import Question
from etracker_announce.domain.swarm import Records

_MIX = np.uint64(0x9E3779B97F4A7C15)


def choose(question: Question, candidates: Records) -> Records:
    """Choose numwant of the candidates at random."""
    return sample(candidates, question.numwant, question.seed)


def sample(candidates: Records, size: int, seed: int) -> Records:
    """Draw ``size`` records without repetition; the seed and the secret in their pair hashes fix which."""
    if len(candidates) <= size:
        return candidates
    lots = (candidates["pair_hash"] ^ np.uint64(seed << 32 | seed)) * _MIX
    lots ^= lots >> np.uint64(29)
    lots *= _MIX
    return candidates.take(np.argpartition(lots, size)[:size])
