"""The pages about broken and cheating clients: for operators, for holders of confirmed keys, for their victims."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.frontend.an_anomaly import ADDRESS, Suspects, forget_suspects, store_suspects
from tests.frontend.checks import problems_of
from tests.support.browser import LOOKS, MAIN_LOOKS, Look, Visit, Windows
from tests.support.stack import StackRun


@pytest.fixture
def suspects(stack: StackRun) -> Iterator[Suspects]:
    suspects = store_suspects(stack)
    yield suspects
    forget_suspects(stack, suspects)


def test_without_suspects_the_pages_say_so_and_what_the_mode_means(operator_page: Page) -> None:
    operator_page.get_by_role("link", name="Anomalies").click()
    expect(operator_page.get_by_text("Nobody is suspected.")).to_be_visible()
    expect(operator_page.get_by_role("alert")).to_contain_text("Detection is enforced")
    operator_page.get_by_role("link", name="Broken clients").click()
    expect(operator_page.get_by_text("No client is conspicuous.")).to_be_visible()


@pytest.mark.parametrize(
    "look", [pytest.param(look, marks=() if look in MAIN_LOOKS else pytest.mark.full) for look in LOOKS], ids=str
)
def test_the_pages_with_suspects_are_accessible_and_fit_the_window(
    look: Look, windows: Windows, stack: StackRun, suspects: Suspects
) -> None:
    visit = Visit(windows(look, suspects.announce_key), stack.base_url)
    pages = (
        *("/operator/anomalies", "/operator/clients", "/standing", f"/b/{suspects.token}"),
        *(f"/operator/anomalies/{one}" for one in (suspects.confirmed, suspects.suspected)),
    )
    assert {page: problems for page in pages if (problems := problems_of(visit.page, page))} == {}
    assert visit.problems == []


def test_suspects_are_found_by_state_verdict_client_and_number(operator_page: Page, suspects: Suspects) -> None:
    page = operator_page
    page.goto("/operator/anomalies")
    rows = page.get_by_role("table", name="Anomalies").get_by_role("row")
    expect(rows).to_have_count(3)
    page.get_by_label("State").select_option("Confirmed")
    page.get_by_label("Verdict").select_option("Wasted bandwidth")
    expect(rows).to_have_count(2)
    expect(rows.nth(1)).to_contain_text("qBittorrent 5.2.1")
    page.get_by_label("Verdict").select_option("False statistics")
    expect(page.get_by_text("No matches")).to_be_visible()
    page.get_by_role("link", name="Show everything").click()
    expect(rows).to_have_count(3)
    page.get_by_role("link", name="Broken clients").click()
    page.get_by_role("link", name="Transmission").click()
    expect(rows).to_have_count(2)
    expect(rows.nth(1)).to_contain_text("Guest")


def test_an_operator_sees_the_onset_clears_and_ends_the_decision(
    operator_page: Page, api: httpx.Client, suspects: Suspects
) -> None:
    page = operator_page
    page.goto(f"/operator/anomalies/{suspects.confirmed}")
    swarm = page.get_by_role("region", name="Balance of the swarm")
    expect(swarm).to_contain_text("this swarm has reported more uploads than downloads")
    expect(swarm.get_by_text("onset")).to_have_count(2)
    expect(swarm).to_contain_text("Uploaded by Key #")
    findings = page.get_by_role("table", name="Evidence").get_by_role("row")
    expect(findings.nth(1)).to_contain_text("Downloads more than the torrent")

    decision = page.get_by_role("region", name="Decision")
    decision.get_by_label("Note").fill("a broken disk")
    decision.get_by_role("button", name="Clear").click()
    expect(decision.get_by_text("Cleared by environment")).to_be_visible()
    shown = api.get(f"/api/v1/anomalies/{suspects.confirmed}").json()["decision"]
    assert (shown["decision"], shown["note"]) == ("clear", "a broken disk")
    decision.get_by_label("Why it ends").fill("it goes on")
    decision.get_by_role("button", name="End this decision").click()
    expect(decision.get_by_text("The detector decides.")).to_be_visible()


def test_a_holder_appeals_an_operator_answers_and_the_holder_reads_it(
    windows: Windows, stack: StackRun, suspects: Suspects
) -> None:
    page = Visit(windows(("light", 1440), suspects.announce_key), stack.base_url).page
    page.goto("/standing")
    card = page.get_by_role("region", name="Something is wrong with your client")
    expect(card).to_contain_text("downloads the same data again and again")
    card.get_by_label("Is this a mistake?").fill("The disk was full.\nIt is mended.")
    card.get_by_role("button", name="Send the appeal").click()
    expect(card.get_by_text("answered yet")).to_be_visible()

    page.goto("/operator/anomalies")
    page.get_by_role("switch", name="Appeals to answer").click()
    row = page.get_by_role("row").filter(has_text="1 appeal to answer")
    row.get_by_role("link").click()
    page.get_by_label("Answer").fill("Thank you, we'll clear it.")
    page.get_by_role("button", name="Send the answer").click()
    expect(page.get_by_text("Answered by environment")).to_be_visible()

    page.goto("/standing")
    expect(card.get_by_text("Thank you, we'll clear it.")).to_be_visible()


def test_a_key_that_is_only_suspected_or_clean_shows_nothing(
    windows: Windows, stack: StackRun, api: httpx.Client
) -> None:
    key = api.post("/api/v1/keys").raise_for_status().json()["announce_key"]
    page = Visit(windows(("light", 1440), key), stack.base_url).page
    with page.expect_response("**/api/v1/key/anomaly"):
        page.goto("/standing")
    expect(page.get_by_role("region", name="Your torrents")).to_be_visible()
    expect(page.get_by_text("Something is wrong")).to_have_count(0)


def test_a_link_of_the_tracker_shows_whom_to_block_and_how(page: Page, stack: StackRun, suspects: Suspects) -> None:
    page.goto(f"/b/{suspects.token}")
    expect(page.get_by_role("row").filter(has_text=ADDRESS)).to_have_count(1)
    for client, form in (("Transmission", "p2p"), ("qBittorrent", "dat"), ("PeerBanHelper", "txt")):
        url = page.get_by_role("group", name=client).get_by_role("code").inner_text()
        assert url == f"{stack.base_url}/api/blocklist/{suspects.token}.{form}"
        assert ADDRESS.split(":", maxsplit=1)[0] in httpx.get(url, trust_env=False).text
    page.goto("/b/0000")
    expect(page.get_by_text("Nothing to block")).to_be_visible()
