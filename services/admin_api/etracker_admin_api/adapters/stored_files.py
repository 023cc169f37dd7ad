"""Torrent files in Postgres, read in pieces."""

import asyncio
import hashlib
import secrets

from sqlalchemy import LargeBinary, func, select, update

from etracker_admin_api.adapters.database import LONG_DEADLINE_SECONDS, Database
from etracker_admin_api.domain.downloads import FileChangedError, StoredFile
from etracker_shared.identity import InfoHash
from etracker_shared.tables import infohashes

READS_AT_ONCE = 4
"""Connections that downloads take at most, of the ten there are."""
NO_TORRENT = 0

_columns = infohashes.c
_aliases = infohashes.alias("aliases")


class PostgresStoredFiles:
    """See :class:`~etracker_admin_api.ports.StoredFiles`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reads = asyncio.Semaphore(READS_AT_ONCE)

    async def find(self, info_hash: InfoHash) -> StoredFile | None:
        """See the port."""
        statement = (
            select(_columns.id, _columns.name, func.octet_length(_columns.file), _columns.file_mark)
            .join_from(infohashes, _aliases, _columns.id == func.coalesce(_aliases.c.same_as, _aliases.c.id))
            .where(_aliases.c.info_hash == info_hash)
        )
        async with self._reads, self._database.transaction() as connection:
            row = (await connection.execute(statement)).first()
        return None if row is None else StoredFile(*row)

    async def piece(self, stored: StoredFile, offset: int, size: int) -> bytes:
        """See the port."""
        piece = func.substring(_columns.file, offset + 1, size, type_=LargeBinary)
        statement = select(piece).where(_columns.id == stored.id, _columns.file_mark == stored.mark)
        async with self._reads, self._database.transaction() as connection:
            found: bytes | None = await connection.scalar(statement)
        if found is None:
            raise FileChangedError
        return found

    async def unchecked(self, stored: StoredFile) -> bytes | None:
        """See the port."""
        statement = select(_columns.file).where(_columns.id == stored.id, _columns.file_mark.is_(None))
        async with self._reads, self._database.transaction(LONG_DEADLINE_SECONDS) as connection:
            found: bytes | None = await connection.scalar(statement)
        return found

    async def settle(self, stored: StoredFile, unchecked: bytes, stripped: bytes | None) -> None:
        """See the port."""
        values = {"file_mark": NO_TORRENT} if stripped is None else {"file_mark": new_mark(), "file": stripped}
        same_file = func.sha256(_columns.file) == hashlib.sha256(unchecked).digest()
        statement = update(infohashes).where(_columns.id == stored.id, _columns.file_mark.is_(None), same_file)
        async with self._database.transaction(LONG_DEADLINE_SECONDS) as connection:
            await connection.execute(statement.values(values))


def new_mark() -> int:
    """Return a mark that no file has had."""
    return secrets.randbits(62) + 1
