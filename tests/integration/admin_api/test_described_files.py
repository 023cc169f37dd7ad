"""Piece length and private flag are stored wherever a file is read: at an upload, a check, or in the background."""

import secrets

import asyncpg
import pytest
from httpx import AsyncClient

from etracker_admin_api.database import Database
from etracker_admin_api.settings import AdminSettings
from etracker_admin_api.torrents.files.describing import FileDescriber
from etracker_admin_api.torrents.files.parser import TorrentParser
from tests.support.admin_api import AUTHORIZED
from tests.support.torrent_files import PIECE, folder_info, torrent, v1_info, v2_info

LARGE = folder_info(*(([b"a%05d" % number], 1) for number in range(10_000)))
KEY = "ab" * 15


async def known(database: asyncpg.Connection) -> list[tuple[int | None, bool | None]]:
    return [tuple(row) for row in await database.fetch("SELECT piece_length, private FROM infohashes ORDER BY id")]


async def store(database: asyncpg.Connection, file: bytes) -> bytes:
    info_hash = secrets.token_bytes(20)
    await database.execute("INSERT INTO infohashes (info_hash, file) VALUES ($1, $2)", info_hash, file)
    return info_hash


@pytest.mark.parametrize(
    "file",
    [torrent(v1_info()), torrent(v1_info(private=None)), torrent(v2_info()), torrent(LARGE)],
    ids=["v1", "made private", "v2", "large"],
)
async def test_an_upload_stores_both(client: AsyncClient, database: asyncpg.Connection, file: bytes) -> None:
    uploaded = await client.post("/api/torrentfile", headers=AUTHORIZED, files={"file": file})
    assert uploaded.status_code == 201, uploaded.text
    assert await known(database) == [(PIECE, True)]
    await database.execute("UPDATE infohashes SET piece_length = NULL, private = NULL")
    assert (await client.post("/api/torrentfile", headers=AUTHORIZED, files={"file": file})).status_code < 300
    assert await known(database) == [(PIECE, True)]


@pytest.mark.parametrize("info", [v1_info(private=None), LARGE], ids=["small", "large"])
async def test_the_check_at_the_first_download_stores_both(
    client: AsyncClient, database: asyncpg.Connection, info: dict[bytes, object]
) -> None:
    await database.execute("INSERT INTO peers (announce_key) VALUES ($1)", KEY)
    info_hash = await store(database, torrent(info))
    query = {"announce_key": KEY, "info_hash": info_hash.hex()}
    assert (await client.get("/api/torrentfile", params=query)).status_code == 200
    assert await known(database) == [(PIECE, b"private" in info)]


async def test_files_that_are_there_already_are_read_in_the_background(
    admin_settings: AdminSettings, database: asyncpg.Connection
) -> None:
    files = [v1_info(), v1_info(private=None), LARGE, v1_info(**{"piece length": -1}), v1_info(private=0)]
    for info in files:
        await store(database, torrent(info))
    await store(database, b"no torrent")
    await database.execute("INSERT INTO infohashes (info_hash) VALUES ('12345678901234567890')")
    before = await database.fetch("SELECT file, file_mark FROM infohashes ORDER BY id")
    stored = Database(admin_settings)
    try:
        describer = FileDescriber(stored, TorrentParser(), step_rows=2)
        assert [await describer.describe() for _ in range(2)] == [5, 0]
    finally:
        await stored.close()
    expected = [(PIECE, True), (PIECE, False), (PIECE, True), (None, True), (PIECE, False)]
    assert await known(database) == [*expected, (None, None), (None, None)]
    assert await database.fetch("SELECT file, file_mark FROM infohashes ORDER BY id") == before
