"""A real Chromium in front of the whole tracker."""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.frontend.pages import HOSTILE_NAMES
from tests.support.browser import ARGUMENTS, CHROMIUM, PATIENCE_MS, Look, Visit, Windows, remember_keys
from tests.support.postgres import TEMPLATE, PostgresServer, connect, running_postgres
from tests.support.stack import StackRun, running_stack
from tests.support.torrents import make_content, make_torrent

# Tests wait for seconds instead of a minute.
_SETTINGS = {
    "ETRACKER_KEY_LIMIT": "1000/hour",
    "ETRACKER_FAILURE_LIMIT": "1000/hour",
    "ETRACKER_SAMPLE_SECONDS": "1",
    "ETRACKER_COUNTS_SYNC_SECONDS": "1",
    "ETRACKER_DETECTION": "enforce",
}

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The tracker's Postgres. A test that stops it starts it again."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def stack(postgres: PostgresServer) -> Iterator[StackRun]:
    """The whole tracker, with hostile torrent names."""
    where = postgres.settings(TEMPLATE)
    server = {"PGHOST": where.pghost, "PGPORT": str(where.pgport), "PGDATABASE": TEMPLATE, "PGUSER": where.pguser}
    with running_stack({**_SETTINGS, **server}) as stack:
        asyncio.run(_insert_hostile_names(stack))
        yield stack


async def _insert_hostile_names(stack: StackRun) -> None:
    settings = stack.postgres_settings()
    connection = await connect(settings)
    try:
        await connection.executemany(
            "INSERT INTO infohashes (info_hash, name) VALUES ($1, $2)",
            [(secrets.token_bytes(20), name) for name in HOSTILE_NAMES],
        )
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def api(stack: StackRun) -> Iterator[httpx.Client]:
    """A client of the API with the operator's key."""
    headers = {"Authorization": f"Bearer {stack.api_key}"}
    with httpx.Client(base_url=stack.base_url, headers=headers, trust_env=False) as client:
        yield client


@pytest.fixture
def torrent_file(tmp_path: Path) -> Callable[[str], Path]:
    """Make a small file and, next to it, a torrent of it."""

    def make(name: str) -> Path:
        content = make_content(tmp_path / name, 300_000)
        path = tmp_path / f"{name}.torrent"
        path.write_bytes(make_torrent(content))
        return path

    return make


@pytest.fixture(scope="session")
def browser(stack: StackRun) -> Iterator[Browser]:
    """Debian's Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def windows(browser: Browser, stack: StackRun) -> Iterator[Windows]:
    """Open windows with an announce key and the API key."""
    with contextlib.ExitStack() as opened:

        def open_window(look: Look, announce_key: str) -> BrowserContext:
            scheme, width = look
            context = browser.new_context(
                base_url=stack.base_url, color_scheme=scheme, viewport={"width": width, "height": 800}
            )
            opened.callback(context.close)
            remember_keys(context, announce_key, stack.api_key)
            return context

        yield open_window


@pytest.fixture
def visit(browser: Browser, stack: StackRun) -> Iterator[Visit]:
    """A new window, without errors, requests to other hosts or policy violations."""
    context = browser.new_context(base_url=stack.base_url, viewport={"width": 1440, "height": 900})
    visit = Visit(context, stack.base_url)
    yield visit
    context.close()
    assert visit.problems == []


@pytest.fixture
def page(visit: Visit) -> Page:
    return visit.page


@pytest.fixture
def operator_page(page: Page, stack: StackRun) -> Page:
    """A window with an operator signed in."""
    page.goto("/operator")
    page.get_by_label("API key", exact=True).fill(stack.api_key)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Upload torrents")).to_be_visible()
    return page
