"""Policy ``seeds``: one peer more for every torrent the asker's key seeds."""

from etracker_announce.domain.policies.question import Question
from etracker_announce.domain.policies.random_peers import sample
from etracker_announce.domain.swarm import Records


def choose(question: Question, candidates: Records) -> Records:
    """Choose at random as many as torrents are seeded, and one; scoring's ``share`` is that number."""
    return sample(candidates, min(question.numwant, int(question.asker.share) + 1), question.seed)
