"""Policy ``announces``: one more peer for every torrent that the asker's key announced."""

from etracker_announce.domain.policies.question import Question
from etracker_announce.domain.policies.random_peers import sample
from etracker_announce.domain.swarm import Records


def choose(question: Question, candidates: Records) -> Records:
    """Choose one peer at random, and one for each torrent announced; scoring's ``share`` is their number."""
    return sample(candidates, min(question.numwant, int(question.asker.share) + 1), question.seed)
