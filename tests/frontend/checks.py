"""Checks for every page: accessible, and no wider than the window."""

import json
from pathlib import Path

from playwright.sync_api import Page, expect

AXE = Path(__file__).parents[2] / "frontend/node_modules/axe-core/axe.min.js"
TABLES_TOO_WIDE = """[...document.querySelectorAll("main table[role]")]
  .filter((table) => table.scrollWidth > table.parentElement.clientWidth + 1)
  .map((table) => `the table ${table.ariaLabel} is wider than its card`)"""
FIND_VIOLATIONS = """axe.run().then(({ violations }) => JSON.stringify(
  violations.map(({ id, nodes }) => [id, nodes.map(({ target, failureSummary }) => [target, failureSummary])])))"""


def problems_of(page: Page, address: str) -> list[object]:
    """Open a page and return its problems."""
    page.goto(address)
    page.get_by_role("heading", level=1).wait_for()
    expect(page.locator(".mantine-Skeleton-root")).to_have_count(0)  # everything has loaded, including the chart
    excess = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    too_wide: list[object] = [f"{excess} pixels too wide"] if excess > 0 else []
    too_wide += page.evaluate(TABLES_TOO_WIDE)
    session = page.context.new_cdp_session(page)  # a script element would violate the page's policy
    session.send("Runtime.evaluate", {"expression": AXE.read_text()})
    ask = {"expression": FIND_VIOLATIONS, "awaitPromise": True, "returnByValue": True}
    answer = session.send("Runtime.evaluate", ask)
    session.detach()
    violations: list[object] = json.loads(answer["result"]["value"])
    return [*too_wide, *violations]
