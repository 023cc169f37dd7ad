"""A machine of announces by suspects and by others, which knows what each of them may be told."""

import asyncio
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any, NamedTuple
from urllib.parse import quote_from_bytes

import fastbencode
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule
from prometheus_client import CollectorRegistry

from etracker_announce.adapters.swarms import RedisSwarms
from etracker_announce.domain.bans import Bans
from etracker_announce.domain.requests import Kind
from etracker_announce.domain.suspects import Suspect, Suspects
from etracker_announce.frontends.http.failures import MAX_TEXT_BYTES
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
from etracker_shared.language.identity import KeyHash, hash_announce_key, hash_guest, packed_prefix
from tests.contract.swarms.machines import SwarmMachine
from tests.contract.swarms.peers import HASH, OTHER_HASH, connect
from tests.support.announce_ports import OneJudgement, OneTorrent
from tests.support.redis import RedisServer

START = 1_800_000_000
DAY, FAILURE_PAUSE = 86_400, 6 * 3600
OFFENDERS, GUESTS, BYSTANDER = (0, 1), (1, 4), 5
MATES_PORT = 9000
"""Behind a suspect's address, others have ports from this one."""
HALVES = (HASH, OTHER_HASH)
"""Both infohashes of a hybrid torrent; statistics are kept under the first."""
NAMED = re.compile(r"block peer (\[[0-9a-f:]+\]|[0-9.]+):(\d+)")


class Client(NamedTuple):
    """A client instance of somebody in one half of the torrent. ``generation``: how often its key was rotated."""

    who: int
    instance: int
    half: int
    generation: int = 0

    @property
    def peer_id(self) -> bytes:
        return b"-TR3000-%012d" % (10 * self.who + self.instance)

    @property
    def key(self) -> bytes | None:
        return None if self.who in GUESTS else b"%015x%015x" % (self.who, self.generation)

    @property
    def key_hash(self) -> KeyHash:
        return hash_guest(self.peer_id, b"c") if self.key is None else hash_announce_key(self.key.decode())

    def address(self, family: int) -> str:
        return f"198.51.{100 + self.who}.7" if family == 4 else f"2001:db8:{self.who}:2:3333:4444:5555:6666"


