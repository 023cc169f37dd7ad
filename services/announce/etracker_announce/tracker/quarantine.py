"""Keeps offenders out of others' lists, and most peers out of theirs."""

from collections.abc import Callable
from typing import NamedTuple

from cachetools import LRUCache

from etracker_announce.domain.answers import AnnounceAnswer, Peers
from etracker_announce.domain.candidates import leechers_among
from etracker_announce.domain.policies import Question
from etracker_announce.domain.policies.random_peers import sample
from etracker_announce.domain.suspects import Suspect, Suspects
from etracker_announce.domain.swarm import Records, Role
from etracker_announce.tracker.admitted import AdmittedAnnounce
from etracker_announce.tracker.choosing import Chooser
from etracker_shared.language.identity import InfoHash

MOST_TORRENTS = 4096
"""How many torrents with offenders are remembered."""


class Choice(NamedTuple):
    """A list, and whether there are suspects in it."""

    peers: Records
    has_suspects: bool = False


class Quarantine:
    """Chooses lists. ``on_left_out`` is called with the number of peers that a list isn't chosen from."""

    def __init__(self, suspects: Callable[[], Suspects], chooser: Chooser, on_left_out: Callable[[int], None]) -> None:
        self._suspects = suspects
        self._chooser = chooser
        self._on_left_out = on_left_out
        # Torrents in whose lists there would be an offender: it is left out before choosing, not after.
        self._torrents: LRUCache[InfoHash, None] = LRUCache(MOST_TORRENTS)

    async def choose(
        self, announce: AdmittedAnnounce, question: Question, candidates: Records, wanted_interval: int | None
    ) -> Choice:
        """Choose the list of one announce, see :meth:`Chooser.choose`."""
        suspects = self._suspects()
        if not suspects:
            return Choice(await self._chooser.choose(question, candidates, wanted_interval))
        if offender := suspects.offender(announce.key_hash, announce.source.prefix):
            peers = self._choose_for(offender, announce, question, suspects.without_offenders(candidates))
            return Choice(peers, suspects.meet(peers))
        if announce.info_hash in self._torrents:
            candidates = self._leave_out(suspects, announce.info_hash, candidates)
        chosen = await self._chooser.choose(question, candidates, wanted_interval)
        if not suspects.meet(chosen):
            return Choice(chosen)
        if len(suspects.without_offenders(chosen)) < len(chosen):
            candidates = self._leave_out(suspects, announce.info_hash, candidates)
            chosen = await self._chooser.choose(question, candidates, wanted_interval)
        return Choice(chosen, suspects.meet(chosen))

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

    def _leave_out(self, suspects: Suspects, info_hash: InfoHash, candidates: Records) -> Records:
        kept = suspects.without_offenders(candidates)
        if len(kept) < len(candidates):
            self._torrents[info_hash] = None
            self._on_left_out(len(candidates) - len(kept))
        else:
            self._torrents.pop(info_hash, None)
        return kept

    @staticmethod
    def _choose_for(offender: Suspect, announce: AdmittedAnnounce, question: Question, candidates: Records) -> Records:
        wanted = candidates if question.asker.role is Role.LEECHER else leechers_among(candidates)
        return sample(wanted, min(question.numwant, offender.most_peers(announce.at)), question.seed)
