"""Statistics over time in Postgres: samples are taken by one replica at a time and read by all."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import func, select, text, union_all
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from etracker_admin_api.database import LONG_DEADLINE_SECONDS, Database, fetch, fetch_first
from etracker_admin_api.queries import torrent_id
from etracker_admin_api.statistics.history import (
    TORRENT_LADDER,
    TRACKER_LADDER,
    Reading,
    Rung,
    TorrentSample,
    Totals,
)
from etracker_admin_api.statistics.live_counts import LiveTotals
from etracker_shared.agreements.tables import infohashes, torrent_samples, totals, tracker_samples
from etracker_shared.language.identity import InfoHash

SAMPLE_LOCK = 0x65747273
"""Advisory lock key ("etrs"): one replica takes samples at a time."""

RATE_SECONDS = (55, 180)
"""Age of the sample from which the rate of announces is measured: old enough for a precise rate, and still recent."""

_samples = tracker_samples.c
_torrents = torrent_samples.c

# Steps that have ended, with finer samples but no coarser one yet: this includes steps that ended while nothing ran.
_ROLL_UP = text("""
WITH asked AS (
    SELECT CAST(:fine AS integer) AS fine, CAST(:coarse AS integer) AS coarse,
        make_interval(secs => CAST(:coarse AS integer)) AS step, CAST(:now AS timestamptz) AS moment
)
INSERT INTO tracker_samples (
    step_seconds, at, torrents, swarms, seeders, leechers, announces, snatches, uploaded_bytes, downloaded_bytes
)
SELECT coarse, date_bin(step, at - interval '1 microsecond', 'epoch') + step AS ended,
    avg(torrents), avg(swarms), avg(seeders), avg(leechers),
    max(announces), max(snatches), max(uploaded_bytes), max(downloaded_bytes)
FROM asked JOIN tracker_samples ON step_seconds = fine AND at <= date_bin(step, moment, 'epoch')
    AND at > (SELECT coalesce(max(at), '-infinity') FROM tracker_samples WHERE step_seconds = coarse)
GROUP BY coarse, ended
ON CONFLICT DO NOTHING
""")

# What changed since the last round. Counts change together with counted_time, snatches with last_seen.
_TAKE_TORRENTS = text("""
INSERT INTO torrent_samples (info_hash_id, at, seeders, leechers, snatches)
SELECT id, CAST(:now AS timestamptz), infohashes.seeders, infohashes.leechers, infohashes.downloaded
FROM infohashes LEFT JOIN LATERAL (
    SELECT * FROM torrent_samples WHERE info_hash_id = infohashes.id ORDER BY at DESC LIMIT 1
) latest ON true
WHERE same_as IS NULL AND greatest(counted_time, last_seen) > CAST(:since AS timestamptz)
    AND (infohashes.seeders, infohashes.leechers, infohashes.downloaded)
        IS DISTINCT FROM (coalesce(latest.seeders, 0), coalesce(latest.leechers, 0), coalesce(latest.snatches, 0))
