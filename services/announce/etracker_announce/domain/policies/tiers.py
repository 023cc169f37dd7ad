"""Policy ``tiers``, as first described: peers of one's own tier or below, and of one more tier with every interval.

It filters only what the asker gets: peers of higher tiers may still get the asker.
"""

from etracker_announce.domain.policies.question import Question
from etracker_announce.domain.policies.random_peers import sample
from etracker_announce.domain.swarm import Records

INTERVAL_SECONDS = 1800


def choose(question: Question, candidates: Records, interval_seconds: int = INTERVAL_SECONDS) -> Records:
    """Choose numwant peers at random, up to the highest tier that the asker has reached by now.

    Intervals are counted by time, not by announces: announcing more often shows no more.
    """
    asker = question.asker
    highest = asker.tier + max(0, question.now - asker.first_seen) // interval_seconds
    return sample(candidates.take((candidates["tier"] <= highest).nonzero()[0]), question.numwant, question.seed)
