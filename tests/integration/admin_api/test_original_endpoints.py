"""The original's endpoints in the original's shapes: its frontend and scripts must work unchanged."""

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from fastbencode import bdecode, bencode
from httpx import AsyncClient

from etracker_admin_api.settings import AdminSettings
from etracker_shared.agreements.notifications import INFOHASHES_CHANNEL, parse_payload
from etracker_shared.language.identity import hash_announce_key
from tests.support.admin_api import AUTHORIZED, serving
from tests.support.torrent_files import torrent, v1_info
from tests.support.torrents import Version, info_hash_v1, info_hash_v2, make_content, make_torrent

INFO_HASH = bytes(range(20))
BASE64 = base64.b64encode(INFO_HASH).decode()


async def upload(client: AsyncClient, data: bytes) -> dict[str, object]:
    response = await client.post("/api/torrentfile", headers=AUTHORIZED, files={"file": ("a.torrent", data)})
    assert response.status_code in {200, 201}, response.text
    answer: dict[str, object] = response.json()
    return answer


async def generate(client: AsyncClient) -> str:
    response = await client.get("/api/generate")
    assert response.status_code == 200
    return str(response.json()["announce_key"])


async def test_an_empty_tracker_has_three_zeros(client: AsyncClient) -> None:
    response = await client.get("/api/stats")
    assert response.json() == {"hashcount": 0, "seeders": 0, "leechers": 0}


async def test_a_generated_key_is_30_hex_digits_and_registered(
    client: AsyncClient, database: asyncpg.Connection
) -> None:
    response = await client.get("/api/generate")
    assert set(response.json()) == {"announce_key"}
    assert re.fullmatch("[0-9a-f]{30}", response.json()["announce_key"])
    assert response.headers["cache-control"] == "no-store"
    stored = await database.fetchval("SELECT key_hash FROM peers")
    assert stored == hash_announce_key(response.json()["announce_key"])


async def test_an_added_infohash_is_listed_as_the_original_lists_it(client: AsyncClient) -> None:
    response = await client.post("/api/infohash", headers=AUTHORIZED, json={"info_hash": BASE64, "name": "a film"})
    assert response.status_code == 201
    row = {"name": "a film", "downloaded": 0, "seeders": 0, "leechers": 0, "info_hash": BASE64}
    listed = (await client.get("/api/infohashes")).json()
    assert listed == [row]
    assert list(listed[0]) == ["name", "downloaded", "seeders", "leechers", "info_hash"]
    assert (await client.get("/api/stats")).json()["hashcount"] == 1


async def test_an_empty_list_is_a_list(client: AsyncClient) -> None:
    response = await client.get("/api/infohashes")
    assert (response.json(), response.headers["content-type"]) == ([], "application/json")


async def test_an_infohash_is_read_from_a_body_without_content_type(client: AsyncClient) -> None:
    body = f'{{"info_hash": "{BASE64}"}}'.encode()
    assert (await client.post("/api/infohash", headers=AUTHORIZED, content=body)).status_code == 201


async def test_adding_an_infohash_twice_changes_nothing_and_says_so(
    client: AsyncClient, database: asyncpg.Connection
) -> None:
    statuses = [
        (await client.post("/api/infohash", headers=AUTHORIZED, json={"info_hash": BASE64, "name": name})).status_code
        for name in ("first", "second")
    ]
    assert statuses == [201, 200]
    assert await database.fetchval("SELECT string_agg(name, ' ') FROM infohashes") == "first"


