"""The operator pages."""

import base64
import re
from collections.abc import Callable
from pathlib import Path

import httpx
from playwright.sync_api import Page, expect

from tests.support.browser import upload

DROP = """(zone, [name, base64]) => {
  const data = new DataTransfer();
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  data.items.add(new File([bytes], name));
  zone.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
}"""


def test_three_broken_uploads_of_twenty_say_why(
    operator_page: Page, torrent_file: Callable[[str], Path], tmp_path: Path
) -> None:
    good = [torrent_file(f"upload-{number}") for number in range(17)]
    broken = {
        "cut-short.torrent": good[0].read_bytes()[:-20],
        "no-torrent.torrent": b"GIF89a",
        "empty.torrent": b"d4:infodee",
    }
    for name, body in broken.items():
        (tmp_path / name).write_bytes(body)
    operator_page.get_by_label("Torrent files").set_input_files([*good, *(tmp_path / name for name in broken)])
    expect(operator_page.get_by_text("17 torrents uploaded, 3 failed.")).to_be_visible()
    for name in broken:
        reason = operator_page.get_by_role("listitem").filter(has_text=name).locator("p").inner_text()
        assert len(reason) > 15
        assert reason.endswith(".")
    operator_page.get_by_role("button", name="Clear list").click()
    expect(operator_page.get_by_text("17 torrents uploaded")).to_have_count(0)
    operator_page.goto("/infohashes?q=upload")
    expect(operator_page.get_by_role("row")).to_have_count(18)


def test_an_upload_that_was_made_private_says_once_that_its_infohash_changed(
    operator_page: Page, torrent_file: Callable[[str], Path], tmp_path: Path
) -> None:
    """What the API's message says, the page doesn't say again."""
    public = tmp_path / "public.torrent"
    public.write_bytes(torrent_file("public").read_bytes().replace(b"7:privatei1e", b""))
    operator_page.get_by_label("Torrent files").set_input_files(public)
    expect(operator_page.get_by_text("1 torrent uploaded.")).to_be_visible()
    said = operator_page.get_by_role("listitem").filter(has_text=public.name).locator("p").inner_text()
    assert len(re.findall("infohash", said)) == 1
    assert len(re.findall("seed the file you download from here", said)) == 1


NO_TORRENTS = {
    "film.mkv": (b"\x1aE\xdf\xa3" + bytes(17 * 1024 * 1024), "This is a video, not a torrent."),
    "nothing.torrent": (b"", "This file is empty."),
    "page.torrent": (b"<!DOCTYPE html>\n<html><title>Log in</title></html>", "This is a web page, not a torrent"),
    "link.torrent": (b"magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567", "contains a magnet link"),
    "large.torrent": (b"d4:infod4:name" + bytes(16 * 1024 * 1024), "larger than 16 MiB, the limit"),
}


def test_a_file_that_is_no_torrent_isnt_sent_and_the_row_says_what_it_is(operator_page: Page, tmp_path: Path) -> None:
    sent: list[str] = []
    operator_page.on("request", lambda request: sent.append(request.url))
    for name, (body, _reason) in NO_TORRENTS.items():
        (tmp_path / name).write_bytes(body)
    operator_page.get_by_label("Torrent files").set_input_files([tmp_path / name for name in NO_TORRENTS])
    expect(operator_page.get_by_text(f"0 torrents uploaded, {len(NO_TORRENTS)} failed.")).to_be_visible()
    for name, (_body, reason) in NO_TORRENTS.items():
        expect(operator_page.get_by_role("listitem").filter(has_text=name)).to_contain_text(reason)
    assert [url for url in sent if "/api/v1/torrents" in url] == []


def test_files_can_be_dropped(operator_page: Page, torrent_file: Callable[[str], Path]) -> None:
    path = torrent_file("dropped")
    zone = operator_page.get_by_text("Drop torrent files here").locator("..")
    zone.evaluate(DROP, [path.name, base64.b64encode(path.read_bytes()).decode()])
    expect(operator_page.get_by_text("1 torrent uploaded.")).to_be_visible()


