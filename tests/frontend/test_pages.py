"""What holds for every page: accessible, as wide as the window, light and dark."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.frontend.conftest import Visit, remember_keys
from tests.frontend.pages import ANY_TORRENT, OPERATOR_PAGES, PUBLIC_PAGES
from tests.support.stack import StackRun

AXE = Path(__file__).parents[2] / "frontend/node_modules/axe-core/axe.min.js"
TABLES_TOO_WIDE = """[...document.querySelectorAll("main table[role]")]
  .filter((table) => table.scrollWidth > table.parentElement.clientWidth + 1)
  .map((table) => `the table ${table.ariaLabel} is wider than its card`)"""
FIND_VIOLATIONS = """axe.run().then(({ violations }) => JSON.stringify(
  violations.map(({ id, nodes }) => [id, nodes.map(({ target, failureSummary }) => [target, failureSummary])])))"""


@pytest.fixture(scope="module")
def announce_key(api: httpx.Client) -> str:
    return str(api.post("/api/v1/keys").raise_for_status().json()["announce_key"])


@pytest.fixture(scope="module")
def addresses(api: httpx.Client) -> list[str]:
    """Every page, those of a torrent with one that is there."""
    some = api.get("/api/v1/infohashes", params={"limit": 1}).raise_for_status().json()["items"][0]["info_hash"]
    return [address.replace(ANY_TORRENT, some) for address in (*PUBLIC_PAGES, *OPERATOR_PAGES)]


@pytest.fixture(params=[(scheme, width) for scheme in ("light", "dark") for width in (360, 1440)], ids=str)
def context(
    request: pytest.FixtureRequest, browser: Browser, stack: StackRun, announce_key: str
) -> Iterator[BrowserContext]:
    """A window of somebody who has an announce key and an API key."""
    scheme, width = request.param
    context = browser.new_context(
        base_url=stack.base_url, color_scheme=scheme, viewport={"width": width, "height": 800}
    )
    remember_keys(context, announce_key, stack.api_key)
    yield context
    context.close()


@pytest.mark.timeout(240)
def test_every_page_is_accessible_and_fits_the_window(
    context: BrowserContext, stack: StackRun, addresses: list[str]
) -> None:
    visit = Visit(context, stack.base_url)
    found = {address: problems for address in addresses if (problems := _problems(visit.page, address))}
    assert found == {}
    assert visit.problems == []


def test_the_pages_without_any_key_are_accessible_too(page: Page) -> None:
    assert {address: _problems(page, address) for address in ("/", "/standing", "/operator")} == {
        "/": [],
        "/standing": [],
        "/operator": [],
    }


def test_at_4k_a_page_fills_the_window_without_growing_past_it(page: Page) -> None:
    page.set_viewport_size({"width": 3840, "height": 2160})
    assert _problems(page, "/") == []
    assert page.locator("main").evaluate("(node) => node.clientWidth") > 1500


def _problems(page: Page, address: str) -> list[object]:
    page.goto(address)
    page.get_by_role("heading", level=1).wait_for()
    expect(page.locator(".mantine-Skeleton-root")).to_have_count(0)  # all is there, the chart included
    excess = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    too_wide: list[object] = [f"{excess} pixels too wide"] if excess > 0 else []
    too_wide += page.evaluate(TABLES_TOO_WIDE)
    session = page.context.new_cdp_session(page)  # a script element would break the page's policy
    session.send("Runtime.evaluate", {"expression": AXE.read_text()})
    ask = {"expression": FIND_VIOLATIONS, "awaitPromise": True, "returnByValue": True}
    answer = session.send("Runtime.evaluate", ask)
    session.detach()
    violations: list[object] = json.loads(answer["result"]["value"])
    return [*too_wide, *violations]
