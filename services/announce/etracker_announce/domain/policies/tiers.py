"""Policy ``tiers``, in its original form: peers of the asker's tier or below, and of one more tier each interval.

It filters only the asker's own list: the asker may still appear in the lists of peers of higher tiers.
"""

from etracker_announce.domain.policies.question import Question
from etracker_announce.domain.policies.random_peers import sample
from etracker_announce.domain.swarm import Records

INTERVAL_SECONDS = 1800


def choose(question: Question, candidates: Records, interval_seconds: int = INTERVAL_SECONDS) -> Records:
    """Choose numwant peers at random, up to the highest tier that the asker has reached by now.

    Intervals are counted by time, not by announces: announcing more often reveals no more peers.
    """
    asker = question.asker
    highest = asker.tier + max(0, question.now - asker.first_seen) // interval_seconds
    return sample(candidates.take((candidates["tier"] <= highest).nonzero()[0]), question.numwant, question.seed)
