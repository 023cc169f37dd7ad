"""Reading piece length and private flag from stored files, where they aren't known yet.

Releases before these columns didn't store them, and operators store files with SQL.
"""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from structlog import get_logger

from etracker_admin_api.database import LONG_DEADLINE_SECONDS, Database
from etracker_admin_api.errors import TorrentError
from etracker_admin_api.torrent_file.bencoding import MAX_TORRENT_BYTES
from etracker_admin_api.torrent_file.marks import NOT_A_TORRENT
from etracker_admin_api.torrents.files.parser import TorrentParser
from etracker_shared.agreements.tables import infohashes

DESCRIBE_EVERY_SECONDS = 6 * 3600
DESCRIBE_LOCK = 0x65746465
"""Advisory lock key ("etde"): one replica reads files at a time."""
STEP_ROWS = 2000
"""Rows that are looked at in one query."""
PAUSE_SECONDS = 0.05
"""After each file and each step, so that reading a million files takes little of anything at any moment."""

log = get_logger("admin_api")

_columns = infohashes.c
_UNKNOWN: ColumnElement[bool] = and_(
    _columns.file.is_not(None),
    or_(_columns.file_mark.is_(None), _columns.file_mark != NOT_A_TORRENT),
    _columns.private.is_(None),
    func.octet_length(_columns.file) <= MAX_TORRENT_BYTES,
)


class _Step(NamedTuple):
    last: int
    unknown: Sequence[int]


class FileDescriber:
    """Fills in what stored files say about their torrents. The files themselves stay as they are."""

    def __init__(self, database: Database, parser: TorrentParser, step_rows: int = STEP_ROWS) -> None:
        self._database = database
        self._parser = parser
        self._step_rows = step_rows

    async def run(self) -> None:
        """Read at once, and then every few hours.

        Raises:
            PostgresUnavailableError: Postgres went down; what was read stays.
        """
        while True:
            async with self._database.session_lock(DESCRIBE_LOCK) as held:
                if held and (described := await self.describe()):
                    log.info("torrent_files_described", files=described)
            await asyncio.sleep(DESCRIBE_EVERY_SECONDS)

    async def describe(self) -> int:
        """Read all files of which too little is known; return how many could be read.

        Raises:
            PostgresUnavailableError: Postgres went down.
        """
        described, after = 0, 0
        while (step := await self._find(after)) is not None:
            for row_id in step.unknown:
                described += await self._describe(row_id)
                await asyncio.sleep(PAUSE_SECONDS)
            after = step.last
            await asyncio.sleep(PAUSE_SECONDS)
        return described

    async def _find(self, after: int) -> _Step | None:
        window = select(_columns.id).where(_columns.id > after).order_by(_columns.id).limit(self._step_rows).subquery()
        async with self._database.transaction(LONG_DEADLINE_SECONDS) as connection:
            last = await connection.scalar(select(func.max(window.c.id)))
            if last is None:
                return None
            within = select(_columns.id).where(_columns.id > after, _columns.id <= last, _UNKNOWN)
            return _Step(last, list(await connection.scalars(within.order_by(_columns.id))))

    async def _describe(self, row_id: int) -> bool:
        async with self._database.transaction(LONG_DEADLINE_SECONDS) as connection:
            file = await connection.scalar(select(_columns.file).where(_columns.id == row_id, _UNKNOWN))
        if file is None:
            return False
        try:
            known = await self._parser.strip(bytes(file))
        except TorrentError:  # its first download says so
            return False
        values = {"piece_length": known.piece_length, "private": known.private}
        async with self._database.transaction() as connection:
            await connection.execute(update(infohashes).where(_columns.id == row_id, _UNKNOWN).values(values))
        return True
