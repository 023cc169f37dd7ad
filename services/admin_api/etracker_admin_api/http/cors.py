"""Cross-origin requests: allowed from the tracker's own public name only."""

from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

_LOCAL = frozenset({"", "localhost"})
_DEFAULT_PORTS = {"http": 80, "https": 443}
_PREFLIGHT_CACHE_SECONDS = 600


def frontend_origins(frontend_hostname: str) -> list[str]:
    """Return the frontend's origins in the form that browsers send; for both schemes if the setting has none."""
    if frontend_hostname in _LOCAL:
        return []
    urls = (
        [frontend_hostname]
        if "://" in frontend_hostname
        else [f"{scheme}://{frontend_hostname}" for scheme in _DEFAULT_PORTS]
    )
    return [_origin(url) for url in urls]


def allow_frontend(app: FastAPI, frontend_hostname: str) -> None:
    """Let the frontend's pages read responses when another host serves them; cookies are never allowed."""
    app.add_middleware(
        CORSMiddleware,
        allow_origins=frontend_origins(frontend_hostname),
        allow_methods=["GET", "POST", "PATCH", "DELETE"],
        allow_headers=["Authorization", "X-Announce-Key", "Content-Type", "If-None-Match"],
        expose_headers=["ETag", "Retry-After", "X-Request-Id"],
        max_age=_PREFLIGHT_CACHE_SECONDS,
    )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port and parts.port != _DEFAULT_PORTS[parts.scheme] else ""
    host = parts.netloc.rpartition(":")[0] if parts.port else parts.netloc
    return f"{parts.scheme}://{host}{port}".lower()