class Interventions(SwarmMachine):
    """Announces on two replicas by keys and guests, two of which come under suspicion, are confirmed and cleared."""

    failures_seen = 0
    warnings_seen = 0

    @initialize()
    def begin(self) -> None:
        super().begin()
        self.second = connect(self.server.settings())
        self.suspects: dict[int, list[Suspect]] = {}
        self.generations: Counter[int] = Counter()
        self.left_behind: set[int] = set()  # whose old sessions, of a key from before the suspicion, are nobody's
        self.got: dict[Client, set[bytes]] = defaultdict(set)
        self.crowded_until: dict[str, int] = {}
        self.failed: dict[Client, list[tuple[int, bytes]]] = defaultdict(list)
        self.replies: Counter[tuple[int, int]] = Counter()
        self.failures: Counter[tuple[int, int]] = Counter()
        self.replicas = [_replica(self, swarms) for swarms in (self.swarms, self.run(self.second.__aenter__()))]

    def teardown(self) -> None:
        if hasattr(self, "replicas"):
            self.run(self.second.__aexit__(None, None, None))
        super().teardown()

    @property
    def now(self) -> int:
        return START + self.clock

    def client_of(self, who: int, instance: int = 0, half: int = 0) -> Client:
        return Client(who, instance, half, self.generations[who])

    @rule(
        who=st.sampled_from(OFFENDERS),
        confirmed=st.booleans(),
        sizes=st.sampled_from((0.5, 2.0, 3.5)),
        verdict=st.sampled_from((Verdict.WASTE, Verdict.WASTE, Verdict.STATISTICS)),
        family=st.sampled_from((None, None, 4, 6)),
    )
    def suspect(
        self, who: int, confirmed: bool, sizes: float, verdict: Verdict = Verdict.WASTE, family: int | None = None
    ) -> None:
        client = self.client_of(who)
        prefixes = {packed_prefix(ip_address(client.address(family)).packed)} if family else set()
        hashes = {client._replace(instance=instance).key_hash for instance in (0, 1)}
        hashes |= {one.key_hash for one in self.suspects.get(who, ())}
        self.suspects[who] = [
            Suspect(key_hash, confirmed, verdict, 100.0, self.now, frozenset(prefixes), {HASH: sizes})
            for key_hash in hashes
        ]

    @rule(who=st.sampled_from(OFFENDERS))
    def clear(self, who: int) -> None:
        self.suspects.pop(who, None)
        if self.generations[who]:
            self.left_behind.add(who)

    @rule(who=st.sampled_from((0, 2, 3)))
    def rotate_key(self, who: int) -> None:
        """A suspect keeps its verdict, under its former hash as well."""
        self.generations[who] += 1
        if who not in self.suspects:
            self.left_behind.add(who)
        else:
            known = self.suspects[who]
            self.suspects[who] = [known[0]._replace(key_hash=self.client_of(who).key_hash), *known]

    @rule(seconds=st.sampled_from((1, 30, 400, 5 * 3600)))
    def wait_less(self, seconds: int) -> None:
        self.clock += seconds

    @rule()
    def lose_redis(self) -> None:
        """Without the log of hand-outs nobody is told an address. The replicas write their notes first."""
        for replica in range(2):
            self.run(self.reply(self.client_of(BYSTANDER), replica=replica))
        self.client.flushall()
        self.got.clear()

    @rule(who=st.sampled_from(OFFENDERS), family=st.sampled_from((4, 6)))
    def crowd_an_address(self, who: int, family: int) -> None:
        """Let four keys announce from a suspect's address, which makes it nobody's in particular."""
        if who not in self.suspects or self.suspects[who][0].prefixes:
            return
        address = self.client_of(who).address(family)
        self.run(self._crowd(who, family, address))
        self.crowded_until[address] = self.now + DAY - 60

    async def _crowd(self, who: int, family: int, address: str) -> None:
        for replica in range(2):
            await self.reply(self.client_of(who), family, replica=replica)
        for number in range(4):
            mate = Client(20 + number, 0, 0)
            await self.reply(mate, source=address, port=MATES_PORT + number)
        for replica in range(2):
            await self.reply(self.client_of(BYSTANDER), replica=replica)

    @rule(
        who=st.integers(0, 4),
        instance=st.integers(0, 1),
        half=st.integers(0, 1),
        family=st.sampled_from((4, 6)),
        left=st.sampled_from((0, 5)),
        event=st.sampled_from((b"", b"", b"", b"started", b"completed", b"stopped")),
        replica=st.integers(0, 1),
        moved=st.booleans(),
    )
    def announce(
        self, *, who: int, instance: int, half: int, family: int, left: int, event: bytes, replica: int, moved: bool
    ) -> None:
        client, port = self.client_of(who, instance, half), 7000 + instance + 1000 * moved
        self.run(self._announce(client, family, left=left, event=event, replica=replica, port=port))

    @rule(seeders=st.booleans(), family=st.sampled_from((4, 6)))
    def a_busy_minute(self, seeders: bool, family: int = 4) -> None:
        """So many replies that a failure is within the budget, then everybody."""

        async def announces() -> None:
            await asyncio.gather(*(self._announce(self.client_of(BYSTANDER)) for _ in range(100)))
            for who in range(5):
                left = 0 if seeders and who not in OFFENDERS else 5
                await self._announce(self.client_of(who), family, left=left)

        self.run(announces())

    async def _announce(self, client: Client, family: int = 4, *, replica: int = 0, **fields: Any) -> None:
        minute = (replica, self.now // 60)
        self.replies[minute] += 1
        reply = await self.reply(client, family, replica=replica, **fields)
        text = bytes(reply.get(b"failure reason", reply.get(b"warning message", b""))).decode("ascii")
        assert len(text) <= MAX_TEXT_BYTES
        assert not text or text.isprintable()
        type(self).warnings_seen += self._check_told(client, text) and b"warning message" in reply
        if b"failure reason" in reply:
            self._check_failure(client, minute, fields.get("event", b""), text)
        self._check_list(client, family, reply)

    async def reply(
        self,
        client: Client,
        family: int = 4,
        *,
        left: int = 5,
        event: bytes = b"",
        replica: int = 0,
        port: int = 7000,
        source: str = "",
    ) -> dict[bytes, Any]:
        query = b"info_hash=%b&peer_id=%b&key=c&port=%d&left=%d&uploaded=0&downloaded=0&compact=1&event=%b" % (
            quote_from_bytes(HALVES[client.half]).encode(),
            client.peer_id,
            port,
            left,
            event,
        )
        request = HttpRequest(Target(Kind.ANNOUNCE, client.key), query, "")
        body = await self.replicas[replica].answer(request, source or client.address(family))
        reply: Any = fastbencode.bdecode(body)
        self.got[client].update(endpoints(reply))
        return dict(reply)

    def _check_told(self, client: Client, text: str) -> bool:
        told = NAMED.findall(text)
        for address, port in told:
            packed = ip_address(address.strip("[]")).packed
            assert packed + int(port).to_bytes(2, "big") in self.got[client], "an address that this session never got"
            assert self.now >= self.crowded_until.get(address.strip("[]"), 0), "an address that many keys use"
            wasters = [one for one in self._confirmed(packed) if one.verdict is Verdict.WASTE]
            assert wasters, "nobody is confirmed to waste bandwidth there"
        return bool(told)

    def _check_failure(self, client: Client, minute: tuple[int, int], event: bytes, text: str) -> None:
        assert event == b""
        if not NAMED.search(text):
            assert client.who in self.suspects, "an offender's own"
            return
        type(self).failures_seen += 1
        self.failures[minute] += 1
        said = text.encode()
        assert all(self.now - at >= FAILURE_PAUSE and said != before for at, before in self.failed[client])
        self.failed[client].append((self.now, said))
        assert self.failures[minute] <= max(1, self.replies[minute] // 100)
        replica = minute[0]
        sent, replies = (
            sum(number for (one, _), number in counted.items() if one == replica)
            for counted in (self.failures, self.replies)
        )
        assert 100 * sent <= replies + 200  # others' replies, which aren't counted here, are few

    def _check_list(self, client: Client, family: int, reply: dict[bytes, Any]) -> None:
        for endpoint in endpoints(reply):
            own = endpoint[:-2] in {ip_address(client.address(one)).packed for one in (4, 6)}
            mate = int.from_bytes(endpoint[-2:]) >= MATES_PORT
            assert own or mate or not self._confirmed(endpoint[:-2], listed=True), "an offender in a list"
        packed = ip_address(client.address(family)).packed
        if any(client.key_hash == one.key_hash for one in self._confirmed(packed)):
            assert len(reply.get(b"peers", b"")) <= 5 * 6
            assert len(reply.get(b"peers6", b"")) <= 5 * 18

    def _confirmed(self, packed: bytes, *, listed: bool = False) -> list[Suspect]:
        """Return the confirmed suspects whose sessions at an address are meant, in a list by all of their hashes."""
        places = {ip_address(self.client_of(who).address(family)).packed: who for who in OFFENDERS for family in (4, 6)}
        who = places.get(packed, -1)
        known = [] if listed and who in self.left_behind else self.suspects.get(who, [])
        return [one for one in known if one.confirmed and one.concerns(packed_prefix(packed))]


def endpoints(reply: dict[bytes, Any]) -> Iterator[bytes]:
    """Return the endpoints in the lists of a reply."""
    for field, size in ((b"peers", 6), (b"peers6", 18)):
        packed = reply.get(field, b"")
        yield from (packed[place : place + size] for place in range(0, len(packed), size))


def _replica(machine: Interventions, swarms: RedisSwarms) -> Handler:
    configured = AnnounceSettings(budget_burst=0, guests_per_minute=255)
    metrics = Metrics(CollectorRegistry())
    torrent = OneTorrent(Torrent(1000, 0, kept_as=HASH))
    admission = Admission(OneJudgement(), torrent, swarms, bans=Bans, settings=configured)
    announces = AnnounceHandler(
        swarms=swarms,
        hand_outs=swarms.hand_outs,
        admission=admission,
        secret=lambda: b"s" * 32,
        settings=configured,
        metrics=metrics,
        clock=lambda: machine.now,
        suspects=lambda: Suspects(one for known in machine.suspects.values() for one in known),
    )
    tracker = Tracker(admission, announces, ScrapeHandler(swarms, admission, configured), configured)
    find_source = source_finder(configured.trusted_proxies)
    return Handler(tracker, metrics, find_source, SharedAddress(lambda: 0.0), "tracker.example")


def made_on(server: RedisServer) -> type[Interventions]:
    """Return the machine on a server, counting from 0."""
    return type("Machine", (Interventions,), {"server": server})
