"""One announce: parse, judge and find, step, choose, encode."""

from collections.abc import Callable
from dataclasses import dataclass

from etracker_announce.domain.addresses import Client
from etracker_announce.domain.answers import PeerList, compact_peers, encode_announce, listed_peers
from etracker_announce.domain.candidates import FAMILY4, FAMILY6, Visibility, endpoints, introducible, sees_private
from etracker_announce.domain.errors import Reason, TryAgainError
from etracker_announce.domain.interval import spread
from etracker_announce.domain.pairs import hash_pair
from etracker_announce.domain.policies import POLICIES, Asker, Question
from etracker_announce.domain.request import AnnounceRequest, parse_announce
from etracker_announce.domain.swarm import PeerFlag, Step, View
from etracker_announce.domain.texts import one_line
from etracker_announce.metrics import Metrics
from etracker_announce.ports import Judgement, Swarms, Torrent
from etracker_announce.settings import AnnounceSettings
from etracker_announce.use_cases.lookups import Lookups
from etracker_shared.facts import Event, Fact, FactFlag, pack_fact
from etracker_shared.identity import InfoHash, KeyHash, hash_guest
from etracker_shared.tiers import Sampling

LAST_UNREACHABLE_PORT = 1


@dataclass(frozen=True, slots=True)
class Announce:
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
        self._policy = POLICIES[settings.policy]
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
        view = await self._swarms.announce(step, self._fact(announce, interval_seconds))
        return self._encode(announce, view, step, interval_seconds)

    async def _admit(self, request: AnnounceRequest, key_hash: KeyHash | None, client: Client) -> Announce:
        info_hash = request.info_hash
        judgement, torrent = await self._lookups.judge_and_find(key_hash, info_hash)
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
                seeding_prefixes=0,
            )
        )

    def _encode(self, announce: Announce, view: View, step: Step, interval_seconds: int) -> bytes:
        chosen, request = self._choose(announce, view, step), announce.request
        ids = request.with_peer_ids
        notice = announce.judgement.standing.notice
        return encode_announce(
            counts=view.counts,
            snatches=self._lookups.snatches(announce.info_hash, announce.torrent, view.counts.snatches),
            external_ip=announce.client.packed,
            interval_seconds=interval_seconds,
            min_interval_seconds=self._settings.min_interval_seconds,
            peers=compact_peers(chosen) if request.compact else listed_peers(chosen, with_peer_ids=ids),
            warning=one_line(notice) if notice else b"",
        )

    def _choose(self, announce: Announce, view: View, step: Step) -> PeerList:
        visibility = self._visibility(announce, view)
        standing = announce.judgement.standing
        asker = Asker(visibility.identity, step.pair_hash, step.tier, step.role, view.first_seen, standing.share)
        question = Question(asker, self._numwant(announce.request), announce.torrent.length, step.window_seed, step.now)
        chosen = self._policy.choose(question, introducible(view.candidates, visibility))
        peers6 = endpoints(chosen, FAMILY6, visibility) if FAMILY6 in visibility.families else None
        return PeerList(endpoints(chosen, FAMILY4, visibility), peers6)

    def _visibility(self, announce: Announce, view: View) -> Visibility:
        client = announce.client
        families = (FAMILY4, FAMILY6) if len(client.packed) == 4 else (FAMILY6, FAMILY4)
        return Visibility(
            identity=int.from_bytes(announce.key_hash[:8], "little"),
            families=families if view.dual else families[:1],
            oldest_seen=int(announce.at) - self._settings.peer_lifetime_seconds,
            private_addresses=sees_private(self._settings.private_peers, asker_is_private=client.private),
        )