@pytest.mark.parametrize("form", ["body", "query in hex"])
async def test_a_removed_infohash_is_gone(client: AsyncClient, form: str) -> None:
    await client.post("/api/infohash", headers=AUTHORIZED, json={"info_hash": BASE64, "name": "x"})
    where = {"json": {"info_hash": BASE64}} if form == "body" else {"params": {"info_hash": INFO_HASH.hex()}}
    assert (await client.request("DELETE", "/api/infohash", headers=AUTHORIZED, **where)).status_code == 200  # type: ignore[arg-type]
    assert (await client.get("/api/infohashes")).json() == []
    assert (await client.request("DELETE", "/api/infohash", headers=AUTHORIZED, **where)).status_code == 404  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"[]",
        b"null",
        b"{}",
        b'{"info_hash": 5}',
        b'{"info_hash": "short"}',
        b'{"info_hash": "' + b"A" * 27 + b'!"}',
        f'{{"info_hash": "{BASE64}", "name": 5}}'.encode(),
        f'{{"info_hash": "{BASE64}", "name": "a\\u0000b"}}'.encode(),
        f'{{"info_hash": "{BASE64}", "name": "\\ud800"}}'.encode(),
        f'{{"info_hash": "{BASE64}", "name": "a\\nb"}}'.encode(),
        f'{{"info_hash": "{BASE64}", "name": "{"x" * 2000}"}}'.encode(),
        b"[" * 60_000,
        b"\xff\xfe",
    ],
)
async def test_a_wrong_body_gets_400_with_a_sentence_and_changes_nothing(
    client: AsyncClient, database: asyncpg.Connection, body: bytes
) -> None:
    response = await client.post("/api/infohash", headers=AUTHORIZED, content=body)
    assert response.status_code == 400
    assert set(response.json()) == {"message", "request_id"}
    assert response.json()["message"].endswith(".")
    assert await database.fetchval("SELECT count(*) FROM infohashes") == 0


async def test_adding_and_removing_tells_every_announce_replica(
    client: AsyncClient, database: asyncpg.Connection
) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    await database.add_listener(INFOHASHES_CHANNEL, lambda *message: heard.put_nowait(str(message[-1])))
    for method in ("POST", "DELETE"):
        await client.request(method, "/api/infohash", headers=AUTHORIZED, json={"info_hash": BASE64})
        async with asyncio.timeout(1):
            assert parse_payload(await heard.get()) == [INFO_HASH]


async def test_an_uploaded_torrent_comes_back_with_the_announce_url_of_the_key(client: AsyncClient) -> None:
    data = torrent(v1_info(), announce=b"http://other.test/announce")
    key, answer = await generate(client), await upload(client, data)
    assert answer["info_hash_v1"] == info_hash_v1(data).hex()
    assert answer["changed"] is False
    query = {"announce_key": key, "info_hash": info_hash_v1(data).hex()}
    response = await client.get("/api/torrentfile", params=query, headers={"Host": "tracker.test:3000"})
    assert response.headers["content-type"] == "application/x-bittorrent"
    assert response.headers["content-disposition"].startswith('attachment; filename="a film.mkv.torrent"')
    downloaded = bdecode(response.content)
    assert downloaded[b"announce"] == f"http://tracker.test:3001/{key}/announce".encode()
    assert info_hash_v1(response.content) == info_hash_v1(data)


async def test_an_upload_that_wasnt_private_returns_its_new_infohash(client: AsyncClient) -> None:
    public = torrent(v1_info(private=None))
    answer = await upload(client, public)
    assert answer["changed"] is True
    assert answer["info_hash_v1"] == info_hash_v1(torrent(v1_info(private=1))).hex()
    assert [row["info_hash"] for row in (await client.get("/api/infohashes")).json()] == [answer["info_hash"]]


async def test_uploading_again_changes_nothing_and_says_so(client: AsyncClient, database: asyncpg.Connection) -> None:
    first = await client.post("/api/torrentfile", headers=AUTHORIZED, files={"file": torrent(v1_info())})
    second = await client.post("/api/torrentfile", headers=AUTHORIZED, files={"file": torrent(v1_info())})
    assert (first.status_code, second.status_code) == (201, 200)
    assert await database.fetchval("SELECT count(*) FROM infohashes") == 1


async def test_an_upload_completes_a_torrent_that_was_added_by_its_infohash(
    client: AsyncClient, database: asyncpg.Connection
) -> None:
    data = torrent(v1_info())
    await database.execute("INSERT INTO infohashes (info_hash, downloaded) VALUES ($1, 7)", info_hash_v1(data))
    await upload(client, data)
    [row] = await database.fetch("SELECT name, length, downloaded, file FROM infohashes")
    assert (row["name"], row["length"], row["downloaded"]) == ("a film.mkv", 100_000, 7)
    assert bdecode(row["file"])[b"info"] == bdecode(data)[b"info"]


