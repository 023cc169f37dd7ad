"""The detector over facts that are settled in memory, as the worker settles them."""

from collections.abc import Iterable

from etracker_scoring.detection.parameters import DetectionParameters
from etracker_scoring.detection.records import Content, Evidence, Suspicion
from etracker_scoring.detection.signals import Signals, follow, pack_signals, unpack_signals
from etracker_scoring.detection.states import conclude
from etracker_scoring.scores.keys import Key
from etracker_scoring.worker.admission import admit
from etracker_scoring.worker.batch import Stored, settle_facts
from etracker_scoring.worker.observations import observe
from etracker_scoring.worker.records import Torrent
from etracker_shared.agreements.facts import Fact
from etracker_shared.language.identity import hash_announce_key
from tests.support.facts import info_hash_of

MIB = 2**20
SIZE = 4 * 2**30
PIECE = 4 * MIB
HALF_HOUR = 1800
TORRENTS = ("film", "music", "text")
PARAMETERS = DetectionParameters()


class Watch:
    """What the detector remembers, found and concludes about the key ``alice``."""

    def __init__(self, size: int | None = SIZE, piece_length: int | None = PIECE) -> None:
        self.content = Content(size, piece_length)
        self.signals: dict[int, Signals | None] = {}
        self.evidence: list[Evidence] = []
        self.suspicion = Suspicion()
        self.highest = 0.0

    def see(self, facts: Iterable[Fact]) -> Suspicion:
        key_hash = hash_announce_key("alice")
        torrents = {info_hash_of(name): Torrent(at, self.content.size) for at, name in enumerate(TORRENTS, 1)}
        admitted, _ = admit(sorted(facts, key=lambda fact: fact.at_ms), {key_hash: Key(1, key_hash)}, torrents)
        for item in settle_facts(admitted, Stored()).facts:
            torrent = item.torrent.id
            after, found = follow(self.signals.get(torrent), observe(item), self.content, torrent, PARAMETERS)
            self.signals[torrent] = unpack_signals(pack_signals(after)) if after else None
            if found:
                self.evidence += found
                self.suspicion = conclude(self.suspicion, found, item.fact.at_ms // 1000, PARAMETERS)
                self.highest = max(self.highest, self.suspicion.score)
        return self.suspicion

    def kinds(self) -> set[str]:
        return {found.kind.value for found in self.evidence}
