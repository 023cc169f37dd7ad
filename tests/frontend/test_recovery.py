"""What holders and operators see and do when a key was stolen, whoever was first: with a recovery code and without."""

import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.frontend.a_past import make_key_with_a_past
from tests.frontend.checks import problems_of
from tests.support.browser import LOOKS, Look, Visit, Windows, get_key, shown_key
from tests.support.postgres import TEMPLATE, PostgresServer
from tests.support.stack import StackRun

CODE = re.compile(r"^([0-9A-Z]{5}-){4}[0-9A-Z]{5}$")
NEW_ADDRESS = """
INSERT INTO key_prefixes (key_id, prefix, first_seen, last_seen, new_until)
SELECT id, 7, now() - interval '2 days', now(), now() + interval '28 days'
FROM peers WHERE key_hash = hash_announce_key($1)
"""
ITS_CREDIT = """
INSERT INTO prefix_credits (key_id, info_hash_id, peer_id, prefix, began, last_seen, downloaded, snatches, owed,
    debt_seconds)
SELECT key_id, info_hash_id, '-XX0000-abcdefghijkl', 7, now() - interval '2 days', now(), 2 ^ 30, 1, 1, debt_seconds
FROM memberships JOIN peers ON peers.id = key_id WHERE key_hash = hash_announce_key($1) AND debt_seconds > 0
"""


def execute(postgres: PostgresServer, *statements: str, key: str) -> None:
    postgres.execute(";".join(statements).replace("$1", f"'{key}'"), TEMPLATE)


def code_on(page: Page) -> str:
    shown = page.get_by_role("group", name="Your recovery code").get_by_role("code")
    expect(shown).to_have_text(CODE)
    return shown.inner_text()


def rotate(api: httpx.Client, key: str) -> str:
    answer = api.post("/api/v1/key/rotate", headers={"X-Announce-Key": key}).raise_for_status()
    return str(answer.json()["announce_key"])


def works(api: httpx.Client, key: str) -> bool:
    return api.get("/api/v1/standing", headers={"X-Announce-Key": key}).status_code == 200


def test_a_new_key_comes_with_a_code_that_gets_it_back(page: Page, api: httpx.Client) -> None:
    old = get_key(page)
    code = code_on(page)
    page.get_by_role("button", name="I've written it down").click()
    expect(page.get_by_text(code)).to_have_count(0)
    thiefs = rotate(api, old)

    page.goto("/standing")
    expect(page.get_by_role("heading", name="Your key was rotated")).to_be_visible()
    form = page.get_by_role("region", name="Get your key back")
    form.get_by_label("Recovery code").fill(code[:-2])
    form.get_by_role("button", name="Recover key").click()
    expect(form.get_by_role("alert")).to_contain_text("25 letters and digits")
    form.get_by_label("Recovery code").fill(code.lower())
    form.get_by_role("button", name="Recover key").click()
    expect(page.get_by_role("heading", name="Contributor")).to_be_visible()
    assert works(api, shown_key(page))
    assert not works(api, thiefs)


def test_a_rotation_by_somebody_else_is_undone(page: Page, api: httpx.Client) -> None:
    old = get_key(page)
    thiefs = rotate(api, old)
    page.goto("/standing")
    page.get_by_role("button", name="Undo the rotation").click()
    expect(page.get_by_role("heading", name="Contributor")).to_be_visible()
    assert (works(api, old), works(api, thiefs)) == (True, False)
    page.get_by_role("button", name="Rotate key").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Rotate key").click()
    expect(dialog.get_by_role("alert")).to_contain_text("has been undone")


def use_key(page: Page, key: str) -> None:
    page.goto("/standing")
    page.get_by_text("I already have one").click()
    page.get_by_label("Announce URL or key").fill(key)
    page.get_by_role("button", name="Use this key").click()


def test_a_key_without_a_code_gets_one_unless_somebody_objects(
    page: Page, api: httpx.Client, postgres: PostgresServer
) -> None:
    key = api.get("/api/generate").raise_for_status().json()["announce_key"]
    use_key(page, key)
    card = page.get_by_role("region", name="Recovery code")
    card.get_by_role("button", name="Ask for a recovery code").click()
    expect(card).to_contain_text("in this browser")
    expect(card).to_contain_text("in 7 days")
    card.get_by_role("button", name="Object").click()
    card.get_by_role("button", name="Ask for a recovery code").click()
    expect(card).to_contain_text("in this browser")
    late = "UPDATE recovery_requests SET requested_time = requested_time - interval '8 days' WHERE key_id ="
    execute(postgres, f"{late} (SELECT id FROM peers WHERE key_hash = hash_announce_key($1))", key=key)
    page.reload()
    expect(card).to_contain_text("in another browser")


