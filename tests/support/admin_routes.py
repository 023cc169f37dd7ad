"""Who may call which route of the admin API."""

import re

from fastapi import FastAPI

from etracker_admin_api.app import create_app
from etracker_admin_api.http.route_table import walk
from etracker_admin_api.settings import AdminSettings

PUBLIC = {
    ("GET", "/api/stats"),
    ("GET", "/api/generate"),
    ("GET", "/api/infohashes"),
    ("GET", "/api/torrentfile"),
    ("GET", "/api/v1/announce_origin"),
    ("GET", "/api/v1/stats"),
    ("GET", "/api/v1/stats/history"),
    ("GET", "/api/v1/infohashes"),
    ("GET", "/api/v1/infohashes/{info_hash}"),
    ("GET", "/api/v1/infohashes/{info_hash}/history"),
    ("POST", "/api/v1/keys"),
    ("POST", "/api/v1/key/recover"),  # whoever has the recovery code
    *(("GET", f"/api/blocklist/{{token}}{form}") for form in ("", ".txt", ".p2p", ".dat")),  # whoever has the token
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/settings"),  # not through the gateway, and to private networks only
}
KEY_HOLDERS = {
    ("GET", "/api/v1/infohashes/{info_hash}/torrent"),
    ("POST", "/api/v1/key/rotate"),
    ("GET", "/api/v1/key/rotation"),
    ("POST", "/api/v1/key/rotation/undo"),
    ("GET", "/api/v1/key/recovery"),
    ("POST", "/api/v1/key/recovery/request"),
    ("DELETE", "/api/v1/key/recovery/request"),
    ("POST", "/api/v1/key/recovery/code"),
    ("GET", "/api/v1/key/addresses"),
    ("POST", "/api/v1/key/disown"),
    ("GET", "/api/v1/standing"),
    ("GET", "/api/v1/key/anomaly"),
    ("POST", "/api/v1/key/anomaly/appeals"),
}
INFO_HASH = "07" * 20
"""What :func:`fill` puts into paths."""


def every_route(app: FastAPI) -> set[tuple[str, str]]:
    return {(method, route.path_format) for route in walk(app.routes) for method in route.methods or ()}


def fill(path: str) -> str:
    return re.sub(r"\{\w*id\}", "1", path.replace("{info_hash}", INFO_HASH))


OPERATORS = sorted(every_route(create_app(AdminSettings())) - PUBLIC - KEY_HOLDERS)
"""Routes that need an API key."""
