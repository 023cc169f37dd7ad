"""Pages during an outage of the database, and their recovery."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.support.browser import Visit, remember_keys, upload
from tests.support.postgres import PostgresServer
from tests.support.processes import wait_until
from tests.support.stack import StackRun

NAME = "kept-through-an-outage"
LIVE_MS = 11_000
"""Pages with live numbers refresh within this time."""
CLICK_EACH = "(buttons) => buttons.forEach((button) => button.click())"


@contextmanager
def postgres_away(postgres: PostgresServer, stack: StackRun) -> Iterator[None]:
    """Stop the database as a power cut would, then start it and wait until every service is ready."""
    postgres.kill()
    try:
        yield
    finally:
        postgres.start()
        services = [stack.observation_url_of(name) for name in ("announce-1", "scoring", "scoring_worker", "admin_api")]
        wait_until(lambda: all(map(is_ready, services)), "every service has the database again", 60.0)


def is_ready(service: str) -> bool:
    return httpx.get(f"{service}/readyz", trust_env=False).status_code == 200


@pytest.mark.timeout(240)
def test_without_the_database_pages_say_what_to_do_and_with_it_they_recover(
    visit: Visit, stack: StackRun, postgres: PostgresServer, api: httpx.Client, torrent_file: Callable[[str], Path]
) -> None:
    info_hash = upload(api, torrent_file(NAME))
    remember_keys(visit.context, api.post("/api/v1/keys").raise_for_status().json()["announce_key"], stack.api_key)
    home, operator = visit.page, visit.context.new_page()
    home.clock.install()
    home.goto("/")
    torrents = home.locator("dl > div").filter(has_text="Browse all")
    expect(torrents).to_contain_text(re.compile("[1-9]"))
    operator.goto("/operator/audit")
    expect(operator.get_by_role("row").filter(has_text="torrent.upload").first).to_be_visible()

    with postgres_away(postgres, stack):
        opened = {
            open_page(visit.context, address): shown
            for address, shown in (
                ("/infohashes", NAME),
                (f"/infohashes/{info_hash}", NAME),
                ("/standing", "Your torrents"),
                ("/operator/keys", "All keys"),
            )
        }
        operator.get_by_role("link", name="System").click()
        expect(operator.get_by_role("row").nth(1)).to_contain_text(
            re.compile(
                r"Postgres hasn't answered since \d\d:\d\d. Announces go on, statistics wait, and nothing is lost"
            )
        )
        expect(operator.locator("dl > div").filter(has_text="Last write")).not_to_contain_text(re.compile("never|none"))
        operator.get_by_role("link", name="Infohashes").click()
        home.clock.fast_forward(LIVE_MS)
        for page in (home, operator, *opened):
            expect(failure(page).get_by_role("button", name="Try again")).to_be_visible()
        expect(torrents).to_contain_text(re.compile("[1-9]"))  # the last known values stay
        operator.get_by_role("textbox", name="Infohashes").fill(f"{'5d' * 20} {NAME} too")
        operator.get_by_role("button", name="Add", exact=True).click()
        expect(failure(operator)).to_have_count(2)

    home.clock.fast_forward(LIVE_MS)  # it refreshes by itself
    operator.get_by_role("button", name="Add", exact=True).click()
    expect(operator.get_by_role("row").filter(has_text=f"{NAME} too")).to_be_visible()
    for page, shown in opened.items():
        again = failure(page).get_by_role("button", name="Try again")
        again.evaluate_all(CLICK_EACH)  # unless the page has refreshed by itself
        expect(page.get_by_text(shown).first).to_be_visible()
    for page in (home, operator, *opened):
        expect(failure(page)).to_have_count(0)


def failure(page: Page) -> Locator:
    sentences = re.compile("The database isn't responding. Announces still work; try again in a moment.")
    return page.get_by_role("alert").filter(has_text=sentences)


def open_page(context: BrowserContext, address: str) -> Page:
    page = context.new_page()
    page.goto(address)
    return page