@pytest.fixture
def hybrid(tmp_path: Path) -> bytes:
    return make_torrent(make_content(tmp_path / "content.bin", 600_000), version=Version.HYBRID)


async def test_a_hybrid_is_tracked_by_both_infohashes_as_one_torrent(
    client: AsyncClient, database: asyncpg.Connection, hybrid: bytes
) -> None:
    await upload(client, hybrid)
    v1, v2 = info_hash_v1(hybrid), info_hash_v2(hybrid)
    rows = {row["info_hash"]: row for row in await database.fetch("SELECT * FROM infohashes")}
    assert set(rows) == {v1, v2[:20]}
    assert rows[v2[:20]]["same_as"] == rows[v1]["id"]
    assert rows[v1]["same_as"] is None
    assert rows[v1]["info_hash_v2"] == rows[v2[:20]]["info_hash_v2"] == v2
    assert rows[v1]["length"] == rows[v2[:20]]["length"] == 600_000
    assert (
        len((await client.get("/api/infohashes")).json()) == (await client.get("/api/stats")).json()["hashcount"] == 1
    )


async def test_a_hybrid_added_by_its_v2_infohash_first_keeps_that_rows_statistics(
    client: AsyncClient, database: asyncpg.Connection, hybrid: bytes
) -> None:
    v2 = info_hash_v2(hybrid)[:20]
    await database.execute("INSERT INTO infohashes (info_hash, name, downloaded) VALUES ($1, 'old', 3)", v2)
    await upload(client, hybrid)
    await upload(client, hybrid)
    [primary] = await database.fetch("SELECT info_hash, downloaded, name FROM infohashes WHERE same_as IS NULL")
    assert tuple(primary) == (v2, 3, "old")
    assert await database.fetchval("SELECT count(*) FROM infohashes WHERE same_as IS NOT NULL") == 1


@pytest.mark.parametrize("version", [1, 2])
async def test_a_hybrid_is_downloaded_and_removed_by_either_infohash(
    client: AsyncClient, database: asyncpg.Connection, hybrid: bytes, version: int
) -> None:
    await upload(client, hybrid)
    named = info_hash_v1(hybrid) if version == 1 else info_hash_v2(hybrid)[:20]
    query = {"announce_key": await generate(client), "info_hash": named.hex()}
    assert (await client.get("/api/torrentfile", params=query)).status_code == 200
    response = await client.request("DELETE", "/api/infohash", headers=AUTHORIZED, params={"info_hash": named.hex()})
    assert response.status_code == 200
    assert await database.fetchval("SELECT count(*) FROM infohashes") == 0


async def test_the_same_hybrid_uploaded_ten_times_at_once_is_one_torrent(
    client: AsyncClient, database: asyncpg.Connection, hybrid: bytes
) -> None:
    await asyncio.gather(*(upload(client, hybrid) for _ in range(10)))
    rows = await database.fetch("SELECT same_as FROM infohashes ORDER BY id")
    assert len(rows) == 2
    assert sum(row["same_as"] is None for row in rows) == 1


@pytest.mark.promise(4)
async def test_a_v2_torrent_is_tracked_by_its_truncated_infohash(client: AsyncClient, tmp_path: Path) -> None:
    data = make_torrent(make_content(tmp_path / "content.bin", 600_000), version=Version.V2)
    answer = await upload(client, data)
    assert (answer["info_hash_v1"], answer["info_hash_v2"]) == (None, info_hash_v2(data).hex())
    assert answer["info_hash"] == base64.b64encode(info_hash_v2(data)[:20]).decode()


