"""Removes old rows: the sessions of silent guests soon, everything else after weeks.

Once a day, sessions without announces for weeks are folded into their memberships, and old raw facts are deleted.
"""

import asyncio
from datetime import UTC, datetime, timedelta

from structlog import get_logger

from etracker_scoring.worker.upkeep.archive import Archive

SESSIONS_LAST = timedelta(weeks=8)
"""A base is of no use after this time: outages of the tracker and holidays are shorter."""

GRACES_LAST = timedelta(days=1)
"""Much longer than a promise, so that a delayed worker still finds it."""

PREFIXES_LAST = timedelta(days=180)
"""A prefix that a key hasn't used for this time is new to it again."""

DAY_SECONDS = 24 * 3600
GUESTS_SECONDS = 600
STEP_PAUSE_SECONDS = 0.05

log = get_logger("folding")


class Folding:
    """Folds and deletes in small steps.

    ``facts_last``, ``guests_last``: how long raw facts and the sessions of silent guests are kept.
    """

    def __init__(self, archive: Archive, facts_last: timedelta, guests_last: timedelta) -> None:
        self._archive = archive
        self._facts_last = facts_last
        self._guests_last = guests_last

    async def run(self) -> None:
        """Fold now and every day, and delete silent guests' sessions in between.

        Raises:
            PostgresUnavailableError: Postgres isn't available.
        """
        while True:
            await self.fold(datetime.now(UTC))
            for _ in range(DAY_SECONDS // GUESTS_SECONDS):
                await asyncio.sleep(GUESTS_SECONDS)
                await self.forget_guests(datetime.now(UTC))

    async def forget_guests(self, now: datetime) -> None:
        """Delete the sessions of silent guests."""
        row: int | None = 0
        while row is not None:
            row = await self._archive.forget_guests(row, now - self._guests_last)
            await asyncio.sleep(STEP_PAUSE_SECONDS)

    async def fold(self, now: datetime) -> None:
        """Fold old sessions and delete old facts."""
        row: int | None = 0
        while row is not None:
            row = await self._archive.fold_sessions(row, now - SESSIONS_LAST)
            await asyncio.sleep(STEP_PAUSE_SECONDS)
        while await self._archive.forget_guest_snatches(now - SESSIONS_LAST):  # noqa: ASYNC110 - as below
            await asyncio.sleep(STEP_PAUSE_SECONDS)
        while await self._archive.forget_graces(now - GRACES_LAST):  # noqa: ASYNC110 - as below
            await asyncio.sleep(STEP_PAUSE_SECONDS)
        while await self._archive.forget_credits(now):  # noqa: ASYNC110 - as below
            await asyncio.sleep(STEP_PAUSE_SECONDS)
        while await self._archive.forget_prefixes(now - PREFIXES_LAST):  # noqa: ASYNC110 - as below
            await asyncio.sleep(STEP_PAUSE_SECONDS)
        while await self._archive.forget_facts(now - self._facts_last):  # noqa: ASYNC110 - a pause between steps
            await asyncio.sleep(STEP_PAUSE_SECONDS)
        log.info("old_sessions_folded")
