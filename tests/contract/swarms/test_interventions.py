"""Laws of what is said and given to offenders and to others, whatever happens in which order.

The kind: an address that reaches somebody who never got it, and failures that pile up.
"""

import asyncio
import re
from collections import Counter, defaultdict
from typing import Any
from urllib.parse import quote_from_bytes

import fastbencode
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule, run_state_machine_as_test
from prometheus_client import CollectorRegistry

from etracker_announce.domain.bans import Bans
from etracker_announce.domain.requests import Kind
from etracker_announce.domain.suspects import Suspect, Suspects
from etracker_announce.frontends.http.handler import Handler
from etracker_announce.frontends.http.parser import HttpRequest
from etracker_announce.frontends.http.requests import Target
from etracker_announce.frontends.http.sources import source_finder
from etracker_announce.frontends.shared_address import SharedAddress
from etracker_announce.metrics import Metrics
from etracker_announce.ports import Torrent
from etracker_announce.settings import AnnounceSettings
from etracker_announce.tracker.admission import Admission
from etracker_announce.tracker.announce import AnnounceHandler
from etracker_announce.tracker.scrape import ScrapeHandler
from etracker_announce.tracker.tracker import Tracker
from etracker_shared.agreements.anomalies import Verdict
from etracker_shared.language.identity import hash_announce_key
from tests.contract.swarms.machines import SwarmMachine
from tests.support.announce_ports import HASH, OneJudgement, OneTorrent
from tests.support.redis import RedisServer

KEYS = [b"%030x" % number for number in range(6)]
OFFENDERS = (0, 1)
BYSTANDER = 5
START = 1_800_000_000
NAMED = re.compile(rb"(\d+)\.(\d+)\.(\d+)\.(\d+):(\d+)")
FAILURE_PAUSE = 6 * 3600
Session = tuple[int, int]


