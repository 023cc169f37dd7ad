"""One announce: admit it, take its step in the swarm, choose peers."""

from collections.abc import Callable

from etracker_announce.domain.addresses import Source
from etracker_announce.domain.answers import AnnounceAnswer, Peers, Refusal
from etracker_announce.domain.candidates import (
    FAMILY4,
    FAMILY6,
    Family,
    Visibility,
    endpoints,
    external_addresses,
    introducible,
    leechers_among,
    seen_from_outside,
    sees_private,
)
from etracker_announce.domain.errors import NotAllowedError, NotReadyError, Reason
from etracker_announce.domain.interval import spread
from etracker_announce.domain.policies import Asker, Question, configured_policy
from etracker_announce.domain.presence import longest_gap
from etracker_announce.domain.requests import AnnounceRequest
from etracker_announce.domain.suspects import NOBODY as NO_SUSPECTS
from etracker_announce.domain.suspects import Suspects
from etracker_announce.domain.swarm import Records, Step, View
from etracker_announce.metrics import Metrics
from etracker_announce.ports import HandOuts, Judgement, Swarms
from etracker_announce.settings import AnnounceSettings
from etracker_announce.tracker.admission import NEW_TORRENT, Admission, Admitted
from etracker_announce.tracker.admitted import AdmittedAnnounce
from etracker_announce.tracker.budgets import Budget, Budgets
from etracker_announce.tracker.choosing import Chooser
from etracker_announce.tracker.facts import FactWriter
from etracker_announce.tracker.interventions import Interventions
from etracker_announce.tracker.quarantine import Quarantine
from etracker_announce.tracker.seeding_counts import SeedingCounts
from etracker_announce.tracker.steps import StepMaker
from etracker_announce.tracker.waiting import Waiting
from etracker_shared.agreements.facts import Event
from etracker_shared.agreements.tiers import UNKNOWN
from etracker_shared.language.identity import KeyHash, hash_guest

NOBODY = Judgement(UNKNOWN, provisional=False)
"""The treatment of a banned client; the step by which it leaves doesn't depend on it."""


