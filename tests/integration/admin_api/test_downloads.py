"""Torrent files handed out: which stored ones are, how many, and with what head."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from fastbencode import bdecode, bencode
from httpx import AsyncClient

from etracker_admin_api.errors import TooManyDownloadsError
from etracker_admin_api.http.address_limit import AddressLimit
from etracker_admin_api.settings import AdminSettings
from etracker_admin_api.torrent_file.bencoding import MAX_TORRENT_BYTES
from etracker_admin_api.torrents.files.download_limit import DownloadLimit
from etracker_shared.language.addresses import parse_address
from etracker_shared.plumbing.redis_connections import connect_redis
from tests.support.admin_api import AUTHORIZED, serving
from tests.support.redis import RedisServer
from tests.support.torrent_files import folder_info, torrent, v1_info

INFO_HASH = bytes(range(20))
KEY = "ab" * 15
V1 = {"headers": {"X-Announce-Key": KEY}, "url": f"/api/v1/infohashes/{INFO_HASH.hex()}/torrent"}
ORIGINAL = {"url": "/api/torrentfile", "params": {"announce_key": KEY, "info_hash": INFO_HASH.hex()}}
LARGE = folder_info(*(([b"a%05d" % number], 1) for number in range(10_000)))
"""Large enough to be checked in a process of its own."""


@pytest.fixture
async def key(database: asyncpg.Connection) -> str:
    await database.execute("INSERT INTO peers (announce_key) VALUES ($1)", KEY)
    return KEY


async def store(database: asyncpg.Connection, file: bytes) -> None:
    await database.execute(
        "INSERT INTO infohashes (info_hash, file) VALUES ($1, $2) ON CONFLICT (info_hash) DO UPDATE SET file = $2",
        INFO_HASH,
        file,
    )


async def mark(database: asyncpg.Connection) -> int | None:
    found: int | None = await database.fetchval("SELECT file_mark FROM infohashes WHERE info_hash = $1", INFO_HASH)
    return found


@pytest.mark.parametrize("info", [v1_info(private=None), LARGE], ids=["small", "large"])
async def test_a_file_stored_by_hand_is_stripped_at_its_first_download_and_then_sent_as_it_is(
    client: AsyncClient, database: asyncpg.Connection, key: str, info: dict[bytes, object]
) -> None:
    trackers = {"announce": b"http://other.test/", "announce-list": [[b"http://other.test/"]], "url-list": b"http:"}
    await store(database, torrent(info, comment=b"kept", **trackers))
    announce = f"http://tracker.test:3001/{key}/announce".encode()
    for _ in range(2):
        answer = await client.get(**ORIGINAL)  # type: ignore[arg-type]
        assert answer.content == torrent(info, announce=announce, comment=b"kept")
        assert answer.headers["content-length"] == str(len(answer.content))
    assert await database.fetchval("SELECT file FROM infohashes") == torrent(info, comment=b"kept")
    assert await mark(database)


@pytest.mark.parametrize("file", [b"", b"d", b"de", b"no torrent", b"d4:infode" + b"x", bytes(MAX_TORRENT_BYTES + 1)])
async def test_a_file_that_is_no_torrent_is_not_there_until_it_is_replaced_by_one(
    client: AsyncClient, database: asyncpg.Connection, key: str, file: bytes
) -> None:
    await store(database, file)
    assert [(await client.get(**ORIGINAL)).status_code for _ in range(2)] == [404, 404]  # type: ignore[arg-type]
    await store(database, torrent(v1_info()))
    assert await mark(database) is None
    assert (await client.get(**ORIGINAL)).status_code == 200  # type: ignore[arg-type]


async def test_a_statement_that_leaves_a_file_as_it_is_keeps_it_marked(
    client: AsyncClient, database: asyncpg.Connection, key: str
) -> None:
    data = torrent(v1_info())
    await client.post("/api/torrentfile", headers=AUTHORIZED, files={"file": data})
    before = await database.fetchval("SELECT file_mark FROM infohashes")
    await database.execute("UPDATE infohashes SET downloaded = downloaded + 1, file = file")
    assert before is not None
    assert await database.fetchval("SELECT file_mark FROM infohashes") == before


async def test_files_are_stored_uncompressed_so_that_a_piece_costs_no_more_than_itself(
    client: AsyncClient, database: asyncpg.Connection
) -> None:
    await client.post("/api/torrentfile", headers=AUTHORIZED, files={"file": torrent(LARGE)})
    row = await database.fetchrow("SELECT pg_column_compression(file), octet_length(file) FROM infohashes")
    assert row is not None
    assert (row[0], row[1] > 256 * 1024) == (None, True)


@pytest.mark.parametrize("download", [ORIGINAL, V1], ids=["original", "v1"])
async def test_head_gives_the_head_of_a_download(
    client: AsyncClient, database: asyncpg.Connection, key: str, download: dict[str, object]
) -> None:
    await store(database, torrent(LARGE))
    whole = await client.get(**download)  # type: ignore[arg-type]
    head = await client.head(**download)  # type: ignore[arg-type]
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-length", "content-type", "content-disposition", "cache-control"):
        assert head.headers[name] == whole.headers[name]
    assert bdecode(whole.content)[b"announce"].endswith(f"/{key}/announce".encode())


async def test_head_makes_no_key(client: AsyncClient, database: asyncpg.Connection) -> None:
    assert (await client.head("/api/generate")).status_code == 405
    assert await database.fetchval("SELECT count(*) FROM peers") == 0


@pytest.mark.parametrize("download", [ORIGINAL, V1], ids=["original", "v1"])
async def test_replicas_share_the_limit_of_a_key(
    admin_settings: AdminSettings, database: asyncpg.Connection, key: str, download: dict[str, object]
) -> None:
    await store(database, torrent(v1_info()))
    settings = admin_settings.model_copy(update={"download_limit": "3/minute"})
    async with serving(settings, "192.0.2.1") as one, serving(settings, "192.0.2.2") as another:
        clients = [one, another, one, another]
        answers = [await client.get(**download) for client in clients]  # type: ignore[arg-type]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert 50 < int(answers[3].headers["retry-after"]) <= 60


async def test_an_address_is_limited_whatever_keys_it_has(
    admin_settings: AdminSettings, database: asyncpg.Connection, key: str
) -> None:
    await store(database, torrent(v1_info()))
    await database.execute("INSERT INTO peers (announce_key) VALUES ('another')")
    settings = admin_settings.model_copy(update={"download_limit": "1/minute"})
    other_key = {"url": "/api/torrentfile", "params": {"announce_key": "another", "info_hash": INFO_HASH.hex()}}
    async with serving(settings) as client:
        answers = [await client.get(**asked) for asked in (ORIGINAL, other_key)]  # type: ignore[arg-type]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[1].json()["message"].endswith(".")


async def test_a_download_that_is_refused_or_ended_takes_no_place(
    admin_settings: AdminSettings, database: asyncpg.Connection, key: str
) -> None:
    settings = admin_settings.model_copy(update={"downloads_at_once": 1})
    async with serving(settings) as client:
        statuses = [(await client.get(**ORIGINAL)).status_code for _ in range(2)]  # type: ignore[arg-type]
        await store(database, torrent(v1_info()))
        statuses += [(await client.get(**ORIGINAL)).status_code for _ in range(3)]  # type: ignore[arg-type]
    assert statuses == [404, 404, 200, 200, 200]


@pytest.fixture
async def limits(admin_settings: AdminSettings) -> AsyncIterator[list[DownloadLimit]]:
    """Two replicas' limits of two downloads at once."""
    redis = connect_redis(admin_settings)
    rate = AddressLimit(admin_settings, admin_settings.download_rate, "downloads")
    yield [DownloadLimit(redis, rate, 2) for _ in range(2)]
    await rate.close()
    await redis.aclose()