ON CONFLICT DO NOTHING
""")

# The last sample of each coarser step stays: it has the values at the end of the step.
_THIN_TORRENTS = text("""
WITH asked AS (
    SELECT CAST(:since AS timestamptz) AS since, CAST(:until AS timestamptz) AS until,
        make_interval(secs => CAST(:step AS integer)) AS step
)
DELETE FROM torrent_samples thinned USING asked
WHERE at > since AND at <= until AND EXISTS (
    SELECT FROM torrent_samples later
    WHERE later.info_hash_id = thinned.info_hash_id AND later.at > thinned.at
        AND later.at <= date_bin(step, thinned.at - interval '1 microsecond', 'epoch') + step
)
""")


class HistoryStore:
    """The samples. Every method raises PostgresUnavailableError within a few seconds if Postgres is down."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def totals(self) -> Totals:
        """Return the sums over everything settled so far."""
        async with self._database.transaction() as connection:
            return await _read_totals(connection)

    async def recent(self) -> Reading | None:
        """Return the latest of the samples that are one to three minutes old; None if there is none."""
        newest, oldest = RATE_SECONDS
        since, until = (func.now() - func.make_interval(0, 0, 0, 0, 0, 0, seconds) for seconds in (oldest, newest))
        statement = (
            _select_samples(TRACKER_LADDER[0].step_seconds)
            .where(_samples.at >= since, _samples.at <= until)
            .order_by(_samples.at.desc())
            .limit(1)
        )
        async with self._database.transaction() as connection:
            return await fetch_first(connection, statement, _reading)

    async def take(self, torrents: int, live: LiveTotals, now: datetime) -> bool:
        """Take a sample of the tracker and thin out old ones; return False if another replica did it."""
        async with self._database.transaction(LONG_DEADLINE_SECONDS) as connection:
            if not await connection.scalar(select(func.pg_try_advisory_xact_lock(SAMPLE_LOCK))):
                return False
            sums = await _read_totals(connection)
            row = {
                "step_seconds": TRACKER_LADDER[0].step_seconds,
                "at": now,
                "torrents": torrents,
                "swarms": live.swarms,
                "seeders": live.seeders,
                "leechers": live.leechers,
                "announces": sums.announces,
                "snatches": sums.snatches,
                "uploaded_bytes": sums.uploaded_bytes,
                "downloaded_bytes": sums.downloaded_bytes,
            }
            taken = await connection.execute(
                insert(tracker_samples).values(row).on_conflict_do_nothing().returning(_samples.at)
            )
            if taken.first() is None:
                return False
            await _roll_up(connection, now)
        return True

    async def take_torrents(self, now: datetime) -> bool:
        """Take a sample of each torrent whose counts changed, once an hour; return whether one was due."""
        async with self._database.transaction(LONG_DEADLINE_SECONDS) as connection:
            if not await connection.scalar(select(func.pg_try_advisory_xact_lock(SAMPLE_LOCK))):
                return False
            last = await connection.scalar(select(func.max(_torrents.at)))
            if last is not None and now - last < timedelta(seconds=TORRENT_LADDER[0].step_seconds):
                return False
            since = last or datetime.fromtimestamp(0, now.tzinfo)
            # To the planner, a table that is empty or was never analyzed looks small enough to be read completely for
            # every torrent: the first round would take time proportional to the square of the number of torrents.
            await connection.execute(text("SET LOCAL enable_seqscan = off"))
            await connection.execute(_TAKE_TORRENTS, {"now": now, "since": since - timedelta(minutes=2)})
            await _thin(connection, now)
        return True

    async def tracker(self, step_seconds: int, since: datetime) -> Sequence[Reading]:
        """Return the samples of a resolution since a point in time, and the last one before it, sorted by time.

        Steps of this resolution that aren't over yet appear as finer samples, so that a chart begins with the first
        sample and ends with the latest.
        """
        before = select(func.max(_samples.at)).where(_samples.step_seconds == step_seconds, _samples.at <= since)
        start = func.coalesce(before.scalar_subquery(), since)
        finer = [rung.step_seconds for rung in TRACKER_LADDER if rung.step_seconds < step_seconds]
        statement = union_all(
            _select_samples(step_seconds).where(_samples.at >= start),
            *(_select_samples(step).where(_samples.at > _latest_above(step, since)) for step in finer),
        ).order_by("at")
        async with self._database.transaction() as connection:
            return await fetch(connection, statement, _reading)

    async def torrent(self, info_hash: InfoHash, since: datetime) -> Sequence[TorrentSample] | None:
        """Return a torrent's samples since a point in time, the last one before it, and its present state.

        None if it isn't tracked.
        """
        columns = infohashes.c
        shown = (func.now().label("at"), columns.seeders, columns.leechers, columns.downloaded.label("snatches"))
        wanted = select(*shown).where(columns.id == torrent_id(info_hash))
        async with self._database.transaction() as connection:
            present = await fetch_first(connection, wanted, TorrentSample)
            if present is None:
                return None
            of_torrent = _torrents.info_hash_id == torrent_id(info_hash)
            before = select(func.max(_torrents.at)).where(of_torrent, _torrents.at <= since)
            start = func.coalesce(before.scalar_subquery(), since)
            samples = (
                select(_torrents.at, _torrents.seeders, _torrents.leechers, _torrents.snatches)
                .where(of_torrent, _torrents.at >= start)
                .order_by(_torrents.at)
            )
            return [*await fetch(connection, samples, TorrentSample), present]


async def _read_totals(connection: AsyncConnection) -> Totals:
    columns = (totals.c.announces, totals.c.snatches, totals.c.uploaded_bytes, totals.c.downloaded_bytes)
    return await fetch_first(connection, select(*columns), _totals) or _totals()


async def _roll_up(connection: AsyncConnection, now: datetime) -> None:
    for fine, coarse in pairwise(TRACKER_LADDER):
        values = {"fine": fine.step_seconds, "coarse": coarse.step_seconds, "now": now}
        await connection.execute(_ROLL_UP, values)
    for rung in TRACKER_LADDER:
        outdated = tracker_samples.delete().where(_samples.step_seconds == rung.step_seconds)
        await connection.execute(outdated.where(_samples.at < _border(rung, now)))


async def _thin(connection: AsyncConnection, now: datetime) -> None:
    for rung, coarser in pairwise(TORRENT_LADDER):
        until = _border(rung, now)
        since = until - timedelta(days=2)  # older samples were thinned before
        await connection.execute(_THIN_TORRENTS, {"since": since, "until": until, "step": coarser.step_seconds})
    outdated = torrent_samples.delete().where(_torrents.at < _border(TORRENT_LADDER[-1], now))
    await connection.execute(outdated)


def _border(rung: Rung, now: datetime) -> datetime:
    return now - timedelta(days=rung.days)


def _select_samples(step_seconds: int) -> Any:
    return select(tracker_samples).where(_samples.step_seconds == step_seconds)


def _latest_above(step_seconds: int, since: datetime) -> Any:
    """Select when the latest sample of any coarser resolution was taken."""
    latest = select(func.max(_samples.at)).where(_samples.step_seconds > step_seconds)
    return func.coalesce(latest.scalar_subquery(), since)


def _reading(
    *,
    step_seconds: int,
    at: datetime,
    torrents: float,
    swarms: float,
    seeders: float,
    leechers: float,
    **sums: int,
) -> Reading:
    """Create a reading from a row of ``tracker_samples``."""
    return Reading(step_seconds, at, torrents, swarms, seeders, leechers, _totals(**sums))


def _totals(*, announces: int = 0, snatches: int = 0, uploaded_bytes: int = 0, downloaded_bytes: int = 0) -> Totals:
    """Create totals from columns that may be numeric."""
    return Totals(
        announces=int(announces),
        snatches=int(snatches),
        uploaded_bytes=int(uploaded_bytes),
        downloaded_bytes=int(downloaded_bytes),
    )
