"""What is done about suspects and offenders in replies, besides the choice of peers."""

from collections.abc import Callable, Mapping

from etracker_announce.domain.answers import AnnounceAnswer, Refusal
from etracker_announce.domain.suspects import Suspect, Suspects
from etracker_announce.metrics import Metrics
from etracker_announce.ports import HandOuts
from etracker_announce.tracker.admitted import AdmittedAnnounce
from etracker_announce.tracker.canary import blinds, hide
from etracker_announce.tracker.failure_budget import FailureBudget
from etracker_announce.tracker.hand_outs import HandOutLog
from etracker_announce.tracker.messages import Messages
from etracker_shared.agreements.block_lists import IDENTITY_BYTES


class Interventions:
    """Finishes replies; without suspects they stay as they are."""

    def __init__(self, suspects: Callable[[], Suspects], hand_outs: HandOuts, metrics: Metrics) -> None:
        self._suspects = suspects
        self._budget = FailureBudget()
        self._log = HandOutLog(hand_outs, metrics.handed_suspects.inc)
        self._messages = Messages(hand_outs, self._budget, lambda kind: metrics.warnings[kind].inc())

    def recipient(self, announce: AdmittedAnnounce) -> bytes | None:
        """Return whose log of hand-outs the reply to an announce depends on, if it does."""
        suspects = self._suspects()
        return announce.key_hash[:IDENTITY_BYTES] if suspects and suspects.wasters(announce.kept_as) else None

    async def finish(
        self,
        answer: AnnounceAnswer,
        announce: AdmittedAnnounce,
        handed: Mapping[bytes, bytes],
        secret: bytes,
        *,
        has_suspects: bool,
    ) -> AnnounceAnswer | Refusal:
        """Return what is sent in place of an answer. ``has_suspects``: there are some among its peers."""
        suspects = self._suspects()
        if not suspects:
            return answer
        self._budget.count_reply(announce.at)
        suspect = suspects.find(announce.key_hash)
        self._log.note_source(announce, suspect, secret)
        if suspect or handed:
            told = await self._messages.tell(answer, announce, suspects, handed, secret)
            if isinstance(told, Refusal):
                return told
            answer = told
        if has_suspects:
            self._log.note(announce, answer.peers, suspects, secret)
        return _shown(answer, announce, suspect, secret)

    def repeat(self, answer: AnnounceAnswer, announce: AdmittedAnnounce, secret: bytes | None) -> AnnounceAnswer:
        """Return what is sent in place of an earlier answer, which is never with a message."""
        suspects = self._suspects()
        if not suspects or secret is None:
            return answer
        self._budget.count_reply(announce.at)
        self._log.note(announce, answer.peers, suspects, secret)
        return _shown(answer, announce, suspects.find(announce.key_hash), secret)


def _shown(
    answer: AnnounceAnswer, announce: AdmittedAnnounce, suspect: Suspect | None, secret: bytes
) -> AnnounceAnswer:
    if suspect and blinds(suspect, announce.kept_as, announce.at, secret):
        return answer._replace(counts=hide(answer.counts))
    return answer
