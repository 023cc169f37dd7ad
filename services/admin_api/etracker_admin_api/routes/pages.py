"""The two pages a browser sees until there is a frontend of its own. They load nothing from elsewhere."""

import base64
import hashlib
import re
from pathlib import Path
from typing import Protocol

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from etracker_admin_api.ports import Catalogue, DatabaseUnavailableError
from etracker_admin_api.routes.callers import Callers
from etracker_admin_api.use_cases.statistics import CountStatistics

PAGE_ROWS = 100
_TEMPLATES = Path(__file__).parent.parent / "templates"
_BYTES_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def pages_router(catalogue: Catalogue, count: CountStatistics, callers: Callers) -> APIRouter:
    """Build ``/`` and ``/infohashes``."""
    router = APIRouter(include_in_schema=False)
    render = _renderer()

    @router.get("/")
    async def front(request: Request) -> HTMLResponse:
        """Say what this is, show the statistics, and hand out announce URLs."""
        origin = callers.origin(request)
        try:
            return render("front.html", origin=origin, statistics=await count())
        except DatabaseUnavailableError:
            return render("front.html", 503, origin=origin, statistics=None)

    @router.get("/infohashes")
    async def infohashes(after: str = "0") -> HTMLResponse:
        """Show the tracked torrents, page by page."""
        start = int(after) if re.fullmatch(r"[0-9]{1,18}", after) else 0
        try:
            torrents = await catalogue.page(start, PAGE_ROWS + 1)
        except DatabaseUnavailableError:
            return render("infohashes.html", 503, torrents=None, following=None, start=start)
        following = torrents[PAGE_ROWS - 1].id if len(torrents) > PAGE_ROWS else None
        return render("infohashes.html", torrents=torrents[:PAGE_ROWS], following=following, start=start)

    return router


class _Renderer(Protocol):
    def __call__(self, template: str, status: int = 200, **values: object) -> HTMLResponse: ...


def _renderer() -> _Renderer:
    style, script = ((_TEMPLATES / name).read_text() for name in ("style.css", "page.js"))
    headers = _security_headers(style, script)
    templates = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    templates.filters["bytes"] = readable_bytes
    templates.globals.update(style=Markup(style), script=Markup(script))  # noqa: S704 - our own files

    def render(template: str, status: int = 200, **values: object) -> HTMLResponse:
        return HTMLResponse(templates.get_template(template).render(**values), status, headers)

    return render


def _security_headers(style: str, script: str) -> dict[str, str]:
    """Allow our own inline style and script, by their hashes, requests to our own origin, and nothing else."""
    policy = {
        "default-src": "'none'",
        "style-src": _source(style),
        "script-src": _source(script),
        "img-src": "data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }


def _source(inline: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()}'"


def readable_bytes(length: int) -> str:
    """Write a size with three digits and a binary unit."""
    size, unit = float(length), 0
    while size >= 1000 and unit < len(_BYTES_UNITS) - 1:
        size /= 1024
        unit += 1
    return f"{size:.3g} {_BYTES_UNITS[unit]}"