def test_a_revoked_operator_is_out_and_the_audit_log_has_it_all(operator_page: Page, api: httpx.Client) -> None:
    page = operator_page
    page.get_by_role("link", name="Operators").click()
    page.get_by_label("Name", exact=True).fill("night script")
    page.get_by_role("button", name="Create an API key").click()
    key = page.get_by_role("group", name="API key").get_by_role("code").inner_text()
    first = str(page.evaluate("sessionStorage.getItem('etracker.api-key')"))
    bearer = {"Authorization": f"Bearer {key}"}
    assert api.get("/api/v1/session", headers=bearer).json()["name"] == "night script"

    look_as(page, key)
    expect(page.get_by_role("row").filter(has_text="night script")).to_be_visible()
    expect(page.get_by_text("Only the first operator")).to_be_visible()
    for offered in ("Create an API key", "Revoke night script"):
        expect(page.get_by_role("button", name=offered)).to_have_count(0)
    look_as(page, first)
    page.get_by_role("button", name="Revoke night script").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke", exact=True).click()
    expect(page.get_by_role("row").filter(has_text="night script")).to_contain_text("Revoked")
    assert api.get("/api/v1/session", headers=bearer).status_code == 403

    page.get_by_role("link", name="Audit log").click()
    for action in ("operator.add", "operator.revoke"):
        page.get_by_label("Action").select_option(action)
        expect(page).to_have_url(re.compile(f"action={action}"))
        expect(page.get_by_role("row").filter(has_text=action).first).to_contain_text("environment")


def test_infohashes_are_added_renamed_and_deleted(operator_page: Page, api: httpx.Client) -> None:
    page = operator_page
    page.get_by_role("link", name="Infohashes").click()
    page.get_by_role("textbox", name="Infohashes").fill(f"{'5a' * 20} by hash alone\nnonsense")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("Line 2 doesn't start with an infohash")).to_be_visible()
    page.get_by_role("textbox", name="Infohashes").fill(f"{'5a' * 20} by hash alone")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("1 infohash added, 0 already listed, 0 refused")).to_be_visible()

    page.get_by_role("row").filter(has_text="by hash alone").get_by_role("button", name="Rename").click()
    page.get_by_role("dialog").get_by_label("Name").fill("another name")
    page.get_by_role("button", name="Save").click()
    row = page.get_by_role("row").filter(has_text="another name")
    expect(row).to_have_count(1)
    row.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(row).to_have_count(0)
    assert api.get(f"/api/v1/infohashes/{'5a' * 20}").status_code == 404


def test_a_key_is_looked_up_disabled_and_rotated(operator_page: Page, api: httpx.Client) -> None:
    page = operator_page
    key = api.post("/api/v1/keys").raise_for_status().json()["announce_key"]
    page.get_by_role("link", name="Announce keys").click()
    page.get_by_label("Announce URL or key").fill(f"http://tracker.test/{key}/announce")
    page.get_by_role("button", name="Look up").click()
    expect(page.get_by_role("row")).to_have_count(2)
    standing = {"X-Announce-Key": key}

    page.get_by_role("button", name=re.compile("^Disable key")).click()
    page.get_by_role("dialog").get_by_role("button", name="Disable").click()
    expect(page.get_by_role("row").nth(1)).to_contain_text("Disabled")
    assert api.get("/api/v1/standing", headers=standing).status_code == 403
    page.get_by_role("button", name=re.compile("^Enable key")).click()
    page.get_by_role("dialog").get_by_role("button", name="Enable").click()
    expect(page.get_by_role("row").nth(1)).not_to_contain_text("Disabled")

    page.get_by_role("button", name=re.compile("^Rotate key")).click()
    page.get_by_role("dialog").get_by_role("button", name="Rotate").click()
    url = page.get_by_role("group", name="New announce URL").get_by_role("code").inner_text()
    assert key not in url
    assert api.get("/api/v1/standing", headers=standing).status_code == 403


def test_a_wrong_api_key_is_refused_with_a_sentence(page: Page) -> None:
    page.goto("/operator/keys")
    page.get_by_label("API key", exact=True).fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Key not accepted")).to_be_visible()
    expect(page.get_by_label("API key", exact=True)).to_be_visible()


