"""The metrics of the announce service. Labels are bounded by our own enumerations.

The children of labelled metrics are looked up in advance: ``labels()`` costs more than counting.
"""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from etracker_announce.domain.answers import MessageKind
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
        self.answers = _answers(registry)
        self.seconds = _seconds(registry)
        self.tiers = _lookups(registry, "tier", "Treatments of keys looked up, by where they came from.", TIER_SOURCES)
        self.allowlist = _lookups(
            registry, "allowlist", "Infohashes looked up, by where they came from.", ALLOWLIST_SOURCES
        )
        self.swarm_batches, self.tier_batches, self.allowlist_batches = _batches(registry)
        self.pauses = _pauses(registry)
        self.bans = _bans(registry)
        self.suspects = Gauge(
            "etracker_announce_suspects", "Suspected and confirmed keys and guests in memory.", registry=registry
        )
        self.quarantined = Counter(
            "etracker_announce_quarantined",
            "Peers that lists are not chosen from because they are confirmed as broken or cheating.",
            registry=registry,
        )
        self.handed_suspects = Counter(
            "etracker_announce_handed_suspects", "Suspects that clients got in their lists.", registry=registry
        )
        self.warnings = _warnings(registry)
        self.facts_dropped = Counter(
            "etracker_announce_facts_dropped",
            "Regular facts not put into the stream because it was past its bound.",
            registry=registry,
        )
        self.suppressed = Counter(
            "etracker_announce_suppressed",
            "Announces that came too early and were answered from memory.",
            registry=registry,
        )
        self.guests_not_stored = Counter(
            "etracker_announce_guests_not_stored",
            "Announces of guests that were answered but not stored, because too many came from their address.",
            registry=registry,
        )
        self.stream_bytes = Gauge(
            "etracker_announce_stream_bytes", "Memory the fact stream takes in Redis.", registry=registry
        )
        self.stream_bound = Gauge(
            "etracker_announce_stream_bound_bytes",
            "Memory beyond which the fact stream gets no more regular facts.",
            registry=registry,
        )
        self.peers_share_one_address = Gauge(
            "etracker_announce_peers_share_one_address",
            "1 while nearly all peers of an hour have one and the same private address: a proxy hides theirs.",
            registry=registry,
        )
        self.redis_refuses_writes = Gauge(
            "etracker_announce_redis_refuses_writes",
            "1 while Redis refuses writes: it is out of memory or can't write to its disk.",
            registry=registry,
        )


def _answers(registry: CollectorRegistry) -> dict[tuple[Kind, str], Counter]:
    family = Counter(
        "etracker_announce_answers",
        "Announces and scrapes by their answer: ok or the reason of a failure.",
        ["kind", "answer"],
        registry=registry,
    )
    outcomes = (ANSWERED, *(reason.value for reason in Reason))
    return {(kind, outcome): family.labels(kind.value, outcome) for kind in Kind for outcome in outcomes}


def _pauses(registry: CollectorRegistry) -> dict[bool, Counter]:
    family = Counter(
        "etracker_announce_pauses",
        "Pauses in which announces gathered, by whether others joined (paid, in_vain).",
        ["outcome"],
        registry=registry,
    )
    return {paid: family.labels("paid" if paid else "in_vain") for paid in (True, False)}


def _bans(registry: CollectorRegistry) -> dict[BanKind, Gauge]:
    family = Gauge(
        "etracker_announce_bans", "Bans that this process knows, by what is banned.", ["kind"], registry=registry
    )
    return {kind: family.labels(kind.value) for kind in BanKind}


def _warnings(registry: CollectorRegistry) -> dict[MessageKind, Counter]:
    family = Counter(
        "etracker_announce_warnings",
        "Warnings to offenders, by verdict, and to those that were given a waster of bandwidth (block_peer).",
        ["message"],
        registry=registry,
    )
    return {kind: family.labels(kind.value) for kind in MessageKind}


def _seconds(registry: CollectorRegistry) -> dict[Kind, Histogram]:
    family = Histogram(
        "etracker_announce_seconds",
        "Time from a request's last byte to its answer, without the pause before it.",
        ["kind"],
        buckets=_LATENCY_BUCKETS,
        registry=registry,
    )
    return {kind: family.labels(kind.value) for kind in Kind}


def _lookups(registry: CollectorRegistry, what: str, text: str, sources: Sequence[str]) -> dict[str, Counter]:
    family = Counter(f"etracker_announce_{what}_lookups", text, ["source"], registry=registry)
    return {source: family.labels(source) for source in sources}


def _batches(registry: CollectorRegistry) -> tuple[Histogram, Histogram, Histogram]:
    family = Histogram(
        "etracker_announce_batch_size",
        "Announces, keys or infohashes that shared one round trip to Redis, scoring or Postgres.",
        ["batch"],
        buckets=_BATCH_BUCKETS,
        registry=registry,
    )
    return family.labels("swarms"), family.labels("tiers"), family.labels("allowlist")