class AnnounceHandler:
    """Answers announces."""

    def __init__(
        self,
        *,
        swarms: Swarms,
        admission: Admission,
        secret: Callable[[], bytes | None],
        settings: AnnounceSettings,
        metrics: Metrics,
        clock: Callable[[], float],
        suspects: Callable[[], Suspects] = lambda: NO_SUSPECTS,
        hand_outs: HandOuts | None = None,
    ) -> None:
        self._swarms = swarms
        self._admission = admission
        self._secret = secret
        self._settings = settings
        self._external = external_addresses(settings.external_ip)
        self._policy = configured_policy(settings.policy, settings.equilibrium, settings.interval_seconds)
        self._chooser = Chooser(self._policy)
        self._seeding = SeedingCounts(settings.peer_lifetime_seconds)
        self._waiting = Waiting(settings.equilibrium.waiting_torrents, longest_gap(settings.interval_seconds))
        self._steps = StepMaker(self._policy, self._seeding, self._waiting, settings, metrics.guests_not_stored.inc)
        self._facts = FactWriter(swarms, self._seeding, metrics.facts_dropped.inc)
        self._budgets = Budgets(settings.budget_burst, settings.budget_seconds, metrics.suppressed.inc)
        self._clock = clock
        self._interventions = Interventions(suspects, hand_outs, metrics) if hand_outs else None
        self._quarantine = Quarantine(suspects, self._chooser, metrics.quarantined.inc)

    async def answer(self, request: AnnounceRequest, key: bytes | None, source: Source) -> AnnounceAnswer | Refusal:
        """Answer one announce; what offenders and those that they harm are told may be a refusal.

        Raises:
            RefusalError: the key or the torrent isn't served, or the tracker is still starting.
            SwarmsUnavailableError, PostgresUnavailableError: the client should try again soon.
        """
        if request.event is Event.STOPPED:
            return await self._stop(request, key, source)
        key_hash = self._admission.hash_key(key)
        if ban := self._admission.ban_on(request, source):
            await self._remove(request, key_hash, source)
            raise NotAllowedError(ban)
        admitted = await self._admission.admit(request, key_hash, source.prefix)
        announce = self._admitted(request, admitted, key_hash, source)
        budget = self._budgets.spend(request, announce.key_hash, announce.info_hash, announce.endpoint, announce.at)
        if budget.answer is not None:
            answer = self._quarantine.renew(_cut(budget.answer, self._steps.numwant(request)), announce)
            return self._interventions.repeat(answer, announce, self._secret()) if self._interventions else answer
        secret = self._loaded_secret()
        answer, view, has_suspects = await self._take_step(announce, budget, secret)
        if budget.remember:
            self._budgets.remember(budget, request, answer)
        if self._interventions is None:
            return answer
        return await self._interventions.finish(answer, announce, view.handed, secret, has_suspects=has_suspects)

    async def _take_step(
        self, announce: AdmittedAnnounce, budget: Budget, secret: bytes
    ) -> tuple[AnnounceAnswer, View, bool]:
        usual_seconds = spread(self._settings.interval_seconds, announce.key_hash, announce.info_hash)
        step = self._steps.make(announce, secret)
        # A fact's interval matters only for a seeder, which gets the usual one whatever the step says (adr/0019).
        fact = None if step.looks else self._facts.write(announce, usual_seconds, secret, budget.suppressed)
        if self._interventions and (recipient := self._interventions.recipient(announce)):
            step = step._replace(recipient=recipient)
        view = await self._swarms.announce(step, fact)
        self._seeding.learn(step, view)
        visibility = self._visibility(announce, view)
        question = self._question(announce, view, step, visibility.identity)
        candidates = introducible(_candidates(view, step), visibility)
        wanted_seconds = self._policy.interval(question)
        if not announce.guest:
            self._learn_waiting(step, view, waits=wanted_seconds is not None)
        chosen, has_suspects = await self._quarantine.choose(announce, question, candidates, wanted_seconds)
        interval_seconds = self._interval(announce, wanted_seconds, usual_seconds)
        answer = self._answer(announce, view, _peers(chosen, visibility), interval_seconds)
        return answer, view, has_suspects

    def _learn_waiting(self, step: Step, view: View, *, waits: bool) -> None:
        if waits:
            self._waiting.learn(step.key_hash, step.info_hash, step.now, progressed=view.progressed)
        else:
            self._waiting.leave(step.key_hash, step.info_hash)

    async def _stop(self, request: AnnounceRequest, key: bytes | None, source: Source) -> AnnounceAnswer:
        """Remove a client from its swarm, even if its key or torrent is gone: a refused client would announce again.

        Raises:
            NotAllowedError: the key is malformed.
            SwarmsUnavailableError, NotReadyError: the client should try again soon.
        """
        leaving = await self._admission.release(request, key, source.prefix)
        announce = AdmittedAnnounce(request, source, *leaving, endpoint_of(request, source), self._clock())
        secret = self._loaded_secret()
        interval_seconds = spread(self._settings.interval_seconds, announce.key_hash, announce.info_hash)
        wanted = (self._settings.guests or not announce.guest) and not self._admission.ban_on(request, source)
        fact = self._facts.write(announce, interval_seconds, secret) if wanted else None
        view = await self._swarms.announce(self._steps.make(announce, secret), fact)
        self._waiting.leave(announce.key_hash, announce.info_hash)
        nobody = view.candidates[:0]
        return self._answer(announce, view, Peers(nobody, None), interval_seconds)

    def _loaded_secret(self) -> bytes:
        secret = self._secret()
        if secret is None:
            raise NotReadyError(Reason.STARTING)
        return secret

    async def _remove(self, request: AnnounceRequest, key_hash: KeyHash | None, source: Source) -> None:
        """Remove a banned client from its swarm. Nothing that it reports counts."""
        secret = self._loaded_secret()
        for info_hash in filter(None, (request.info_hash, request.other_info_hash)):
            leaving = request._replace(info_hash=info_hash, event=Event.STOPPED)
            announce = self._admitted(leaving, Admitted(NOBODY, info_hash, NEW_TORRENT), key_hash, source)
            await self._swarms.announce(self._steps.make(announce, secret), None)

    def _admitted(
        self, request: AnnounceRequest, admitted: Admitted, key_hash: KeyHash | None, source: Source
    ) -> AdmittedAnnounce:
        return AdmittedAnnounce(
            request=request,
            source=source,
            key_hash=hash_guest(request.peer_id, request.client_key or source.prefix) if key_hash is None else key_hash,
            guest=key_hash is None,
            judgement=admitted.judgement,
            info_hash=admitted.info_hash,
            torrent=admitted.torrent,
            endpoint=endpoint_of(request, source),
            at=self._clock(),
        )

    def _answer(self, announce: AdmittedAnnounce, view: View, peers: Peers, interval_seconds: int) -> AnnounceAnswer:
        return AnnounceAnswer(
            counts=view.counts,
            snatches=self._admission.snatches(announce.info_hash, announce.torrent, view.counts.snatches),
            interval_seconds=interval_seconds,
            min_interval_seconds=min(self._settings.min_interval_seconds, interval_seconds),
            peers=peers,
            notice=announce.judgement.treatment.notice,
        )

    def _question(self, announce: AdmittedAnnounce, view: View, step: Step, identity: int) -> Question:
        share = announce.judgement.treatment.share
        asker = Asker(identity, step.pair_hash, step.tier, step.role, view.first_seen, share)
        numwant, seeders = self._steps.numwant(announce.request), view.counts.seeders + view.counts.partial_seeds
        leechers = view.counts.leechers
        return Question(asker, numwant, announce.torrent.length, step.window_seed, step.now, seeders, leechers)

    def _interval(self, announce: AdmittedAnnounce, wanted_seconds: int | None, usual_seconds: int) -> int:
        if wanted_seconds is None:
            return usual_seconds
        return min(usual_seconds, spread(wanted_seconds, announce.key_hash, announce.info_hash))

    def _visibility(self, announce: AdmittedAnnounce, view: View) -> Visibility:
        source = announce.source
        families = (FAMILY4, FAMILY6) if len(source.packed) == 4 else (FAMILY6, FAMILY4)
        return Visibility(
            identity=int.from_bytes(announce.key_hash[:8], "little"),
            families=families if view.dual or families[0] is FAMILY6 else families[:1],
            oldest_seen=int(announce.at) - self._settings.peer_lifetime_seconds,
            private_addresses=sees_private(self._settings.private_peers, asker_is_private=source.private),
            external=self._external,
        )


def endpoint_of(request: AnnounceRequest, source: Source) -> bytes:
    """Return a client's address and port, in network order."""
    return source.packed + request.port.to_bytes(2, "big")


def _cut(answer: AnnounceAnswer, numwant: int) -> AnnounceAnswer:
    """Return an answer with no more peers than the client wants this time."""
    over4, over6 = answer.peers
    if len(over4) <= numwant and (over6 is None or len(over6) <= numwant):
        return answer
    return answer._replace(peers=Peers(over4[:numwant], None if over6 is None else over6[:numwant]))


def _candidates(view: View, step: Step) -> Records:
    """Leave out seeders that were only read to count their prefixes."""
    return leechers_among(view.candidates) if step.witnesses and not step.rivals else view.candidates


def _peers(chosen: Records, visibility: Visibility) -> Peers:
    over6 = _given_out(chosen, FAMILY6, visibility) if FAMILY6 in visibility.families else None
    return Peers(_given_out(chosen, FAMILY4, visibility), over6)


def _given_out(chosen: Records, family: Family, visibility: Visibility) -> Records:
    listed = endpoints(chosen, family, visibility)
    return seen_from_outside(listed, family, visibility) if visibility.external else listed
