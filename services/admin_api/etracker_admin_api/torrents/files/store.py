"""Stored torrent files in Postgres, read in pieces."""

import asyncio
import hashlib
import secrets
from dataclasses import dataclass

from sqlalchemy import LargeBinary, func, select, update

from etracker_admin_api.database import LONG_DEADLINE_SECONDS, Database, fetch_first
from etracker_admin_api.errors import FileChangedError
from etracker_admin_api.queries import torrent_id
from etracker_admin_api.torrent_file.marks import NOT_A_TORRENT, new_mark
from etracker_admin_api.torrent_file.rewriting import StrippedFile
from etracker_shared.agreements.tables import infohashes
from etracker_shared.language.identity import InfoHash

READS_AT_ONCE = 4
"""Connections that downloads may take, of the pool's ten."""

_columns = infohashes.c


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A tracked torrent, and what is known about its file.

    ``size`` is in bytes, or None if the file hasn't been uploaded. ``mark``: see ``torrent_file/marks.py``.
    """

    id: int
    name: str
    size: int | None
    mark: int | None


class FileStore:
    """The stored torrent files. Every method raises PostgresUnavailableError within a few seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reads = asyncio.Semaphore(READS_AT_ONCE)

    async def find(self, info_hash: InfoHash) -> StoredFile | None:
        """Return the torrent that has this infohash, without the file itself."""
        size, mark = func.octet_length(_columns.file).label("size"), _columns.file_mark.label("mark")
        statement = select(_columns.id, _columns.name, size, mark).where(_columns.id == torrent_id(info_hash))
        async with self._reads, self._database.transaction() as connection:
            return await fetch_first(connection, statement, StoredFile)

    async def piece(self, stored: StoredFile, offset: int, size: int) -> bytes:
        """Return up to ``size`` bytes of a file from ``offset`` on; no connection is held between two pieces.

        Raises:
            FileChangedError: the file was replaced or removed since it was found.
        """
        piece = func.substring(_columns.file, offset + 1, size, type_=LargeBinary)
        statement = select(piece).where(_columns.id == stored.id, _columns.file_mark == stored.mark)
        async with self._reads, self._database.transaction() as connection:
            found: bytes | None = await connection.scalar(statement)
        if found is None:
            raise FileChangedError
        return found

    async def unchecked(self, stored: StoredFile) -> bytes | None:
        """Return a whole file that hasn't been checked yet; None if there is no longer such a file."""
        statement = select(_columns.file).where(_columns.id == stored.id, _columns.file_mark.is_(None))
        async with self._reads, self._database.transaction(LONG_DEADLINE_SECONDS) as connection:
            found: bytes | None = await connection.scalar(statement)
        return found

    async def settle(self, stored: StoredFile, unchecked: bytes, stripped: StrippedFile | None) -> None:
        """Replace an unchecked file by its stripped form, or (None) mark it as not a torrent, unless it has changed."""
        mark = NOT_A_TORRENT if stripped is None else new_mark(secrets.randbits)
        values: dict[str, object] = {"file_mark": mark}
        if stripped is not None:
            values |= {"file": stripped.file, "piece_length": stripped.piece_length, "private": stripped.private}
        same_file = func.sha256(_columns.file) == hashlib.sha256(unchecked).digest()
        statement = update(infohashes).where(_columns.id == stored.id, _columns.file_mark.is_(None), same_file)
        async with self._database.transaction(LONG_DEADLINE_SECONDS) as connection:
            await connection.execute(statement.values(values))
