"""Small stand-ins for the announce service's ports, for tests of what lies in front of them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import numpy as np
import uvicorn
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from etracker_announce.domain.addresses import client_finder
from etracker_announce.domain.swarm import NO_COUNTS, RECORD, Counts, Step, View
from etracker_announce.metrics import Metrics
from etracker_announce.ports import Judgement, SwarmsUnavailableError, Torrent
from etracker_announce.routes.door import TrackerServer
from etracker_announce.routes.exchange import FRONT, Front
from etracker_announce.routes.protocol import TrackerProtocol
from etracker_announce.settings import AnnounceSettings
from etracker_announce.use_cases.announcing import Announcing
from etracker_announce.use_cases.lookups import Lookups
from etracker_announce.use_cases.scraping import Scraping
from etracker_announce.use_cases.tracker import Tracker
from etracker_shared.health import health_router
from etracker_shared.identity import InfoHash, KeyHash
from etracker_shared.tiers import Standing, Tier
from tests.support.announce import serving

REGISTERED = Judgement(Standing(registered=True, tier=Tier.CONTRIBUTOR), provisional=False)


@dataclass
class ScriptedSwarms:
    """Remembers steps and facts; ``hold`` lets them wait, ``broken`` fails them."""

    stream_full: bool = False
    broken: bool = False
    hold: asyncio.Event | None = None
    steps: list[tuple[Step, bytes | None]] = field(default_factory=list)
    view: View = field(default_factory=lambda: View(NO_COUNTS, 0, np.zeros(0, dtype=RECORD)))

    async def announce(self, step: Step, fact: bytes | None) -> View:
        self.steps.append((step, fact))
        if self.hold:
            await self.hold.wait()
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
    """Tracks every infohash."""

    torrent: Torrent = field(default_factory=lambda: Torrent(length=None, snatches=3))

    def peek(self, _info_hash: InfoHash) -> Torrent | None:
        return self.torrent

    def learn(self, _info_hash: InfoHash, snatches: int) -> None:
        self.torrent = self.torrent._replace(snatches=snatches)

    async def find(self, _info_hash: InfoHash) -> Torrent | None:
        return self.torrent


@dataclass
class OneJudgement:
    """Judges everybody alike."""

    judgement: Judgement = REGISTERED

    def peek(self, _key_hash: KeyHash | None) -> Judgement | None:
        return self.judgement

    async def judge(self, _key_hash: KeyHash | None, _prefix: bytes = b"") -> Judgement:
        return self.judgement


@dataclass
class Scripted:
    """A tracker on stand-ins."""

    swarms: ScriptedSwarms = field(default_factory=ScriptedSwarms)
    allowlist: OneTorrent = field(default_factory=OneTorrent)
    tiers: OneJudgement = field(default_factory=OneJudgement)
    settings: AnnounceSettings = field(default_factory=AnnounceSettings)
    secret: bytes | None = b"s" * 32
    clock: Callable[[], float] = lambda: 1_800_000_000.5
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    @cached_property
    def front(self) -> Front:
        metrics = Metrics(self.registry)
        lookups = Lookups(self.tiers, self.allowlist, self.swarms, self.settings)
        announcing = Announcing(
            swarms=self.swarms,
            lookups=lookups,
            secret=lambda: self.secret,
            settings=self.settings,
            metrics=metrics,
            clock=self.clock,
        )
        tracker = Tracker(announcing, Scraping(self.swarms, lookups, self.settings), self.settings)
        return Front(tracker, metrics, client_finder(self.settings.trusted_proxies))

    @asynccontextmanager
    async def serving(
        self,
        protocol: type[TrackerProtocol] = TrackerProtocol,
        keep_alive_seconds: int = 5,
        linger_seconds: float = 0,
    ) -> AsyncIterator[uvicorn.Server]:
        """Serve it as the service does."""

        @asynccontextmanager
        async def lifespan(_app: FastAPI) -> AsyncIterator[dict[str, Any]]:
            yield {FRONT: self.front}

        app = FastAPI(lifespan=lifespan)
        app.include_router(health_router({"redis": self.swarms.complaint}, self.registry, self.settings))
        make_server = partial(TrackerServer, linger_seconds=linger_seconds)
        async with serving(app, protocol, keep_alive_seconds=keep_alive_seconds, make_server=make_server) as server:
            yield server
