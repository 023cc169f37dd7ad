"""The detector over facts in memory: what the worker's readers and its job do with those in Postgres.

Facts are settled in batches by the worker's own functions. A batch ends where a block is to be judged, so verdicts
don't depend on the size of batches.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from etracker_scoring.detection.balance import judge_block, needs_presence
from etracker_scoring.detection.blocks import spread
from etracker_scoring.detection.parameters import DetectionParameters
from etracker_scoring.detection.records import Evidence, Identity
from etracker_scoring.detection.signals import Signals, follow
from etracker_scoring.replay.announces import Announce
from etracker_scoring.replay.catalogue import Catalogue
from etracker_scoring.replay.sessions import SILENT_MS, MemorySessions
from etracker_scoring.replay.suspects import Change, Suspects
from etracker_scoring.replay.swarms import MemoryPresence, MemorySwarms, SwarmInBlock
from etracker_scoring.worker.batch import SettledFact, settle_facts
from etracker_scoring.worker.observations import observe, says_something
from etracker_shared.agreements.anomalies import BLOCK_SECONDS, WINDOW_BLOCKS

_FORGET_BLOCKS = 12


class Detector:
    """Finds out whom the detector would have flagged."""

    def __init__(self, catalogue: Catalogue, parameters: DetectionParameters) -> None:
        self._catalogue = catalogue
        self._parameters = parameters
        self._sessions = MemorySessions()
        self._swarms = MemorySwarms()
        self._presence = MemoryPresence()
        self._signals: dict[tuple[int, Identity], tuple[Signals, int]] = {}
        self._suspects = Suspects(parameters)
        self._next_block: int | None = None
        self._last_ms = 0

    def read(self, announces: Sequence[Announce]) -> Iterator[Change]:
        """Read announces, which must be in order of time; yield the changes of states."""
        begin = 0
        while begin < len(announces):
            block = self._due_block(announces[begin])
            end = bisect_left(announces, self._due_ms(block), begin, key=_at_ms)
            yield from self._judge_until(block)
            yield from self._settle(announces[begin:end])
            begin = end

    def finish(self) -> Iterator[Change]:
        """Judge the blocks that ended before the last announce: no more will arrive."""
        yield from self._judge_until(self._last_ms // 1000 // BLOCK_SECONDS)

    def _settle(self, announces: Sequence[Announce]) -> Iterator[Change]:
        admitted = self._catalogue.admit(announces)
        settled = settle_facts(admitted, self._sessions.load(admitted))
        self._sessions.store(settled.sessions)
        for item in settled.facts:
            for evidence in self._follow(item):
                change = self._suspects.accuse(self._catalogue.identity_of(item), evidence)
                if change:
                    yield change
        self._last_ms = max(self._last_ms, announces[-1].fact.at_ms)

    def _follow(self, item: SettledFact) -> list[Evidence]:
        torrent_id, at_ms = item.torrent.id, item.fact.at_ms
        identity, content = self._catalogue.identity_of(item), self._catalogue.content_of(torrent_id)
        self._presence.note(torrent_id, identity, at_ms, seeds=item.after.left == 0)
        if not says_something(item):
            return []
        observation = observe(item)
        member = (torrent_id, identity)
        before = self._signals.get(member)
        after, evidence = follow(before and before[0], observation, content, torrent_id, self._parameters)
        if after is not None:
            self._signals[member] = (after, at_ms)
        elif before is not None:
            del self._signals[member]
        shares = spread(observation, content, self._parameters)
        if shares:
            self._swarms.add(torrent_id, identity, shares)
        return evidence

    def _judge_until(self, block: int) -> Iterator[Change]:
        """Judge the blocks before a block that haven't been judged."""
        if self._next_block is None:
            self._next_block = block
        for due in range(self._next_block, block):
            now = (due + 1) * BLOCK_SECONDS + self._parameters.judge_after_seconds
            for swarm in self._swarms.in_block(due):
                yield from self._judge(swarm)
            yield from self._suspects.let_pass(now)
            if due % _FORGET_BLOCKS == 0:
                self._forget(due)
        self._next_block = max(self._next_block, block)

    def _judge(self, swarm: SwarmInBlock) -> Iterator[Change]:
        torrent_id, block, traffic, history = swarm
        content = self._catalogue.content_of(torrent_id)
        needed = needs_presence(content, block, traffic[block], history, self._parameters)
        presence = self._presence.of(torrent_id) if needed else {}
        judged, findings = judge_block(content, torrent_id, block, traffic, presence, history, self._parameters)
        self._swarms.conclude(torrent_id, judged)
        for identity, evidence in findings:
            change = self._suspects.accuse(identity, evidence)
            if change:
                yield change

    def _forget(self, block: int) -> None:
        """Forget what is older than the window, and who has been silent for long."""
        now_ms = block * BLOCK_SECONDS * 1000
        self._sessions.forget_before(now_ms - SILENT_MS)
        self._swarms.forget_before(block - WINDOW_BLOCKS)
        self._presence.forget_before(block - WINDOW_BLOCKS)
        self._suspects.forget(now_ms // 1000)
        for member in [member for member, (_, at_ms) in self._signals.items() if at_ms < now_ms - SILENT_MS]:
            del self._signals[member]

    def _due_block(self, announce: Announce) -> int:
        """Return the first block that isn't due to be judged when an announce arrives."""
        return (announce.fact.at_ms // 1000 - self._parameters.judge_after_seconds) // BLOCK_SECONDS

    def _due_ms(self, block: int) -> int:
        """Return when a block is due to be judged."""
        return ((block + 1) * BLOCK_SECONDS + self._parameters.judge_after_seconds) * 1000


def _at_ms(announce: Announce) -> int:
    return announce.fact.at_ms