def test_the_api_key_is_forgotten_with_the_tab_and_never_stored_permanently(operator_page: Page) -> None:
    assert operator_page.evaluate("Object.keys(localStorage).filter((name) => name.includes('api')).length") == 0
    other_tab = operator_page.context.new_page()
    other_tab.goto("/operator")
    expect(other_tab.get_by_label("API key", exact=True)).to_be_visible()
    operator_page.get_by_role("button", name="Sign out").click()
    expect(operator_page.get_by_role("button", name="Sign in")).to_be_visible()
    assert operator_page.evaluate("sessionStorage.length") == 0


def test_the_system_page_shows_the_health_of_each_service(
    operator_page: Page, api: httpx.Client, torrent_file: Callable[[str], Path]
) -> None:
    seed(api, upload(api, torrent_file("written")))
    operator_page.get_by_role("link", name="System").click()
    for name in ("Announce", "Scoring", "Scoring worker", "Admin API", "Postgres", "Redis"):
        row = operator_page.get_by_role("row").filter(has=operator_page.get_by_text(name, exact=True))
        expect(row).to_contain_text("Up")
        expect(row).to_contain_text(re.compile(r"\d+ s ago"))
    for label, pattern in (
        ("Facts waiting", r"[\d,]+"),
        ("Statistics lag", r"[\d.]+ s"),
        ("Last write", r"\d+ s ago"),
        ("Postgres", r"[\d.]+ .iB"),
        ("Redis", r"[\d.]+ .iB"),
        ("Disk", r"[\d.]+ .iB"),
    ):
        number = operator_page.locator("dl > div").filter(has=operator_page.get_by_text(label, exact=True))
        expect(number.locator("dd > span").first).to_have_text(re.compile(f"^{pattern}$"))


def test_a_list_leads_to_its_next_page_and_back_to_the_first(operator_page: Page, api: httpx.Client) -> None:
    for _ in range(51):
        api.post("/api/v1/keys").raise_for_status()
    operator_page.get_by_role("link", name="Announce keys").click()
    rows = operator_page.get_by_role("table", name="Announce keys").get_by_role("row")
    expect(rows).to_have_count(51)  # the headings, and 50
    first = rows.nth(1).inner_text()
    operator_page.get_by_role("link", name="Next page").click()
    expect(operator_page.get_by_role("link", name="First page")).to_be_visible()
    expect(rows.filter(has_text=first.split()[0])).to_have_count(0)
    operator_page.get_by_role("link", name="First page").click()
    expect(rows.filter(has_text=first.split()[0]).first).to_be_visible()


def test_settings_can_be_searched_and_limited_to_changed_ones(operator_page: Page) -> None:
    operator_page.get_by_role("link", name="Settings").click()
    row = operator_page.get_by_role("row")
    expect(row.nth(20)).to_be_visible()
    operator_page.get_by_role("switch", name="Changed only").click()
    expect(operator_page.get_by_role("cell", name="Default", exact=True)).to_have_count(0)
    changed = row.filter(has_text="ETRACKER_SAMPLE_SECONDS")
    expect(changed).to_contain_text(re.compile(r"Changed from \d+"))
    operator_page.get_by_label("Search settings").fill("sample_seconds")
    expect(row).to_have_count(2)
    expect(changed).to_have_count(1)
    operator_page.get_by_label("Search settings").fill("nothing-is-called-so")
    expect(operator_page.get_by_text("No matches")).to_be_visible()


def test_a_swarm_shows_its_peers(operator_page: Page, api: httpx.Client, torrent_file: Callable[[str], Path]) -> None:
    info_hash = upload(api, torrent_file("watched"))
    seed(api, info_hash)
    operator_page.goto(f"/operator/swarms/{info_hash}")
    row = operator_page.get_by_role("row").filter(has_text="127.0.0.1:51413")
    expect(row).to_contain_text("Seeder")
    expect(row).to_contain_text("-TR4060-")
    operator_page.goto("/operator/audit?action=peers.read")
    expect(operator_page.get_by_role("row").filter(has_text=info_hash)).to_contain_text("environment")


