"""The census as metrics."""

from collections.abc import Iterable, Iterator

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from etracker_scoring.worker.census import Census


class CensusMetrics(Collector):
    """Shows the latest census. There is none while another worker takes it, or while Postgres or Redis is down."""

    def __init__(self) -> None:
        self.latest: Census | None = None

    def collect(self) -> Iterable[Metric]:
        """Return the latest numbers."""
        yield self._peers()
        for name, text, number in _numbers(self.latest):
            family = CounterMetricFamily(name, text) if name.endswith("_total") else GaugeMetricFamily(name, text)
            if number is not None:
                family.add_metric([], number)
            yield family

    def _peers(self) -> GaugeMetricFamily:
        family = GaugeMetricFamily(
            "etracker_peers",
            "Peers in all swarms, by role and address family; the families of many swarms are estimated from a sample.",
            labels=["role", "family"],
        )
        for labels, number in self.latest.swarms.peers.items() if self.latest else ():
            family.add_metric(labels, number)
        return family


def _numbers(census: Census | None) -> Iterator[tuple[str, str, float | None]]:
    swarms, stored, redis = census or (None, None, None)
    yield "etracker_swarms", "Torrents that have peers.", swarms and swarms.swarms
    yield "etracker_sweeper_due_swarms", "Swarms that the sweeper should have visited.", swarms and swarms.due_swarms
    yield "etracker_sweeper_delay_seconds", "By how long the longest due one is late.", swarms and swarms.delay_seconds
    yield "etracker_torrents", "Tracked torrents.", stored and stored.torrents
    yield "etracker_keys", "Announce keys; above 10,000 Postgres' estimate.", stored and stored.keys
    yield "etracker_postgres_database_bytes", "Size of the database.", stored and stored.database_bytes
    yield "etracker_postgres_connections", "Connections to Postgres, of every client.", stored and stored.connections
    yield "etracker_postgres_max_connections", "Connections that Postgres allows.", stored and stored.max_connections
    yield "etracker_redis_memory_bytes", "Memory that Redis uses.", redis and redis.memory_bytes
    yield "etracker_redis_max_memory_bytes", "Memory that Redis may use; 0: any.", redis and redis.max_memory_bytes
    yield "etracker_redis_clients", "Connections to Redis, of every client.", redis and redis.clients
    yield "etracker_redis_cpu_seconds_total", "CPU time of Redis since its start.", redis and redis.cpu_seconds
