"""Small stand-ins for the announce service's ports, for tests of the tracker and its front ends."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import ip_address
from typing import Any

import fastbencode
import numpy as np
from prometheus_client import CollectorRegistry

from etracker_announce.domain.addresses import Source, describe_source
from etracker_announce.domain.answers import AnnounceAnswer, Refusal, ScrapeAnswer
from etracker_announce.domain.bans import Bans
from etracker_announce.domain.requests import AnnounceRequest, ScrapeRequest
from etracker_announce.domain.swarm import NO_COUNTS, RECORD, Counts, Step, View
from etracker_announce.frontends.gatherer import Gatherer
from etracker_announce.frontends.http.connection import DEFAULT_TIMEOUTS, Timeouts
from etracker_announce.frontends.http.handler import Handler
from etracker_announce.frontends.http.parser import HttpRequest
from etracker_announce.frontends.http.requests import parse_path
from etracker_announce.frontends.http.server import HttpServer
from etracker_announce.frontends.http.sources import proxy_recognizer, source_finder
from etracker_announce.frontends.pause_rule import PauseRule
from etracker_announce.frontends.shared_address import SharedAddress
from etracker_announce.metrics import Metrics
from etracker_announce.ports import Judgement, SwarmsUnavailableError, Torrent
from etracker_announce.settings import AnnounceSettings
from etracker_announce.tracker.admission import Admission
from etracker_announce.tracker.announce import AnnounceHandler
from etracker_announce.tracker.scrape import ScrapeHandler
from etracker_announce.tracker.tracker import Tracker
from etracker_shared.agreements.tiers import Treatment
from etracker_shared.language.identity import InfoHash, KeyHash
from etracker_shared.language.tier import Tier

KEY = b"0123456789abcdef0123456789abcd"
PEER = b"-TR3000-aaaaaaaaaaaa"
HASH = InfoHash(bytes(range(20)))
REGISTERED = Judgement(Treatment(registered=True, tier=Tier.CONTRIBUTOR), provisional=False)


@dataclass
class ScriptedSwarms:
    """Remembers steps and facts. ``hold``: they wait. ``broken``: they fail. ``most_at_once``: concurrent steps."""

    stream_full: bool = False
    broken: bool = False
    hold: asyncio.Event | None = None
    under_way: int = 0
    most_at_once: int = 0
    steps: list[tuple[Step, bytes | None]] = field(default_factory=list)
    view: View = field(default_factory=lambda: View(NO_COUNTS, 0, np.zeros(0, dtype=RECORD)))

    async def announce(self, step: Step, fact: bytes | None) -> View:
        self.steps.append((step, fact))
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        if self.hold:
            await self.hold.wait()
        self.under_way -= 1
        if self.broken:
            raise SwarmsUnavailableError
        return self.view

    async def scrape(self, info_hashes: Sequence[InfoHash]) -> Sequence[Counts]:
        if self.broken:
            raise SwarmsUnavailableError
        return [NO_COUNTS for _ in info_hashes]

    async def admit_new_hash(self, prefix: bytes, limit: int) -> bool:
        raise AssertionError(f"{prefix!r} counted against {limit}")

    async def complaint(self) -> str | None:
        return "It is broken." if self.broken else None


@dataclass
class OneTorrent:
    """Tracks every infohash except ``untracked``, all as the same torrent."""

    torrent: Torrent = field(default_factory=lambda: Torrent(length=None, snatches=3))
    untracked: set[InfoHash] = field(default_factory=set)

    def learn(self, _info_hash: InfoHash, snatches: int) -> None:
        self.torrent = self.torrent._replace(snatches=snatches)

    async def find(self, info_hash: InfoHash) -> Torrent | None:
        return None if info_hash in self.untracked else self.torrent


@dataclass
class OneJudgement:
    """Gives every key the same treatment."""

    judgement: Judgement = REGISTERED

    async def judge(self, _key_hash: KeyHash | None, _prefix: bytes = b"") -> Judgement:
        return self.judgement


@dataclass
class Scripted:
    """A tracker with stand-ins for its ports."""

    swarms: ScriptedSwarms = field(default_factory=ScriptedSwarms)
    allowlist: OneTorrent = field(default_factory=OneTorrent)
    tiers: OneJudgement = field(default_factory=OneJudgement)
    settings: AnnounceSettings = field(default_factory=lambda: AnnounceSettings(budget_burst=0))
    bans: Bans | None = field(default_factory=Bans)
    secret: bytes | None = b"s" * 32
    clock: Callable[[], float] = lambda: 1_800_000_000.5
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    @cached_property
    def metrics(self) -> Metrics:
        return Metrics(self.registry)

    @cached_property
    def tracker(self) -> Tracker:
        admission = Admission(self.tiers, self.allowlist, self.swarms, bans=lambda: self.bans, settings=self.settings)
        announces = AnnounceHandler(
            swarms=self.swarms,
            admission=admission,
            secret=lambda: self.secret,
            settings=self.settings,
            metrics=self.metrics,
            clock=self.clock,
        )
        return Tracker(admission, announces, ScrapeHandler(self.swarms, admission, self.settings), self.settings)

    @cached_property
    def handler(self) -> Handler:
        find_source = source_finder(self.settings.trusted_proxies)
        shared_address = SharedAddress(lambda: 0.0)
        self.metrics.peers_share_one_address.set_function(shared_address.check)
        return Handler(self.tracker, self.metrics, find_source, shared_address, self.settings.frontend_hostname)

    @asynccontextmanager
    async def serving(
        self, timeouts: Timeouts = DEFAULT_TIMEOUTS, linger_seconds: float = 0, rule: PauseRule | None = None
    ) -> AsyncIterator[HttpServer]:
        """Serve it over HTTP as the service does. ``rule``: when announces gather."""
        is_proxy = proxy_recognizer(self.settings.trusted_proxies)
        rule = rule or PauseRule(self.settings.announce_gather_ms / 1000)
        gatherer = Gatherer(rule, lambda paid: self.metrics.pauses[paid].inc())
        server = HttpServer(
            self.handler, "127.0.0.1", 0, gatherer, is_proxy=is_proxy, timeouts=timeouts, linger_seconds=linger_seconds
        )
        async with server:
            yield server

    async def announce(
        self, key: bytes | None = KEY, source: str = "192.0.2.1", **request: Any
    ) -> AnnounceAnswer | Refusal:
        """Announce as a leecher on port 6881, changed by ``request``."""
        return await self.tracker.announce(announce_request(**request), key, source_at(source))

    async def answer(self, key: bytes | None = KEY, source: str = "192.0.2.1", **request: Any) -> AnnounceAnswer:
        """Announce, and return the answer, which must not be a refusal."""
        answer = await self.announce(key, source, **request)
        assert isinstance(answer, AnnounceAnswer)
        return answer

    async def scrape(self, key: bytes | None = KEY, *info_hashes: InfoHash) -> ScrapeAnswer | Refusal:
        """Scrape one torrent, or those given."""
        readings = tuple((info_hash, None) for info_hash in info_hashes or (HASH,))
        return await self.tracker.scrape(ScrapeRequest(readings), key, source_at("192.0.2.1"))

    def count(self, name: str, **labels: str) -> float | None:
        """Return the value of a metric."""
        return self.registry.get_sample_value(f"etracker_announce_{name}", labels)


def announce_request(**changes: Any) -> AnnounceRequest:
    """Make an announce of a leecher on port 6881, changed by ``changes``."""
    fields: dict[str, Any] = {"info_hash": HASH, "peer_id": PEER, "port": 6881, "left": 1000}
    return AnnounceRequest(**fields | changes)


def source_at(address: str) -> Source:
    """Describe an address."""
    return describe_source(ip_address(address).packed)


async def ask(scripted: Scripted, path: str, forwarded_for: str = "") -> dict[bytes, Any]:
    raw_path, _, raw_query = path.encode().partition(b"?")
    target = parse_path(raw_path)
    assert target is not None
    request = HttpRequest(target, raw_query, forwarded_for)
    answer = fastbencode.bdecode(await scripted.handler.answer(request, "127.0.0.1"))
    assert isinstance(answer, dict)
    return answer
