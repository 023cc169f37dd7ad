"""Policy ``announces``: one peer more for every torrent the asker's key announced."""

from etracker_announce.domain.policies.question import Question
from etracker_announce.domain.policies.random_peers import sample
from etracker_announce.domain.swarm import Records


def choose(question: Question, candidates: Records) -> Records:
    """Choose at random as many as torrents were announced, and one; scoring's ``share`` is that number."""
    return sample(candidates, min(question.numwant, int(question.asker.share) + 1), question.seed)
