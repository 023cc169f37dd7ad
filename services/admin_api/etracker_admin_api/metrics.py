"""The admin API's metrics for Prometheus. Every label has few values."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from etracker_shared.plumbing.process_metrics import create_registry

UNAVAILABLE_CAUSES = ("postgres", "postgres_full", "redis", "scoring", "uploads", "file_changed")


class Metrics:
    """One registry per application, so that tests can build several in one process."""

    def __init__(self) -> None:
        self.registry = create_registry("etracker-admin-api")
        self.requests = Counter(
            "etracker_admin_requests",
            "Requests answered, by route template, method and status",
            ["route", "method", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "etracker_admin_request_seconds",
            "Time until a request was answered in full, by route template",
            ["route"],
            registry=self.registry,
        )
        self.unavailable = _unavailable(self.registry)
        self.uploads = Counter(
            "etracker_admin_uploads",
            "Torrent files uploaded, by answer (new, known, refused)",
            ["answer"],
            registry=self.registry,
        )
        self.downloads = Counter(
            "etracker_admin_downloads",
            "Torrent files downloaded, by outcome (sent, limited, broken)",
            ["outcome"],
            registry=self.registry,
        )
        self.keys = Counter(
            "etracker_admin_keys",
            "Announce keys requested, by answer (generated, limited)",
            ["answer"],
            registry=self.registry,
        )
        self.pruned = Counter(
            "etracker_admin_keys_pruned", "Abandoned announce keys deleted by this replica", registry=self.registry
        )
        self.decisions = Counter(
            "etracker_admin_anomaly_decisions",
            "Decisions about anomalies, by kind (exempt, clear, confirm, end)",
            ["decision"],
            registry=self.registry,
        )
        self.appeals = Counter(
            "etracker_admin_appeals", "Appeals by outcome (made, answered)", ["outcome"], registry=self.registry
        )
        self.appeals_waiting = Gauge(
            "etracker_admin_appeals_waiting",
            "Appeals that no operator has answered, at most a minute ago",
            registry=self.registry,
        )
        self.block_lists = Counter(
            "etracker_admin_block_lists",
            "Requests for block lists, by form (txt, p2p, dat, json) and outcome (listed, empty, unchanged, limited)",
            ["form", "outcome"],
            registry=self.registry,
        )

    def count_unavailable(self, cause: str) -> None:
        """Count a request that couldn't be answered because of something that doesn't respond."""
        self.unavailable.labels(cause).inc()


def _unavailable(registry: CollectorRegistry) -> Counter:
    counter = Counter(
        "etracker_admin_unavailable", "Requests answered with 503, by cause", ["cause"], registry=registry
    )
    for cause in UNAVAILABLE_CAUSES:
        counter.labels(cause)  # so that the first one is an increase
    return counter
