"""aquatic_http, which keeps its peers in memory."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.trackers.others import OtherTracker
from bench.trackers.processes import free_port, running
from bench.world import World

CONFIGURATION = """\
socket_workers = 1
swarm_workers = 1
log_level = "error"

[network]
address = "127.0.0.1:{port}"
keep_alive = true
runs_behind_reverse_proxy = true
reverse_proxy_ip_header_name = "X-Forwarded-For"

[protocol]
max_peers = 50
peer_announce_interval = 1800
"""
"""Version 0.9. What isn't here has its default; unknown settings are an error."""


@contextmanager
def aquatic(work: Path, _world: World, programs: Mapping[str, Path]) -> Iterator[OtherTracker]:
    """Run aquatic_http, which needs a kernel with io_uring. It accepts any infohash."""
    port = free_port()
    configuration = work / "aquatic.toml"
    configuration.write_text(CONFIGURATION.format(port=port))
    with running([programs["aquatic_http"], "-c", configuration], port, work / "aquatic.log") as process:
        yield OtherTracker("aquatic_http", port, {"tracker": process.pid})