async def test_replicas_share_the_downloads_under_way(limits: list[DownloadLimit]) -> None:
    one, another = limits
    first, _ = await one.enter(KEY, None), await another.enter(KEY, None)
    with pytest.raises(TooManyDownloadsError):
        await one.enter(KEY, None)
    await first.give_back()
    await another.enter(KEY, None)


async def test_an_ipv6_network_is_one_address_and_a_refusal_leaves_nothing_counted(
    limits: list[DownloadLimit],
) -> None:
    limit = limits[0]
    addresses = [parse_address(f"2001:db8::{number}") for number in range(1, 4)]
    passes = [await limit.enter(f"key{number}", address) for number, address in enumerate(addresses[:2])]
    for _ in range(3):
        with pytest.raises(TooManyDownloadsError):
            await limit.enter("key9", addresses[2])
    for allowed in passes:
        await allowed.give_back()
    for _ in range(2):
        await limit.enter("key9", addresses[2])


async def test_while_redis_is_down_each_replica_counts_for_itself(
    admin_settings: AdminSettings, dedicated_redis: RedisServer
) -> None:
    settings = admin_settings.model_copy(update=dedicated_redis.settings().model_dump())
    redis, rate = connect_redis(settings), AddressLimit(settings, settings.download_rate, "downloads")
    one, another = (DownloadLimit(redis, rate, 1) for _ in range(2))
    dedicated_redis.stop()
    held = await one.enter(KEY, None)
    with pytest.raises(TooManyDownloadsError):
        await one.enter(KEY, None)
    await another.enter(KEY, None)
    await held.give_back()
    await one.enter(KEY, None)
    await rate.close()
    await redis.aclose()


