"""Anomalies: what announces say against their clients, and the traffic that the balance of swarms is judged by."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from etracker_scoring.detection.blocks import identity_of_key, spread
from etracker_scoring.detection.parameters import DetectionParameters
from etracker_scoring.detection.records import Content, Evidence, Identity
from etracker_scoring.detection.signals import Signals, follow, pack_signals
from etracker_scoring.metrics import AnomalyMetrics
from etracker_scoring.worker.accused import Accused
from etracker_scoring.worker.batch import Batch, SettledFact
from etracker_scoring.worker.faults import Faults
from etracker_scoring.worker.freezing import Freezer
from etracker_scoring.worker.observations import observe, says_something
from etracker_scoring.worker.reader import Reader
from etracker_scoring.worker.readers.anomalies.addresses import (
    Place,
    first_announces,
    load_inheritances,
    places_of_suspects,
    store_places,
)
from etracker_scoring.worker.readers.anomalies.signals import Member, load_signals, store_signals
from etracker_scoring.worker.readers.anomalies.traffic import TrafficSums, store_traffic
from etracker_scoring.worker.records import Torrent
from etracker_scoring.worker.store import Rows
from etracker_scoring.worker.suspicions import load_accused, store_accused
from etracker_shared.agreements.anomalies import BLOCK_SECONDS
from etracker_shared.agreements.facts import NO_ADDRESS


@dataclass(slots=True)
class Findings:
    """What a batch's announces say. ``signals``: those that changed, with the time of the last announce.

    ``packed``: the same, to be stored. ``places``: where suspects announced from, and when.
    """

    traffic: TrafficSums
    signals: dict[Member, tuple[Signals | None, float]] = field(default_factory=dict)
    evidence: list[tuple[Identity, Evidence]] = field(default_factory=list)
    accused: dict[Identity, Accused] = field(default_factory=dict)
    packed: dict[Member, tuple[bytes | None, float]] = field(default_factory=dict)
    places: dict[Place, float] = field(default_factory=dict)
    now: float = 0.0


class AnomaliesReader(Reader[Findings, Findings]):
    """Finds anomalies. An error in that concerns one client and torrent only; see Faults."""

    shares_rows = True

    def __init__(self, parameters: DetectionParameters, freezer: Freezer, metrics: AnomalyMetrics) -> None:
        self._parameters = parameters
        self._freezer = freezer
        self._evidence = metrics.evidence
        self._faults = Faults(metrics.faults)

    async def load(self, batch: Batch, rows: Rows) -> Findings:
        """Load what is remembered; then, only if there is evidence, what is known about those accused."""
        facts = [(item, (item.torrent.id, identity_of(item))) for item in batch.facts if says_something(item)]
        remembered = await load_signals({member for _, member in facts}, rows, self._faults)
        findings = self._follow(batch, facts, remembered)
        if self._freezer.enforced:
            findings.places |= places_of_suspects(batch.facts)
        if heirs := first_announces(batch.facts):
            findings.evidence[:0] = await load_inheritances(heirs, self._parameters, rows, self._faults)
        if findings.evidence:
            identities = sorted({identity for identity, _ in findings.evidence})
            await self._freezer.lock(identities, rows)
            earliest = min(one.at for _, one in findings.evidence)
            findings.accused = await load_accused(identities, earliest, rows, self._faults)
        return findings

    def _follow(
        self, batch: Batch, facts: Sequence[tuple[SettledFact, Member]], remembered: dict[Member, Signals | None]
    ) -> Findings:
        findings = Findings(TrafficSums(batch.now_ms // 1000 // BLOCK_SECONDS), now=batch.now_ms / 1000)
        for member, signals in remembered.items():
            if signals is None:
                findings.signals[member] = (None, findings.now)
        contents: dict[int, Content] = {}
        for item, member in facts:
            torrent_id = member[0]
            content = contents.get(torrent_id)
            if content is None:
                content = contents[torrent_id] = content_of(item.torrent)
            before = remembered.get(member)
            try:
                after = self._look_at(item, member, content, before, findings)
            except Exception as error:  # noqa: BLE001 - see Faults
                self._faults.note("announce", error, torrent=torrent_id)
                after = None
            if after is not before:
                findings.signals[member] = (after, item.fact.at_ms / 1000)
                remembered[member] = after
        return findings

    def _look_at(
        self, item: SettledFact, member: Member, content: Content, before: Signals | None, findings: Findings
    ) -> Signals | None:
        torrent_id, identity = member
        observation = observe(item)
        if traffic := spread(observation, content, self._parameters):
            findings.traffic.add(torrent_id, identity, traffic)
        after, found = follow(before, observation, content, torrent_id, self._parameters)
        if found:
            findings.evidence += [(identity, one) for one in found]
            if item.fact.address_hash != NO_ADDRESS:
                findings.places[identity, item.fact.address_hash] = item.fact.at_ms / 1000
        return after

    def read(self, batch: Batch, known: Findings) -> Findings:  # noqa: ARG002 - see Reader
        """Conclude from the evidence, and pack what is to be remembered."""
        for identity, found in known.evidence:
            if accused := known.accused.get(identity):
                try:
                    accused.accuse(found, self._parameters)
                except Exception as error:  # noqa: BLE001 - see Faults
                    self._faults.note("conclusion", error, torrent=found.info_hash_id)
                    known.signals[found.info_hash_id, identity] = (None, known.now)
        for member, (signals, seen) in known.signals.items():
            known.packed[member] = (self._packed(member, signals), seen)
        return known

    def _packed(self, member: Member, signals: Signals | None) -> bytes | None:
        try:
            return pack_signals(signals) if signals else None
        except Exception as error:  # noqa: BLE001 - see Faults
            self._faults.note("signals", error, torrent=member[0])
            return None

    async def store(self, changes: Findings, rows: Rows) -> None:
        """Write everything, and let suspects' standings follow."""
        await store_signals(changes.packed, rows)
        await store_traffic(changes.traffic, rows)
        await store_accused(list(changes.accused.values()), rows)
        await store_places(changes.places, rows)
        targets = {one.key_id: one.target for one in changes.accused.values() if one.key_id is not None}
        await self._freezer.apply(targets, changes.now, rows)

    def committed(self, changes: Findings) -> None:
        """Count the evidence."""
        for kind, number in Counter(str(found.kind) for _, found in changes.evidence).items():
            self._evidence.labels(kind).inc(number)


def identity_of(item: SettledFact) -> Identity:
    """Return the key or guest of a fact, as the detector names it."""
    return identity_of_key(item.key.id) if item.key else bytes(item.fact.key_hash)


def content_of(torrent: Torrent) -> Content:
    """Return what the detector is told about a torrent."""
    return Content(torrent.length, torrent.piece_length, bool(torrent.private))
