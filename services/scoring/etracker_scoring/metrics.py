"""The metrics of the scoring service. Every app has its own registry, so that tests can run several in a process."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from etracker_shared.agreements.anomalies import Kind

OUTAGE_CAUSES = ("postgres", "redis", "conflict")


class ApiMetrics:
    """Metrics of the API."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "etracker_scoring_requests", "Requests for standings, by status", ["status"], registry=registry
        )
        self.keys = Histogram(
            "etracker_scoring_request_keys", "Keys per request", buckets=(1, 2, 5, 10, 50, 100, 500), registry=registry
        )
        self.seconds = Histogram(
            "etracker_scoring_request_seconds",
            "Seconds a request takes, Postgres included",
            buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1),
            registry=registry,
        )


class AnomalyMetrics:
    """Metrics of the worker's detector."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.evidence = Counter(
            "etracker_scoring_anomaly_evidence", "Pieces of evidence of anomalies, by kind", ["kind"], registry=registry
        )
        for kind in Kind:
            self.evidence.labels(kind.value)  # so that the first one is an increase
        self.faults = Counter(
            "etracker_scoring_detector_faults",
            "Errors of the detector, after which it went on without a client or torrent, by where they happened",
            ["where"],
            registry=registry,
        )
        self.states = Gauge(
            "etracker_scoring_anomalies", "Keys and guests with anomalies, by state", ["state"], registry=registry
        )
        self.judged_blocks = Counter(
            "etracker_scoring_judged_blocks",
            "Blocks of torrents whose uploads and downloads were compared",
            registry=registry,
        )
        self.judging_seconds = Counter(
            "etracker_scoring_judging_seconds", "Seconds spent on comparing uploads and downloads", registry=registry
        )


class WorkerMetrics:
    """Metrics of the worker."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.shards_held = Gauge(
            "etracker_scoring_shards_held", "Shards of the fact stream that this worker settles", registry=registry
        )
        self.shards_refused = Gauge(
            "etracker_scoring_shards_refused",
            "Shards that this worker leaves to a newer one, because it can't read their facts",
            registry=registry,
        )
        self.lag_entries = Gauge(
            "etracker_scoring_stream_lag_entries",
            "Stream entries of this worker's shards that aren't settled yet",
            registry=registry,
        )
        self.lag_seconds = Gauge(
            "etracker_scoring_stream_lag_seconds", "Age of the oldest entry that isn't settled yet", registry=registry
        )
        self.facts = Counter(
            "etracker_scoring_facts",
            "Facts by outcome; poison counts entries",
            ["outcome"],
            registry=registry,
        )
        self.tier_changes = Counter(
            "etracker_scoring_tier_changes",
            "Changes of tier, by the new tier, first tiers included",
            ["tier"],
            registry=registry,
        )
        self.rows_written = Counter(
            "etracker_scoring_rows_written", "Rows written, by table", ["table"], registry=registry
        )
        self.batch_seconds = Histogram(
            "etracker_scoring_batch_seconds",
            "Seconds from a batch's first lookup to its commit",
            buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
            registry=registry,
        )
        self.batch_facts = Histogram(
            "etracker_scoring_batch_facts",
            "Facts per batch",
            buckets=(1, 10, 100, 500, 1000, 2500, 5000, 10000),
            registry=registry,
        )
        self.outages = _outages(registry)
        self.conflicts = Counter(
            "etracker_scoring_batch_conflicts", "Batches loaded again because something had changed", registry=registry
        )
        self.counts_synced = Counter(
            "etracker_scoring_counts_synced", "Swarms whose counts were compared with Postgres", registry=registry
        )
        self.anomalies = AnomalyMetrics(registry)
        self.most_torrents_of_a_prefix = Gauge(
            "etracker_scoring_most_torrents_of_a_prefix",
            "Torrents of which the address prefix that took most asked for lists in this hour",
            registry=registry,
        )


def _outages(registry: CollectorRegistry) -> Counter:
    counter = Counter(
        "etracker_scoring_outages",
        "Interruptions of the worker's work, by cause (postgres, redis, conflict)",
        ["cause"],
        registry=registry,
    )
    for cause in OUTAGE_CAUSES:
        counter.labels(cause)  # so that the first one is an increase
    return counter
