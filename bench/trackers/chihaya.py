"""chihaya, with its peers in memory."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.trackers.others import OtherTracker
from bench.trackers.processes import free_port, running
from bench.world import World

CONFIGURATION = """\
chihaya:
  announce_interval: "30m"
  min_announce_interval: "15m"
  metrics_addr: "127.0.0.1:{metrics}"
  http:
    addr: "127.0.0.1:{port}"
    read_timeout: "5s"
    write_timeout: "5s"
    enable_keepalive: true
    idle_timeout: "30s"
    announce_routes: ["/announce"]
    scrape_routes: ["/scrape"]
    real_ip_header: "X-Forwarded-For"
    max_numwant: 50
    default_numwant: 50
    max_scrape_infohashes: 50
  storage:
    name: "memory"
    config:
      gc_interval: "3m"
      peer_lifetime: "31m"
      shard_count: 1024
      prometheus_reporting_interval: "1s"
"""
"""The values of its example, with kept connections and the peers' addresses from the header."""


@contextmanager
def chihaya(work: Path, _world: World, programs: Mapping[str, Path]) -> Iterator[OtherTracker]:
    """Run chihaya. It accepts any infohash."""
    port = free_port()
    configuration = work / "chihaya.yaml"
    configuration.write_text(CONFIGURATION.format(port=port, metrics=free_port()))
    with running([programs["chihaya"], "--config", configuration], port, work / "chihaya.log") as process:
        yield OtherTracker("chihaya", port, {"tracker": process.pid}, sorts_keys=False)
