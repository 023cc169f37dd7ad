import re

import asyncpg
from httpx import AsyncClient

from etracker_admin_api.routes.pages import PAGE_ROWS

ELSEWHERE = re.compile(r"""(src|href|action)\s*=\s*["']?(https?:)?//""")


async def test_the_front_page_shows_the_statistics_and_where_announce_urls_start(
    client: AsyncClient, database: asyncpg.Connection
) -> None:
    await database.execute("INSERT INTO infohashes (info_hash) VALUES (decode(repeat('ab', 20), 'hex'))")
    page = await client.get("/", headers={"Host": "tracker.test:3000"})
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<dt>Torrents</dt><dd>1</dd>" in page.text
    assert 'data-origin="http://tracker.test:3000"' in page.text


async def test_pages_load_nothing_from_elsewhere_and_run_nothing_but_their_own(client: AsyncClient) -> None:
    for path in ("/", "/infohashes"):
        page = await client.get(path)
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert not ELSEWHERE.search(page.text)
        assert page.text.count("<script") == page.text.count("<style") == 1


async def test_hostile_names_stay_text(client: AsyncClient, database: asyncpg.Connection) -> None:
    name = """<script>alert(1)</script>" onmouseover="x" {{ 7 * 7 }}"""
    await database.execute(
        "INSERT INTO infohashes (info_hash, name) VALUES (decode(repeat('ab', 20), 'hex'), $1)", name
    )
    page = (await client.get("/infohashes")).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&#34; onmouseover=&#34;x&#34; {{ 7 * 7 }}" in page


async def test_a_forged_host_stays_out_of_the_page(client: AsyncClient) -> None:
    page = await client.get("/", headers={"Host": 'x"><script>alert(1)</script>'})
    assert "alert(1)" not in page.text


async def test_long_lists_come_in_pages(client: AsyncClient, database: asyncpg.Connection) -> None:
    await database.execute(
        "INSERT INTO infohashes (info_hash, name) SELECT substring(sha256(n::text::bytea) FOR 20), 'number ' || n "
        "FROM generate_series(1, $1::int) AS n",
        PAGE_ROWS + 1,
    )
    first = (await client.get("/infohashes")).text
    following = re.search(r'href="(/infohashes\?after=\d+)"', first)
    assert following
    second = (await client.get(following[1])).text
    assert (first.count("number "), second.count("number ")) == (PAGE_ROWS, 1)
    assert "First page" in second
    assert "Next page" not in second


async def test_any_page_number_gives_a_page(client: AsyncClient) -> None:
    for after in ("-1", "x", "9" * 18, "9" * 400, "٣", "%00"):
        assert (await client.get("/infohashes", params={"after": after})).status_code == 200
