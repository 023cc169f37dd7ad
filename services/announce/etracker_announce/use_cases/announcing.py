"""One announce: parse, judge and find, step, choose, encode."""

from collections.abc import Callable
from typing import NamedTuple

from etracker_announce.domain.addresses import Client
from etracker_announce.domain.answers import PeerList, compact_peers, encode_announce, listed_peers
from etracker_announce.domain.candidates import (
    FAMILY4,
    FAMILY6,
    Visibility,
    endpoints,
    introducible,
    leechers_among,
    sees_private,
)
from etracker_announce.domain.errors import Reason, TryAgainError
from etracker_announce.domain.interval import spread
from etracker_announce.domain.pairs import hash_pair
from etracker_announce.domain.policies import Asker, Question, configured_policy
from etracker_announce.domain.request import AnnounceRequest, parse_announce
from etracker_announce.domain.seeding import MOST_PREFIXES
from etracker_announce.domain.swarm import PeerFlag, Records, Role, Step, View
from etracker_announce.domain.texts import one_line
from etracker_announce.metrics import Metrics
from etracker_announce.ports import Judgement, Swarms, Torrent
from etracker_announce.settings import AnnounceSettings
from etracker_announce.use_cases.choosing import Choosing
from etracker_announce.use_cases.lookups import Lookups
from etracker_announce.use_cases.seeding import SeedingCounts
from etracker_shared.facts import Event, Fact, FactFlag, pack_fact
from etracker_shared.identity import InfoHash, KeyHash, hash_guest
from etracker_shared.tiers import Sampling

LAST_UNREACHABLE_PORT = 1


class Announce(NamedTuple):
    """One understood announce of somebody allowed, for a torrent that is tracked.

    ``guest``: ``key_hash`` is of the peer_id. ``at``: Unix time.
    """

    request: AnnounceRequest
    client: Client
    key_hash: KeyHash
    guest: bool
    judgement: Judgement
    info_hash: InfoHash
    torrent: Torrent
    at: float


