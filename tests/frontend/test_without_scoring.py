"""The standing page during an outage of scoring."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, expect

from tests.support.browser import get_key
from tests.support.stack import StackRun


@contextmanager
def scoring_away(stack: StackRun) -> Iterator[None]:
    """Kill scoring, and keep the supervisor from restarting it until the block ends."""
    stack.program.send(signal.SIGSTOP)
    old = stack.kill("scoring")
    try:
        yield
    finally:
        stack.program.send(signal.SIGCONT)
        stack.wait_for_new("scoring", old)


def test_without_scoring_the_standing_blames_nothing_else_and_comes_back(page: Page, stack: StackRun) -> None:
    get_key(page)
    with scoring_away(stack):
        page.get_by_role("link", name="View your standing").click()
        failure = page.get_by_role("alert").filter(has_text="Temporarily unavailable")
        expect(failure).to_contain_text(
            "The scoring service isn't responding. Your history is safe; try again in a moment."
        )
        expect(page.get_by_text("database")).to_have_count(0)
    failure.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="Your torrents")).to_be_visible()
