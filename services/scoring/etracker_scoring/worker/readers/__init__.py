"""What is counted in a batch: one module per subject. To add one, write a reader and name it here (CONTRIBUTING.md)."""

from collections.abc import Callable, Sequence
from typing import Any

from etracker_scoring.metrics import WorkerMetrics
from etracker_scoring.scores.formula import ScoreParameters
from etracker_scoring.settings import WorkerSettings
from etracker_scoring.worker.freezing import Freezer
from etracker_scoring.worker.reader import Reader
from etracker_scoring.worker.readers.anomalies import AnomaliesReader
from etracker_scoring.worker.readers.guest_snatches import GuestSnatchesReader
from etracker_scoring.worker.readers.raw_facts import RawFactsReader
from etracker_scoring.worker.readers.scores import ScoresReader
from etracker_scoring.worker.readers.sessions import SessionsReader
from etracker_scoring.worker.readers.snatches import SnatchesReader
from etracker_scoring.worker.readers.takings import TakingsReader
from etracker_scoring.worker.readers.torrents import TorrentsReader
from etracker_scoring.worker.swarms import RedisSwarms
from etracker_shared.agreements.anomalies import DetectionMode


def make_readers(
    settings: WorkerSettings,
    parameters: Callable[[], ScoreParameters],
    swarms: RedisSwarms,
    metrics: WorkerMetrics,
) -> Sequence[Reader[Any, Any]]:
    """Return the readers in the order in which they write: keys first, since other rows refer to them."""
    readers: list[Reader[Any, Any]] = [
        ScoresReader(parameters, metrics.tier_changes, settings.new_prefix_days),
        SnatchesReader(),
        SessionsReader(),
        GuestSnatchesReader(),
        TorrentsReader(swarms),
        TakingsReader(swarms.takings, metrics.most_torrents_of_a_prefix),
    ]
    if settings.detection is not DetectionMode.OFF:
        freezer = Freezer(parameters, enforced=settings.detection is DetectionMode.ENFORCE)
        readers.append(AnomaliesReader(settings.anomaly, freezer, metrics.anomalies))
    if settings.fact_retention_days:
        readers.append(RawFactsReader())
    return sorted(readers, key=lambda reader: reader.shares_rows)