@pytest.mark.parametrize(
    ("key", "info_hash", "status"),
    [
        (None, INFO_HASH.hex(), 404),
        (None, "00" * 20, 404),
        (None, "nonsense", 400),
        ("0" * 30, INFO_HASH.hex(), 403),
        ("../../etc", INFO_HASH.hex(), 403),
        ("\0", INFO_HASH.hex(), 403),
        ("", INFO_HASH.hex(), 403),
    ],
)
async def test_a_download_that_cant_be_is_refused_with_a_sentence(
    client: AsyncClient, key: str | None, info_hash: str, status: int
) -> None:
    await client.post("/api/infohash", headers=AUTHORIZED, json={"info_hash": BASE64, "name": "no file"})
    known = await generate(client)
    query = {"announce_key": known if key is None else key, "info_hash": info_hash}
    response = await client.get("/api/torrentfile", params=query)
    assert response.status_code == status
    assert response.json()["message"].endswith(".")


async def test_a_file_that_an_operator_stored_wrongly_is_no_server_error(
    client: AsyncClient, database: asyncpg.Connection
) -> None:
    await database.execute("INSERT INTO infohashes (info_hash, file) VALUES ($1, 'no torrent')", INFO_HASH)
    query = {"announce_key": await generate(client), "info_hash": INFO_HASH.hex()}
    assert (await client.get("/api/torrentfile", params=query)).status_code == 404


async def test_the_operators_host_name_stands_in_downloads(admin_settings: AdminSettings) -> None:
    settings = admin_settings.model_copy(update={"frontend_hostname": "https://tracker.example"})
    async with serving(settings) as client:
        data = torrent(v1_info())
        await upload(client, data)
        query = {"announce_key": await generate(client), "info_hash": info_hash_v1(data).hex()}
        announce = bdecode((await client.get("/api/torrentfile", params=query)).content)[b"announce"]
        assert announce == f"https://tracker.example/{query['announce_key']}/announce".encode()


async def test_a_hostile_file_name_stays_inside_its_header(client: AsyncClient) -> None:
    data = torrent(v1_info(name='a"; filename="evil.exe; Ü%0d%0a'.encode()))
    await upload(client, data)
    query = {"announce_key": await generate(client), "info_hash": info_hash_v1(data).hex()}
    header = (await client.get("/api/torrentfile", params=query)).headers["content-disposition"]
    assert header.startswith("attachment; filename=\"a_ filename_evil.exe_ U_0d_0a.torrent\"; filename*=UTF-8''a%22%3B")


@pytest.mark.parametrize(
    "files",
    [
        {"file": b"no torrent"},
        {"file": bencode({b"info": {b"name": b".."}})},
        {"another": torrent(v1_info())},
        {"file": b""},
    ],
)
async def test_a_wrong_upload_gets_400_with_a_sentence_and_changes_nothing(
    client: AsyncClient, database: asyncpg.Connection, files: dict[str, bytes]
) -> None:
    response = await client.post("/api/torrentfile", headers=AUTHORIZED, files=files)
    assert response.status_code == 400
    assert response.json()["message"].endswith(".")
    assert await database.fetchval("SELECT count(*) FROM infohashes") == 0


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", b"--x--"),
        ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data; boundary=x", b"nonsense"),
        ("multipart/form-data; boundary=x", b"--x\r\nnonsense\r\n\r\n"),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\nbody\r\n--x--"),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nhi\r\n--x--'),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nd',
        ),
        ("multipart/form-data; boundary=x; charset=nonsense", b"--x--"),
        ("multipart/form-data; boundary=" + "x" * 5000, b"--x--"),
    ],
)
async def test_a_wrong_form_gets_400_with_a_sentence(client: AsyncClient, content_type: str, body: bytes) -> None:
    headers = {**AUTHORIZED, "Content-Type": content_type}
    response = await client.post("/api/torrentfile", headers=headers, content=body)
    assert response.status_code == 400
    assert response.json()["message"].endswith(".")


async def test_an_endless_upload_is_cut_off_at_the_limit(client: AsyncClient) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        while True:
            sent += 1
            yield bytes(1024 * 1024)

    headers = {**AUTHORIZED, "Content-Type": "multipart/form-data; boundary=x"}
    response = await client.post("/api/torrentfile", headers=headers, content=endless())
    assert response.status_code == 413
    assert "larger than 16 MiB" in response.json()["message"]
    assert sent <= 18
