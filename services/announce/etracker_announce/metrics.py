"""The metrics of the announce service. Labels are bounded by our own enumerations.

Children are looked up in advance: ``labels()`` costs more than counting.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from etracker_announce.domain.bans import BanKind
from etracker_announce.domain.errors import Reason
from etracker_announce.domain.requests import Kind

ANSWERED = "ok"
TIER_SOURCES = ("cache", "scoring", "stale", "provisional")
ALLOWLIST_SOURCES = ("cache", "postgres", "stale", "unavailable")

_LATENCY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000)


class Metrics:
    """Counters and histograms of one process, and their children."""

    def __init__(self, registry: CollectorRegistry) -> None:
        answers = Counter(
            "etracker_announce_answers",
            "Announces and scrapes by their answer: ok or the reason of a failure.",
            ["kind", "answer"],
            registry=registry,
        )
        outcomes = (ANSWERED, *(reason.value for reason in Reason))
        self.answers = {(kind, name): answers.labels(kind.value, name) for kind in Kind for name in outcomes}
        seconds = Histogram(
            "etracker_announce_seconds",
            "Time from a request's last byte to its answer.",
            ["kind"],
            buckets=_LATENCY_BUCKETS,
            registry=registry,
        )
        self.seconds = {kind: seconds.labels(kind.value) for kind in Kind}
        tiers = Counter(
            "etracker_announce_tier_lookups",
            "Treatments of keys looked up, by where they came from.",
            ["source"],
            registry=registry,
        )
        self.tiers = {source: tiers.labels(source) for source in TIER_SOURCES}
        allowlist = Counter(
            "etracker_announce_allowlist_lookups",
            "Infohashes looked up, by where they came from.",
            ["source"],
            registry=registry,
        )
        self.allowlist = {source: allowlist.labels(source) for source in ALLOWLIST_SOURCES}
        bans = Gauge(
            "etracker_announce_bans", "Bans that this process knows, by what is banned.", ["kind"], registry=registry
        )
        self.bans = {kind: bans.labels(kind.value) for kind in BanKind}
        batches = Histogram(
            "etracker_announce_batch_size",
            "Announces, keys or infohashes that shared one round trip to Redis, scoring or Postgres.",
            ["batch"],
            buckets=_BATCH_BUCKETS,
            registry=registry,
        )
        self.swarm_batches = batches.labels("swarms")
        self.tier_batches = batches.labels("tiers")
        self.allowlist_batches = batches.labels("allowlist")
        self.facts_dropped = Counter(
            "etracker_announce_facts_dropped",
            "Regular facts not put into the stream because it was past its bound.",
            registry=registry,
        )
        self.stream_bytes = Gauge(
            "etracker_announce_stream_bytes", "Memory the fact stream takes in Redis.", registry=registry
        )
        self.redis_refuses_writes = Gauge(
            "etracker_announce_redis_refuses_writes",
            "1 while Redis refuses writes: it is out of memory or can't write to its disk.",
            registry=registry,
        )
