"""List policies: how many peers chosen at random a key gets for the ``share`` that scoring grants it."""

import math

from etracker_announce.domain.policies.question import Question
from etracker_announce.domain.policies.random_peers import sample
from etracker_announce.domain.swarm import Records

SHORTEST_LIST = 5
"""The shortest list under the policies ``ratio`` and ``good_seeds``."""


def choose_one_more_each(question: Question, candidates: Records) -> Records:
    """Policies ``announces`` and ``seeds``: one peer, and one more for every torrent that the key announced or seeds.

    The share is the number of these torrents.
    """
    return sample(candidates, min(question.numwant, int(question.asker.share) + 1), question.seed)


def choose_by_good_seeding(question: Question, candidates: Records) -> Records:
    """Policy ``good_seeds``: five peers for a key that seeds nothing, nearly numwant for a good seeder.

    The share is what the key seeds and has given back, in units of what a good seeder on this tracker seeds.
    """
    return sample(candidates, length_by_good_seeding(question.numwant, question.asker.share), question.seed)


def length_by_good_seeding(numwant: int, share: float) -> int:
    """Return how many peers a share is worth: at 1, numwant less a tenth of a peer (before rounding up)."""
    if numwant <= SHORTEST_LIST:
        return numwant
    steepness = math.atanh((numwant - SHORTEST_LIST - 0.1) / (numwant - SHORTEST_LIST + 0.1))
    return math.ceil(SHORTEST_LIST + (numwant - SHORTEST_LIST) * math.tanh(steepness * share))


def choose_by_ratio(question: Question, candidates: Records) -> Records:
    """Policy ``ratio``, the original tracker's default: a key that uploaded little gets a shorter list.

    The share is the fraction of numwant that is withheld; five peers are left in any case.
    """
    granted = question.numwant - int(question.asker.share * question.numwant)
    return sample(candidates, min(question.numwant, max(SHORTEST_LIST, granted)), question.seed)