async def test_more_uploads_than_fit_into_memory_are_told_to_come_back(client: AsyncClient) -> None:
    """The first four wait for bodies that don't come; the kind: whatever reads a large body."""
    opening = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    release = asyncio.Event()

    stalling = asyncio.Semaphore(0)

    async def stalled() -> AsyncIterator[bytes]:
        yield opening
        stalling.release()
        await release.wait()
        yield torrent(v1_info()) + b"\r\n--x--\r\n"

    headers = {**AUTHORIZED, "Content-Type": "multipart/form-data; boundary=x"}
    waiting = [
        asyncio.ensure_future(client.post("/api/torrentfile", headers=headers, content=stalled())) for _ in range(4)
    ]
    async with asyncio.timeout(10):
        for _ in waiting:
            await stalling.acquire()
        refused = [
            await client.post("/api/v1/torrents", headers=AUTHORIZED, files={"file": torrent(v1_info())}),
            await client.post("/api/v1/infohashes/bulk", headers=AUTHORIZED, json={"items": []}),
        ]
    assert {(answer.status_code, "retry-after" in answer.headers) for answer in refused} == {(503, True)}
    assert (await client.get("/api/stats")).status_code == 200
    release.set()
    assert {answer.status_code for answer in await asyncio.gather(*waiting)} <= {200, 201}


@pytest.mark.parametrize(
    "file",
    [bencode({b"info": [b""] * 500_000}), b"d4:info" + b"l" * 90_000, b"i" + b"9" * 200_000 + b"e", bytes(200_000)],
    ids=["many parts", "deep", "digits", "zeros"],
)
async def test_a_hostile_file_is_refused_by_the_process_that_checks_it(client: AsyncClient, file: bytes) -> None:
    answer = await client.post("/api/torrentfile", headers=AUTHORIZED, files={"file": file})
    assert answer.status_code == 400
    assert answer.json()["message"].endswith(".")


async def test_a_large_file_parsed_in_a_process_gives_what_a_small_one_gives(
    client: AsyncClient, database: asyncpg.Connection
) -> None:
    answer = await client.post("/api/v1/torrents", headers=AUTHORIZED, files={"file": torrent(LARGE)})
    assert answer.status_code == 201
    assert answer.json()["torrent"]["name"] == "a film.mkv"
    assert await database.fetchval("SELECT file FROM infohashes") == torrent(LARGE)
