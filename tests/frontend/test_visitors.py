"""A visitor's way from the home page to seeding with a real client."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from fastbencode import bdecode
from playwright.sync_api import Dialog, Page, expect

from tests.frontend.pages import HOSTILE_NAMES, LONG_NAME
from tests.support.browser import Visit, get_key, shown_key, upload
from tests.support.processes import Program, free_port
from tests.support.stack import StackRun


@contextmanager
def seeding(torrent: Path, directory: Path) -> Iterator[None]:
    """Seed the content of ``directory`` with aria2."""
    options = ["--enable-dht=false", "--bt-enable-lpd=false", "--check-integrity", "--seed-ratio=0"]
    port = free_port()
    command = ["aria2c", *options, f"--listen-port={port}", f"--dir={directory}", str(torrent)]
    with Program(command, log=directory / "aria2.log"):
        yield


@pytest.mark.timeout(240)
def test_a_visitor_gets_a_key_downloads_seeds_and_sees_it(
    stack: StackRun, page: Page, api: httpx.Client, torrent_file: Callable[[str], Path], tmp_path: Path
) -> None:
    original = torrent_file("a-visitors-choice")
    info_hash = upload(api, original)
    key = get_key(page)

    page.get_by_role("link", name="Torrents", exact=True).click()
    page.get_by_label("Search torrents").fill("visitors choice")
    row = page.get_by_role("row").filter(has_text="a-visitors-choice")
    expect(page.get_by_role("row")).to_have_count(2)  # the headings, and it
    expect(row).to_contain_text("Idle")
    with page.expect_download() as download:
        row.get_by_role("button", name="Download torrent file").click()
    assert download.value.suggested_filename == "a-visitors-choice.torrent"
    own = tmp_path / "own.torrent"
    download.value.save_as(own)
    announce = bdecode(own.read_bytes())[b"announce"].decode()
    assert announce == f"http://{stack.announce_address}/{key}/announce"

    with seeding(own, tmp_path):
        page.goto(f"/infohashes/{info_hash}")
        seeders = page.locator("dl > div").filter(has=page.get_by_text("Seeders", exact=True))
        expect(seeders).to_contain_text("1")
        expect(page.get_by_text("Weak")).to_be_visible()

        page.get_by_role("link", name="My standing").click()
        mine = page.get_by_role("row").filter(has_text="a-visitors-choice")
        reload_until(page, lambda: mine.count() == 1)
        expect(mine).to_contain_text("Seeding")
        expect(page.get_by_role("heading", name="Contributor")).to_be_visible()  # a newcomer's grace

        page.get_by_role("link", name="etracker home").click()
        expect(page.locator("dl > div").filter(has_text="Seeders")).to_contain_text(re.compile("[1-9]"))
        expect(page.locator("figure svg path, figure svg circle").first).to_be_attached()
        reload_until(page, lambda: newest_on_the_chart(page) != "0")


def newest_on_the_chart(page: Page) -> str:
    """Return the chart's latest number of seeders: the mean of the current step so far, without a fraction."""
    page.get_by_text("View as table").click()
    newest = page.get_by_role("region", name="Chart data").get_by_role("row").nth(1)
    shown = newest.get_by_role("cell").first.inner_text()
    assert re.fullmatch(r"<1|\d+", shown), shown
    return shown


def reload_until(page: Page, condition: Callable[[], bool], tries: int = 30) -> None:
    """Reload the page once a second until the condition holds."""
    for _ in range(tries):
        page.reload()
        expect(page.locator(".mantine-Skeleton-root")).to_have_count(0)
        if condition():
            return
        page.wait_for_timeout(1000)
    raise AssertionError(f"It doesn't show on {page.url}: {page.locator('main').inner_text()}")


def test_rotating_the_key_ends_the_old_one_and_keeps_what_was_done(page: Page, api: httpx.Client) -> None:
    old = get_key(page)
    page.goto("/standing")
    page.get_by_role("button", name="Rotate key").click()
    with page.expect_response("**/api/v1/standing") as refetched:
        page.get_by_role("dialog").get_by_role("button", name="Rotate key").click()
    expect(page.get_by_text("Key rotated", exact=True)).to_be_visible()
    new = shown_key(page)
    assert new != old
    assert refetched.value.status == 200
    assert [api.get("/api/v1/standing", headers={"X-Announce-Key": key}).status_code for key in (old, new)] == [
        403,
        200,
    ]


def test_the_key_is_stored_in_the_browser_and_never_part_of_a_url(visit: Visit) -> None:
    addresses: list[str] = []
    visit.context.on("request", lambda request: addresses.append(request.url))
    key = get_key(visit.page)
    visit.page.reload()
    assert shown_key(visit.page) == key
    visit.page.goto("/standing")
    expect(visit.page.get_by_role("heading", name="Your torrents")).to_be_visible()
    assert not [address for address in addresses if key in address]
    visit.page.get_by_role("button", name="Remove from this browser").click()
    visit.page.get_by_role("button", name="Remove", exact=True).click()
    expect(visit.page.get_by_text("No announce URL in this browser")).to_be_visible()
    assert visit.page.evaluate("Object.values(localStorage).join()").count(key) == 0


