"""Every page is accessible and fits the window, light and dark."""

import httpx
import pytest
from playwright.sync_api import Page

from tests.frontend.checks import problems_of
from tests.frontend.pages import ANY_TORRENT, OPERATOR_PAGES, PUBLIC_PAGES
from tests.support.browser import LOOKS, Look, Visit, Windows
from tests.support.stack import StackRun


@pytest.fixture(scope="module")
def announce_key(api: httpx.Client) -> str:
    return str(api.post("/api/v1/keys").raise_for_status().json()["announce_key"])


@pytest.fixture(scope="module")
def addresses(api: httpx.Client) -> list[str]:
    """Every page; those of a torrent with an existing one."""
    some = api.get("/api/v1/infohashes", params={"limit": 1}).raise_for_status().json()["items"][0]["info_hash"]
    return [address.replace(ANY_TORRENT, some) for address in (*PUBLIC_PAGES, *OPERATOR_PAGES)]


@pytest.mark.timeout(240)
@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_every_page_is_accessible_and_fits_the_window(
    look: Look, windows: Windows, stack: StackRun, announce_key: str, addresses: list[str]
) -> None:
    visit = Visit(windows(look, announce_key), stack.base_url)
    found = {address: problems for address in addresses if (problems := problems_of(visit.page, address))}
    assert found == {}
    assert visit.problems == []


def test_the_pages_without_any_key_are_accessible_too(page: Page) -> None:
    assert {address: problems_of(page, address) for address in ("/", "/standing", "/operator")} == {
        "/": [],
        "/standing": [],
        "/operator": [],
    }


def test_at_4k_a_page_fills_the_window_without_growing_past_it(page: Page) -> None:
    page.set_viewport_size({"width": 3840, "height": 2160})
    assert problems_of(page, "/") == []
    assert page.locator("main").evaluate("(node) => node.clientWidth") > 1500