class Interventions(SwarmMachine):
    """Announces of a few keys, two of which come under suspicion, are confirmed and cleared."""

    failures_seen = 0
    warnings_seen = 0

    @initialize()
    def begin(self) -> None:
        super().begin()
        self.suspects: dict[int, Suspect] = {}
        self.got: dict[Session, set[bytes]] = defaultdict(set)
        self.failed: dict[Session, list[tuple[int, bytes]]] = defaultdict(list)
        self.replies: Counter[int] = Counter()
        self.failures: Counter[int] = Counter()
        self.handler = self._handler()

    def _handler(self) -> Handler:
        configured = AnnounceSettings(budget_burst=0)
        metrics = Metrics(CollectorRegistry())
        admission = Admission(OneJudgement(), OneTorrent(Torrent(1000, 0)), self.swarms, bans=Bans, settings=configured)
        announces = AnnounceHandler(
            swarms=self.swarms,
            hand_outs=self.swarms.hand_outs,
            admission=admission,
            secret=lambda: b"s" * 32,
            settings=configured,
            metrics=metrics,
            clock=lambda: START + self.clock,
            suspects=lambda: Suspects(self.suspects.values()),
        )
        tracker = Tracker(admission, announces, ScrapeHandler(self.swarms, admission, configured), configured)
        find_source = source_finder(configured.trusted_proxies)
        return Handler(tracker, metrics, find_source, SharedAddress(lambda: 0.0), "tracker.example")

    @rule(who=st.sampled_from(OFFENDERS), confirmed=st.booleans(), sizes=st.sampled_from((0.5, 2.0)))
    def suspect(self, who: int, confirmed: bool, sizes: float) -> None:
        key_hash = hash_announce_key(KEYS[who].decode())
        self.suspects[who] = Suspect(
            key_hash, confirmed, Verdict.WASTE, 100.0, START + self.clock, wasted={HASH: sizes}
        )

    @rule(who=st.sampled_from(OFFENDERS))
    def clear(self, who: int) -> None:
        self.suspects.pop(who, None)

    @rule(seconds=st.sampled_from((1, 30, 400, 5 * 3600)))
    def wait_less(self, seconds: int) -> None:
        self.clock += seconds

    @rule(
        who=st.integers(0, 4),
        instance=st.integers(0, 1),
        left=st.sampled_from((0, 5)),
        event=st.sampled_from((b"", b"", b"", b"started", b"completed", b"stopped")),
    )
    def announce(self, who: int, instance: int, left: int, event: bytes) -> None:
        self.run(self._announce(who, instance, left, event))

    @rule(seeders=st.booleans())
    def a_busy_minute(self, seeders: bool) -> None:
        """So many replies that a failure is within the budget, then everybody."""

        async def announces() -> None:
            await asyncio.gather(*(self._announce(BYSTANDER, 0, 5, b"") for _ in range(120)))
            for who in range(5):
                await self._announce(who, 0, 0 if seeders and who not in OFFENDERS else 5, b"")

        self.run(announces())

    async def _announce(self, who: int, instance: int, left: int, event: bytes) -> None:
        peer_id = b"-TR3000-%012d" % (10 * who + instance)
        query = b"info_hash=%b&peer_id=%b&port=%d&left=%d&uploaded=0&downloaded=0&compact=1&event=%b" % (
            quote_from_bytes(HASH).encode(),
            peer_id,
            7000 + instance,
            left,
            event,
        )
        target = Target(Kind.ANNOUNCE, KEYS[who])
        body = await self.handler.answer(HttpRequest(target, query, ""), f"198.51.{100 + who}.7")
        reply: Any = fastbencode.bdecode(body)
        if who != BYSTANDER:
            self._check(who, instance, event, reply)
        self.replies[(START + self.clock) // 60] += 1

    def _check(self, who: int, instance: int, event: bytes, reply: dict[bytes, Any]) -> None:
        session, at = (who, instance), START + self.clock
        text = reply.get(b"failure reason", reply.get(b"warning message", b""))
        for *address, port in NAMED.findall(text):
            endpoint = bytes(map(int, address)) + int(port).to_bytes(2, "big")
            assert endpoint in self.got[session], "an address that this session never got"
            type(self).warnings_seen += b"warning message" in reply
        if b"failure reason" in reply:
            self._check_failure(session, at, event, text)
        peers = reply.get(b"peers", b"")
        for place in range(0, len(peers), 6):
            self.got[session].add(peers[place : place + 6])
            other = self.suspects.get(peers[place + 2] - 100)
            assert other is None or not other.confirmed, "an offender in a list"
        own = self.suspects.get(who)
        if own and own.confirmed:
            assert len(peers) <= 5 * 6

    def _check_failure(self, session: Session, at: int, event: bytes, text: bytes) -> None:
        type(self).failures_seen += 1
        minute = at // 60
        self.failures[minute] += 1
        assert event == b""
        assert all(at - earlier >= FAILURE_PAUSE and text != said for earlier, said in self.failed[session])
        self.failed[session].append((at, text))
        assert self.failures[minute] <= max(1, (self.replies[minute] + 1) // 100)
        assert 100 * self.failures.total() <= self.replies.total() + 1


def _run(server: RedisServer, examples: int) -> None:
    on_server = type("Machine", (Interventions,), {"server": server})
    limits = settings(
        max_examples=examples, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(on_server, settings=limits)


@pytest.mark.promise(35, 36)
def test_the_laws_hold_whatever_happens(shared_redis: RedisServer) -> None:
    _run(shared_redis, examples=5)


@pytest.mark.full
@pytest.mark.promise(35, 36)
def test_the_laws_hold_whatever_happens_in_many_orders(shared_redis: RedisServer) -> None:
    _run(shared_redis, examples=100)


@pytest.mark.promise(36)
def test_two_recipients_are_warned_and_each_fails_once(shared_redis: RedisServer) -> None:
    """The machine meets what its laws are about."""
    machine = type("Machine", (Interventions,), {"server": shared_redis})()
    machine.begin()
    machine.announce(0, 0, 5, b"")
    machine.suspect(0, confirmed=False, sizes=2.0)
    for who in (2, 3):
        machine.announce(who, 0, 5, b"")
    machine.suspect(0, confirmed=True, sizes=2.0)
    for _ in range(4):
        machine.a_busy_minute(seeders=True)
    assert (machine.warnings_seen, machine.failures_seen) == (2, 2)
    machine.teardown()