def test_an_unknown_key_gets_advice_on_what_to_do(page: Page) -> None:
    page.goto("/standing")
    page.get_by_text("I already have one").click()
    field = page.get_by_label("Announce URL or key")
    field.fill("not a key")
    page.get_by_role("button", name="Use this key").click()
    expect(page.get_by_text("No announce key found")).to_be_visible()
    field.fill(f"http://old.example/{'ab' * 15}/announce")
    page.get_by_role("button", name="Use this key").click()
    expect(page.get_by_text("The tracker doesn't recognise this announce key")).to_be_visible()


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_hostile_name_stays_text(page: Page, name: str, stack: StackRun) -> None:
    dialogs: list[str] = []

    def dismiss(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dismiss)
    page.goto("/infohashes")
    visible = re.sub("[\u202e\u200b\ufeff]", lambda match: f"U+{ord(match[0]):04X}", name)
    link = page.get_by_role("link").filter(has_text=visible[:1000])
    expect(link).to_have_count(1)
    assert link.locator("bdi").evaluate("(node) => node.textContent") == visible
    assert link.evaluate("(node) => node.getBoundingClientRect().height") < 100
    assert page.locator("main script, main img").count() == 0
    link.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(visible[:100].strip())
    assert page.title().endswith("etracker")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    if name == LONG_NAME:
        expect(page.get_by_text("Full name:")).to_be_visible()
    assert dialogs == []


def test_search_order_and_filter_live_in_the_address(page: Page, stack: StackRun) -> None:
    page.goto("/infohashes?q=zero&sort=name&health=idle")
    expect(page.get_by_label("Search torrents")).to_have_value("zero")
    expect(page.get_by_role("columnheader", name="Name")).to_have_attribute("aria-sort", "ascending")
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_role("button", name="Seeders").click()
    expect(page).to_have_url(re.compile(r"sort=-seeders"))
    page.go_back()
    expect(page).to_have_url(re.compile(r"sort=name"))
    page.get_by_label("Search torrents").fill("nothing-is-called-so")
    expect(page.get_by_text("No matches")).to_be_visible()
    expect(page).to_have_url(re.compile(r"q=nothing-is-called-so"))


def test_the_keyboard_reaches_the_content_at_once(page: Page) -> None:
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_the_announce_url_is_copied_with_a_click(stack: StackRun, visit: Visit) -> None:
    visit.context.grant_permissions(["clipboard-read", "clipboard-write"])
    key = get_key(visit.page)
    visit.page.get_by_role("group", name="Your announce URL").get_by_role("button", name="Copy").click()
    expect(visit.page.get_by_role("button", name="Copied")).to_be_visible()
    expect(visit.page.get_by_text("Copied: Your announce URL")).to_be_attached()
    copied = visit.page.evaluate("navigator.clipboard.readText()")
    assert copied == f"http://{stack.announce_address}/{key}/announce"


def test_a_chart_looks_back_a_day_a_month_or_a_year(page: Page) -> None:
    page.goto("/")
    for span in ("Month", "Year"):
        with page.expect_response(re.compile(f"/stats/history.span={span.lower()}$")) as history:
            page.get_by_text(span, exact=True).click()
        assert history.value.status == 200
        expect(page.get_by_role("radio", name=span)).to_be_checked()
        expect(page).to_have_url(re.compile(rf"/\?span={span.lower()}$"))
    page.get_by_text("Day", exact=True).click()
    expect(page.get_by_role("radio", name="Day")).to_be_checked()
    expect(page).to_have_url(re.compile("/$"))


@pytest.mark.parametrize(
    ("subject", "columns"),
    [
        ("Announces", ["Announces per second"]),
        ("Completed", ["Completed downloads"]),
        ("Data", ["Uploaded", "Downloaded"]),
        ("Peers", ["Seeders", "Leechers"]),
    ],
)
def test_a_chart_shows_whatever_is_counted_over_time(page: Page, subject: str, columns: list[str]) -> None:
    page.goto("/?show=announces")
    chart = page.get_by_role("region", name="Activity over time")
    chart.get_by_text(subject, exact=True).click()
    expect(chart.get_by_role("radio", name=subject)).to_be_checked()
    expect(page).to_have_url(re.compile("/$" if subject == "Peers" else rf"/\?show={subject.lower()}$"))
    chart.get_by_text("View as table").click()
    expect(chart.get_by_role("columnheader")).to_have_text(["Time", *columns])
