"""Keeps offenders out of others' lists, and most peers out of theirs."""

from collections.abc import Callable

from etracker_announce.domain.answers import AnnounceAnswer, Peers
from etracker_announce.domain.candidates import leechers_among
from etracker_announce.domain.policies import Question
from etracker_announce.domain.policies.random_peers import sample
from etracker_announce.domain.suspects import Suspect, Suspects
from etracker_announce.domain.swarm import Records, Role
from etracker_announce.tracker.admitted import AdmittedAnnounce
from etracker_announce.tracker.choosing import Chooser


class Quarantine:
    """Chooses lists. ``on_left_out`` is called with the number of peers that a list loses to it."""

    def __init__(self, suspects: Callable[[], Suspects], chooser: Chooser, on_left_out: Callable[[int], None]) -> None:
        self._suspects = suspects
        self._chooser = chooser
        self._on_left_out = on_left_out

    async def choose(
        self, announce: AdmittedAnnounce, question: Question, candidates: Records, wanted_interval: int | None
    ) -> Records:
        """Choose the list of one announce, see :meth:`Chooser.choose`."""
        suspects = self._suspects()
        if not suspects:
            return await self._chooser.choose(question, candidates, wanted_interval)
        if offender := suspects.offender(announce.key_hash, announce.source.prefix):
            return self._choose_for(offender, announce, question, suspects.without_offenders(candidates))
        chosen = await self._chooser.choose(question, candidates, wanted_interval)
        kept = suspects.without_offenders(chosen)
        if len(kept) == len(chosen):
            return chosen
        self._on_left_out(len(chosen) - len(kept))
        return await self._chooser.choose(question, suspects.without_offenders(candidates), wanted_interval)

    def renew(self, answer: AnnounceAnswer, announce: AdmittedAnnounce) -> AnnounceAnswer:
        """Take out of an earlier answer what must not be given out any more."""
        suspects = self._suspects()
        if not suspects:
            return answer
        over4, over6 = answer.peers
        kept = Peers(suspects.without_offenders(over4), None if over6 is None else suspects.without_offenders(over6))
        if offender := suspects.offender(announce.key_hash, announce.source.prefix):
            most = offender.most_peers(announce.at)
            kept = Peers(kept.over4[:most], None if kept.over6 is None else kept.over6[:most])
        return answer._replace(peers=kept)

    @staticmethod
    def _choose_for(offender: Suspect, announce: AdmittedAnnounce, question: Question, candidates: Records) -> Records:
        wanted = candidates if question.asker.role is Role.LEECHER else leechers_among(candidates)
        return sample(wanted, min(question.numwant, offender.most_peers(announce.at)), question.seed)