def look_as(page: Page, api_key: str) -> None:
    """Open the list of operators with another API key."""
    page.evaluate("key => sessionStorage.setItem('etracker.api-key', key)", api_key)
    page.goto("/operator/operators")


def seed(api: httpx.Client, info_hash: str) -> None:
    """Announce a seeder with a key of its own."""
    key = api.post("/api/v1/keys").raise_for_status().json()["announce_key"]
    query = "".join(f"%{info_hash[at : at + 2]}" for at in range(0, 40, 2))
    query = f"info_hash={query}&peer_id=-TR4060-abcdefghijkl&port=51413&left=0&uploaded=0&downloaded=0&event=started"
    api.get(f"/{key}/announce?{query}").raise_for_status()


def test_a_list_is_banned_found_changed_and_lifted(operator_page: Page, api: httpx.Client) -> None:
    page = operator_page
    page.get_by_role("link", name="Bans").click()
    page.get_by_label("Reason").fill("scans our ports")
    page.get_by_label("How long").select_option("For a week")
    page.get_by_role("textbox", name="Networks").fill("198.51.100.0/24\n45.0.0.0/8\nnonsense")
    page.get_by_role("button", name="Ban", exact=True).click()
    expect(page.get_by_text("1 ban added, 0 extended, 0 already banned, 2 refused")).to_be_visible()
    expect(page.get_by_text("Line 3, nonsense: This is neither an address nor a network")).to_be_visible()
    page.get_by_role("button", name="Ban this one anyway").click()
    expect(page.get_by_text("1 ban added, 0 extended, 1 already banned, 1 refused")).to_be_visible()

    page.get_by_label("Search bans").fill("198.51.100.77")
    row = page.get_by_role("row").filter(has_text="198.51.100.0/24")
    expect(page.get_by_role("row")).to_have_count(2)
    expect(row).to_contain_text("scans our ports")
    row.get_by_role("button", name="Change").click()
    page.get_by_role("dialog").get_by_label("How long from now").select_option("Permanently")
    page.get_by_role("button", name="Save").click()
    expect(row).to_contain_text("never")
    row.get_by_role("button", name="Lift").click()
    page.get_by_role("dialog").get_by_role("button", name="Lift").click()
    expect(page.get_by_text("No matches")).to_be_visible()
    left = api.get("/api/v1/bans").json()["items"]
    assert [item["value"] for item in left] == ["45.0.0.0/8"]
    api.delete(f"/api/v1/bans/{left[0]['id']}")


def test_statistics_of_a_key_and_of_a_torrent_are_corrected(operator_page: Page, api: httpx.Client) -> None:
    page = operator_page
    api.post("/api/v1/keys")
    api.post("/api/v1/infohashes", json={"info_hash": "5b" * 20, "name": "miscounted"})
    for link, button, way, amount in (
        ("Announce keys", re.compile("^Correct statistics of key"), "Set to", "1048576"),
        ("Infohashes", re.compile("^Correct statistics"), "Add", "2,000"),
    ):
        page.get_by_role("link", name=link).click()
        row = page.get_by_role("row").filter(has_text="miscounted") if link == "Infohashes" else page.get_by_role("row")
        row.get_by_role("button", name=button).first.click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Change").select_option(way)
        dialog.get_by_role("button", name="Correct").click()
        expect(dialog.get_by_text("Enter a whole number.")).to_be_visible()
        expect(dialog.get_by_text("Enter a reason.")).to_be_visible()
        dialog.get_by_label("Amount").fill(amount)
        dialog.get_by_label("Reason").fill("a test")
        dialog.get_by_role("button", name="Correct").click()
        expect(dialog).to_have_count(0)
    expect(page.get_by_role("row").filter(has_text="miscounted")).to_be_visible()
    assert api.get(f"/api/v1/infohashes/{'5b' * 20}").json()["uploaded_bytes"] == 2000
    api.delete(f"/api/v1/infohashes/{'5b' * 20}")
