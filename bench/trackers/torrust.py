"""torrust-tracker in private mode: each user has a key, which it checks; its SQLite database holds only the keys."""

import json
import secrets
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.trackers.others import OtherTracker, long_key
from bench.trackers.processes import free_port, running, wait_for_port
from bench.world import World, announce_key

KEY_SECONDS = 1_000_000
CONFIGURATION = """\
[metadata]
app = "torrust-tracker"
purpose = "configuration"
schema_version = "2.0.0"

[logging]
threshold = "error"

[core]
listed = false
private = true
tracker_usage_statistics = false

[core.announce_policy]
interval = 1800
interval_min = 900

[core.tracker_policy]
max_peer_timeout = 3900
persistent_torrent_completed_stat = false

[core.net]
on_reverse_proxy = true

[core.database]
driver = "sqlite3"
path = "{database}"

[[http_trackers]]
bind_address = "127.0.0.1:{port}"

[http_api]
bind_address = "127.0.0.1:{api}"

[http_api.access_tokens]
admin = "{token}"

[health_check_api]
bind_address = "127.0.0.1:{health}"
"""


@contextmanager
def torrust(work: Path, world: World, programs: Mapping[str, Path]) -> Iterator[OtherTracker]:
    """Run torrust-tracker, and create the users' keys through its API. It accepts any infohash."""
    root, port, api = work / "torrust", free_port(), free_port()
    root.mkdir()
    token = secrets.token_hex(16)
    configuration = root / "tracker.toml"
    configuration.write_text(
        CONFIGURATION.format(port=port, api=api, health=free_port(), token=token, database=root / "sqlite3.db")
    )
    log, named = work / "torrust.log", {"TORRUST_TRACKER_CONFIG_TOML_PATH": str(configuration)}
    with running([programs["torrust-tracker"]], port, log, cwd=root, env=named) as process:
        wait_for_port(process, api, log)
        for index in range(world.shape.keys):
            _add_key(api, token, long_key(announce_key(world.shape, index)))
        yield OtherTracker("torrust-tracker", port, {"tracker": process.pid}, _path)


def _path(announce_key: str) -> str:
    return f"/announce/{long_key(announce_key)}"


def _add_key(api: int, token: str, key: str) -> None:
    """Add a key. Version 3 takes the token from the URL, later ones also from the header."""
    body = json.dumps({"key": key, "seconds_valid": KEY_SECONDS}).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    url = f"http://127.0.0.1:{api}/api/v1/keys?token={token}"
    urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=10).close()
