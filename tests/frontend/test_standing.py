"""The standing page of a key with a history: tiers won and lost, seeding owed, a notice."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.frontend.a_past import LONG_NAME, NOTICE, TIERS, make_key_with_a_past
from tests.frontend.checks import problems_of
from tests.support.browser import LOOKS, Look, Visit, Windows
from tests.support.postgres import PostgresServer
from tests.support.stack import StackRun


@pytest.fixture(scope="module")
def announce_key(postgres: PostgresServer, stack: StackRun) -> str:
    """A key with a history; the stack migrates the database first."""
    return make_key_with_a_past(postgres)


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_a_standing_with_a_history_is_complete_and_accessible(
    look: Look, windows: Windows, stack: StackRun, announce_key: str
) -> None:
    visit = Visit(windows(look, announce_key), stack.base_url)
    assert problems_of(visit.page, "/standing") == []
    main = visit.page.get_by_role("main")
    expect(main.get_by_role("heading", name="Little history")).to_be_visible()

    notice = main.get_by_role("alert").filter(has_text=NOTICE)
    expect(notice).to_contain_text("Seeding the 3 torrents that you fetched and left gets you there sooner.")
    expect(notice).to_contain_text("2 days ago")
    expect(main).to_contain_text(re.compile(r"You need 15 points, \d+(\.\d)? more than you have\."))

    owed = main.get_by_role("region", name="Seeding owed").get_by_role("listitem")
    expect(owed).to_have_count(3)
    expect(owed.filter(has_text=LONG_NAME)).to_contain_text("1 d left")

    history = main.get_by_role("region", name="Tier over time")
    expect(history).to_contain_text("From tier 2 to tier 1")
    history.get_by_text("View as table").click()
    tiers = [int(tier) for tier in history.get_by_role("cell").all_inner_texts()]
    assert tiers == [TIERS[-1][1], *(tier for _, tier in reversed(TIERS))]  # now, and before
    assert visit.problems == []


def test_the_next_key_s_holder_sees_nothing_of_the_removed_key_s_standing(visit: Visit, announce_key: str) -> None:
    page = visit.page
    show_standing_of(announce_key, page)
    other_tab = visit.context.new_page()
    other_tab.goto("/standing")
    for tab in (page, other_tab):
        expect(tab.get_by_role("heading", name="Little history")).to_be_visible()
    other_tab.get_by_role("link", name="Torrents", exact=True).click()

    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    visit.context.route("**/api/v1/standing", hold)
    page.bring_to_front()  # a background tab rarely draws, and a click waits until it does
    page.get_by_role("button", name="Remove from this browser").click()
    page.get_by_role("button", name="Remove", exact=True).click()
    page.get_by_role("button", name="Get an announce URL").click()
    other_tab.bring_to_front()
    other_tab.get_by_role("link", name="My standing").click()
    for tab in (page, other_tab):
        expect(tab.get_by_role("status", name="Loading your standing")).to_be_visible()
        expect(tab.get_by_role("heading", name="Little history")).to_have_count(0)
    for route in held:
        assert route.request.headers["x-announce-key"] != announce_key
        route.continue_()
    for tab in (page, other_tab):
        expect(tab.get_by_role("heading", name="Contributor")).to_be_visible()  # a newcomer's grace
        expect(tab.get_by_text("No torrents yet")).to_be_visible()


def show_standing_of(announce_key: str, page: Page) -> None:
    page.goto("/standing")
    page.get_by_text("I already have one").click()
    page.get_by_label("Announce URL or key").fill(announce_key)
    page.get_by_role("button", name="Use this key").click()
