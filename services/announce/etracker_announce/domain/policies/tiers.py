"""Policy ``tiers``, as first described: peers of one's own tier or below, and of one tier more with every interval.

It filters what the asker receives and nothing else: whoever is of a higher tier may still be told about the asker.
"""

from etracker_announce.domain.policies.question import Question
from etracker_announce.domain.policies.random_peers import sample
from etracker_announce.domain.swarm import Records

INTERVAL_SECONDS = 1800


def choose(question: Question, candidates: Records, interval_seconds: int = INTERVAL_SECONDS) -> Records:
    """Choose numwant at random of the peers up to the highest tier the asker has reached by now.

    Announces are counted by the time between regular ones: asking more often shows no more.
    """
    asker = question.asker
    highest = asker.tier + max(0, question.now - asker.first_seen) // interval_seconds
    return sample(candidates.take((candidates["tier"] <= highest).nonzero()[0]), question.numwant, question.seed)
