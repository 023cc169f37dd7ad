"""A real Chromium, and what tests do with its pages."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import httpx
from playwright.sync_api import BrowserContext, Page, expect

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-quic", "--no-first-run"),
    *("--disable-component-update", "--disable-sync"),
)
PATIENCE_MS = 30_000

Look = tuple[Literal["light", "dark"], int]
"""Colour scheme and width of a window."""

LOOKS: list[Look] = [("light", 360), ("light", 1440), ("dark", 360), ("dark", 1440)]

MAIN_LOOKS = [LOOKS[0], LOOKS[3]]
"""Each colour scheme and each width once."""

Windows = Callable[[Look, str], BrowserContext]
"""Open a window of a look, with an announce key and the API key."""

KEY = re.compile(r"/([0-9a-f]{30})/announce")


class Visit:
    """A browser window and the problems found in it."""

    def __init__(self, context: BrowserContext, base_url: str) -> None:
        self.context = context
        self.problems: list[str] = []
        context.add_init_script(
            "document.addEventListener('securitypolicyviolation', (event) =>"
            " console.error(`Policy: ${event.violatedDirective} ${event.blockedURI}`))"
        )
        context.on("request", lambda request: self._check_address(request.url, base_url))
        context.on("console", lambda message: self._note(message.type, message.text))
        context.on("weberror", lambda error: self.problems.append(str(error.error)))
        self.page = context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)

    def _check_address(self, url: str, base_url: str) -> None:
        if not url.startswith((base_url, "blob:")):
            self.problems.append(f"a request to {url}")

    def _note(self, kind: str, text: str) -> None:
        refused_request = text.startswith("Failed to load resource")  # shown on the page, where tests check it
        if kind in {"error", "warning"} and not refused_request:
            self.problems.append(text)


def remember_keys(context: BrowserContext, announce_key: str, api_key: str) -> None:
    """Make every page of a window start with both keys stored."""
    for storage, name, key in (
        ("localStorage", "announce", announce_key),
        ("sessionStorage", "etracker.api-key", api_key),
    ):
        context.add_init_script(f"if (location.protocol === 'http:') {storage}.setItem('{name}', '{key}')")


def upload(api: httpx.Client, path: Path) -> str:
    """Upload a torrent and return its infohash."""
    answer = api.post("/api/v1/torrents", files={"file": (path.name, path.read_bytes())}).raise_for_status()
    return str(answer.json()["torrent"]["info_hash"])


def get_key(page: Page) -> str:
    """Get an announce URL on the home page and return its key."""
    page.goto("/")
    page.get_by_role("button", name="Get an announce URL").click()
    return shown_key(page)


def shown_key(page: Page) -> str:
    url = page.get_by_role("group", name="Your announce URL").get_by_role("code")
    expect(url).to_contain_text("/announce")
    found = KEY.search(url.inner_text())
    assert found
    return found[1]
