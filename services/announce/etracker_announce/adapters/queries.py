"""Queries with a time limit that holds whatever happens to the connection."""

import asyncio
from collections.abc import Sequence

import asyncpg

DEADLINE_SECONDS = 1.0


async def fetch_in_time(pool: asyncpg.Pool, statement: str, *arguments: object) -> Sequence[asyncpg.Record]:
    """Run a query.

    Raises:
        TimeoutError: no answer within a second.
    """
    # Not asyncio.timeout: a cancelled query waits until the server confirms, which may hang.
    query = asyncio.ensure_future(pool.fetch(statement, *arguments))
    try:
        done, _ = await asyncio.wait({query}, timeout=DEADLINE_SECONDS)
    except asyncio.CancelledError:
        query.cancel()
        raise
    if not done:
        query.cancel()
        raise TimeoutError
    return query.result()