def test_the_code_is_shown_once_it_is_ready(page: Page, api: httpx.Client) -> None:
    key = api.get("/api/generate").raise_for_status().json()["announce_key"]
    page.clock.install()  # before the page is loaded: a clock that ticks already would stay the real one
    use_key(page, key)
    card = page.get_by_role("region", name="Recovery code")
    card.get_by_role("button", name="Ask for a recovery code").click()
    expect(card).to_contain_text("in this browser")
    page.clock.fast_forward(8 * 24 * 3600 * 1000)
    card.get_by_role("button", name="Show the recovery code").click()
    expect(card.get_by_role("alert").filter(has_text="too early")).to_be_visible()


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_the_page_of_a_key_that_was_used_from_elsewhere_is_accessible(
    look: Look, windows: Windows, stack: StackRun, postgres: PostgresServer, api: httpx.Client
) -> None:
    key = make_key_with_a_past(postgres)
    execute(postgres, NEW_ADDRESS, ITS_CREDIT, key=key)
    api.post("/api/v1/key/recovery/request", headers={"X-Announce-Key": key}).raise_for_status()
    visit = Visit(windows(look, key), stack.base_url)
    assert problems_of(visit.page, "/standing") == []
    card = visit.page.get_by_role("region", name="New addresses")
    expect(card).to_contain_text("-XX0000-")
    expect(card.get_by_role("button", name="Disown")).to_be_disabled()
    former = make_key_with_a_past(postgres)
    rotate(api, former)
    visit = Visit(windows(look, former), stack.base_url)
    assert problems_of(visit.page, "/standing") == []
    expect(visit.page.get_by_role("button", name="Undo the rotation")).to_be_visible()
    assert visit.problems == []


def test_an_operator_gives_a_code_with_which_a_holder_disowns_sessions(
    operator_page: Page, api: httpx.Client, postgres: PostgresServer
) -> None:
    key = make_key_with_a_past(postgres)
    execute(postgres, NEW_ADDRESS, ITS_CREDIT, key=key)
    page = operator_page
    look_up(page, key)
    page.get_by_role("button", name=re.compile("^Give a recovery code")).click()
    page.get_by_role("dialog").get_by_role("button", name="Give a code").click()
    code = page.get_by_role("group", name="Recovery code").get_by_role("code").inner_text()
    page.get_by_role("button", name="Close").click()

    use_key(page, key)
    card = page.get_by_role("region", name="New addresses")
    card.get_by_label("Recovery code").fill(code)
    card.get_by_role("button", name="Disown").click()
    page.get_by_role("dialog").get_by_role("button", name="Disown").click()
    expect(page.get_by_role("region", name="Seeding owed")).to_contain_text("Nothing owed")
    expect(page.get_by_text("You have disowned sessions already")).to_have_count(0)
    expect(card).to_contain_text("No new addresses")


def test_an_operator_clears_debts(operator_page: Page, api: httpx.Client, postgres: PostgresServer) -> None:
    key = make_key_with_a_past(postgres)
    look_up(operator_page, key)

    def owed() -> list[Any]:
        standing = api.get("/api/v1/standing", headers={"X-Announce-Key": key}).json()
        return list(standing["snatches_owed"])

    assert len(owed()) == 3
    for choice, left in (("cover", 2), ("All", 0)):
        operator_page.get_by_role("button", name=re.compile("^Clear debts")).click()
        dialog = operator_page.get_by_role("dialog")
        option = dialog.get_by_role("option").filter(has_text=choice)
        dialog.get_by_label("Debt").select_option(value=option.get_attribute("value"))
        dialog.get_by_role("button", name="Clear").click()
        expect(dialog).to_contain_text("Enter a reason.")
        dialog.get_by_label("Reason").fill("a broken disk")
        dialog.get_by_role("button", name="Clear").click()
        expect(dialog).to_have_count(0)
        assert len(owed()) == left


def look_up(page: Page, key: str) -> None:
    page.get_by_role("link", name="Announce keys").click()
    page.get_by_label("Announce URL or key").fill(key)
    page.get_by_role("button", name="Look up").click()
    expect(page.get_by_role("row")).to_have_count(2)
