"""Policy ``good_seeds``: a key that seeds much, and gave back what it took, gets a longer list, up to a limit."""

import math

from etracker_announce.domain.policies.question import Question
from etracker_announce.domain.policies.random_peers import sample
from etracker_announce.domain.swarm import Records

SHORTEST_LIST = 5


def choose(question: Question, candidates: Records) -> Records:
    """Choose peers at random: five for a key that seeds nothing, up to numwant for a key that seeds like good seeders.

    Scoring's ``share`` is x / g: what the key seeds, in units of what a good seeder of this tracker seeds.
    """
    return sample(candidates, length_of_list(question.numwant, question.asker.share), question.seed)


def length_of_list(numwant: int, share: float) -> int:
    """Return the number of peers for a share: a tenth of a peer less than numwant at 1, hardly more beyond."""
    if numwant <= SHORTEST_LIST:
        return numwant
    steepness = math.atanh((numwant - SHORTEST_LIST - 0.1) / (numwant - SHORTEST_LIST + 0.1))
    return math.ceil(SHORTEST_LIST + (numwant - SHORTEST_LIST) * math.tanh(steepness * share))
