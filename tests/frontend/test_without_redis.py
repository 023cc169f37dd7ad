"""Pages while announces fail, which is as long as Redis doesn't answer."""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from tests.frontend.pages import PUBLIC_PAGES
from tests.support.browser import Visit, remember_keys
from tests.support.stack import StackRun


@contextmanager
def redis_frozen(stack: StackRun) -> Iterator[None]:
    pid = stack.pids()["redis"]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.timeout(120)
def test_while_announces_fail_every_page_says_so_and_the_system_page_why(visit: Visit, stack: StackRun) -> None:
    remember_keys(visit.context, "no key", stack.api_key)
    page, notice = visit.page, re.compile("Announces fail at the moment. Your client repeats them by itself")
    with redis_frozen(stack):
        for address in ("/", "/standing"):
            assert address in PUBLIC_PAGES
            page.goto(address)
            expect(page.get_by_role("status").filter(has_text=notice)).to_be_visible()
        page.goto("/operator/system")
        expect(page.get_by_role("row").nth(1)).to_contain_text(re.compile(r"Redis hasn't answered .*Announces fail"))
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_text("Announces per second").first).to_be_visible()
    expect(page.get_by_text(notice)).to_have_count(0)
