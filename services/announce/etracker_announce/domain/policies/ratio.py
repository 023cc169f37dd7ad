"""Policy ``ratio``: the original tracker's default. A key that uploaded little gets a shorter list."""

from etracker_announce.domain.policies.question import Question
from etracker_announce.domain.policies.random_peers import sample
from etracker_announce.domain.swarm import Records

SHORTEST_LIST = 5


def choose(question: Question, candidates: Records) -> Records:
    """Choose numwant peers at random, less the share that scoring withholds, but at least five."""
    granted = question.numwant - int(question.asker.share * question.numwant)
    return sample(candidates, min(question.numwant, max(SHORTEST_LIST, granted)), question.seed)