class Announcing:
    """Answers announces."""

    def __init__(
        self,
        *,
        swarms: Swarms,
        lookups: Lookups,
        secret: Callable[[], bytes | None],
        settings: AnnounceSettings,
        metrics: Metrics,
        clock: Callable[[], float],
    ) -> None:
        self._swarms = swarms
        self._lookups = lookups
        self._secret = secret
        self._settings = settings
        self._policy = configured_policy(settings.policy, settings.equilibrium, settings.interval_seconds)
        self._choosing = Choosing(self._policy.choose_many) if self._policy.choose_many else None
        self._seeding = SeedingCounts(settings.peer_lifetime_seconds)
        self._metrics = metrics
        self._clock = clock

    async def answer(self, key: bytes | None, query: bytes, client: Client) -> bytes:
        """Answer one announce.

        Raises:
            RefusalError: the client gets a failure.
            SwarmsUnavailableError, AllowlistUnavailableError: the client shall try again.
        """
        key_hash = self._lookups.hash_key(key)
        announce = await self._admit(parse_announce(query), key_hash, client)
        interval_seconds = spread(self._settings.interval_seconds, announce.key_hash, announce.info_hash)
        step = self._step(announce)
        # Whoever has left 0, and no other's time counts, gets the usual interval whatever the step says (adr/0019).
        view = await self._swarms.announce(step, self._fact(announce, interval_seconds))
        self._seeding.learn(step, view)
        return await self._encode(announce, view, step, interval_seconds)

    async def _admit(self, request: AnnounceRequest, key_hash: KeyHash | None, client: Client) -> Announce:
        info_hash = request.info_hash
        judgement, torrent = await self._lookups.judge_and_find(key_hash, info_hash, client.prefix)
        if torrent is None and request.info_hash_with_spaces:
            torrent = await self._lookups.find(request.info_hash_with_spaces)
            info_hash = request.info_hash_with_spaces if torrent else info_hash
        return Announce(
            request=request,
            client=client,
            key_hash=hash_guest(request.peer_id) if key_hash is None else key_hash,
            guest=key_hash is None,
            judgement=judgement,
            info_hash=info_hash,
            torrent=torrent or await self._lookups.admit(info_hash, client.prefix),
            at=self._clock(),
        )

    def _step(self, announce: Announce) -> Step:
        request, standing, now = announce.request, announce.judgement.standing, int(announce.at)
        secret = self._secret()
        if secret is None:
            raise TryAgainError(Reason.STARTING)
        identity = announce.key_hash if standing.sampling is Sampling.KEY else announce.client.prefix
        pair = hash_pair(secret, identity, announce.info_hash)
        flags = PeerFlag.UNREACHABLE if request.port <= LAST_UNREACHABLE_PORT else PeerFlag.NONE
        numwant = self._numwant(request)
        asks_for_witnesses = request.role is not Role.LEECHER and self._seeding.is_due(announce.info_hash, now)
        return Step(
            info_hash=announce.info_hash,
            key_hash=announce.key_hash,
            peer_id=request.peer_id,
            pair_hash=pair.hash,
            endpoint=announce.client.packed + request.port.to_bytes(2, "big"),
            role=request.role,
            tier=standing.tier,
            flags=flags | PeerFlag.GUEST if announce.guest else flags,
            stopped=request.event is Event.STOPPED,
            window=self._policy.window(numwant) if numwant else 0,
            window_seed=pair.window_seed(now, self._settings.interval_seconds),
            rivals=self._policy.rivals,
            witnesses=MOST_PREFIXES if asks_for_witnesses else 0,
            now=now,
        )

    def _numwant(self, request: AnnounceRequest) -> int:
        if request.event is Event.STOPPED:
            return 0
        return self._settings.numwant if request.numwant is None else min(request.numwant, self._settings.numwant)

    def _fact(self, announce: Announce, interval_seconds: int) -> bytes | None:
        request = announce.request
        if self._swarms.stream_full and request.event not in {Event.COMPLETED, Event.STOPPED}:
            self._metrics.facts_dropped.inc()
            return None
        flags = FactFlag.NONE
        if announce.guest:
            flags = FactFlag.GUEST
        elif announce.judgement.provisional:
            flags = FactFlag.PROVISIONAL
        return pack_fact(
            Fact(
                key_hash=announce.key_hash,
                info_hash=announce.info_hash,
                peer_id=request.peer_id,
                prefix=announce.client.prefix,
                at_ms=int(announce.at * 1000),
                uploaded=request.uploaded,
                downloaded=request.downloaded,
                left=request.left,
                corrupt=request.corrupt,
                redundant=request.redundant,
                event=request.event,
                flags=flags,
                interval_seconds=interval_seconds,
                seeding_prefixes=self._seeding.of(announce.info_hash),
            )
        )

    async def _encode(self, announce: Announce, view: View, step: Step, interval_seconds: int) -> bytes:
        visibility, request = self._visibility(announce, view), announce.request
        question = self._question(announce, view, step, visibility.identity)
        candidates = introducible(self._candidates(view, step), visibility)
        if self._choosing is None:
            chosen = self._policy.choose(question, candidates)
        else:
            chosen = await self._choosing.choose(question, candidates)
        peers, ids = _peer_list(chosen, visibility), request.with_peer_ids
        interval_seconds = self._interval(question, announce, interval_seconds)
        notice = announce.judgement.standing.notice
        return encode_announce(
            counts=view.counts,
            snatches=self._lookups.snatches(announce.info_hash, announce.torrent, view.counts.snatches),
            external_ip=announce.client.packed,
            interval_seconds=interval_seconds,
            min_interval_seconds=min(self._settings.min_interval_seconds, interval_seconds),
            peers=compact_peers(peers) if request.compact else listed_peers(peers, with_peer_ids=ids),
            warning=one_line(notice) if notice else b"",
        )

    def _question(self, announce: Announce, view: View, step: Step, identity: int) -> Question:
        share = announce.judgement.standing.share
        asker = Asker(identity, step.pair_hash, step.tier, step.role, view.first_seen, share)
        numwant, seeders = self._numwant(announce.request), view.counts.seeders + view.counts.partial_seeds
        return Question(asker, numwant, announce.torrent.length, step.window_seed, step.now, seeders)

    def _candidates(self, view: View, step: Step) -> Records:
        """Leave out seeders that a seeder's step looked at for another reason than the policy's."""
        return leechers_among(view.candidates) if step.witnesses and not step.rivals else view.candidates

    def _interval(self, question: Question, announce: Announce, usual_seconds: int) -> int:
        wanted = self._policy.interval(question)
        return (
            usual_seconds
            if wanted is None
            else min(usual_seconds, spread(wanted, announce.key_hash, announce.info_hash))
        )

    def _visibility(self, announce: Announce, view: View) -> Visibility:
        client = announce.client
        families = (FAMILY4, FAMILY6) if len(client.packed) == 4 else (FAMILY6, FAMILY4)
        return Visibility(
            identity=int.from_bytes(announce.key_hash[:8], "little"),
            families=families if view.dual else families[:1],
            oldest_seen=int(announce.at) - self._settings.peer_lifetime_seconds,
            private_addresses=sees_private(self._settings.private_peers, asker_is_private=client.private),
        )


def _peer_list(chosen: Records, visibility: Visibility) -> PeerList:
    peers6 = endpoints(chosen, FAMILY6, visibility) if FAMILY6 in visibility.families else None
    return PeerList(endpoints(chosen, FAMILY4, visibility), peers6)
