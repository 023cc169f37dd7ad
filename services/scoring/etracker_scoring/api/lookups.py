"""Look up keys in Postgres, in time for an announce. A lookup costs one query over an open connection."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import asyncpg

from etracker_scoring.api.links import Links
from etracker_scoring.api.treatment import Account
from etracker_scoring.scores.list_policies import History
from etracker_scoring.scores.newcomers import PROMISE_SECONDS, Neighbour, Newcomer
from etracker_scoring.stored.graces import PROMISE_GRACES
from etracker_scoring.stored.keys import FIND_NEIGHBOURS, KEY_WIDTH, parse_key, parse_neighbour
from etracker_shared.language.identity import KeyHash
from etracker_shared.plumbing.pool_metrics import PoolState
from etracker_shared.plumbing.settings import PostgresSettings

NEWCOMERS_CONNECTIONS = 2
"""Separate ones: where Postgres answers queries but no commits, promises must not delay the lookups of other keys."""


class PostgresLookups:
    """Implements :class:`~etracker_scoring.api.judging.Lookups` with ``query``, over a few permanent connections."""

    def __init__(self, settings: PostgresSettings, query: str, connections: int) -> None:
        self._query = query
        self._accounts = Links(settings, [query], connections)
        self._newcomers = Links(settings, [FIND_NEIGHBOURS, PROMISE_GRACES], NEWCOMERS_CONNECTIONS)

    @property
    def connected(self) -> bool:
        """Whether keys can be looked up. At the start, new ones also have to be."""
        return self._accounts.connected and self._newcomers.was_connected

    @property
    def pools(self) -> Mapping[str, Callable[[], PoolState]]:
        """What reads the state of each group of connections."""
        return {"keys": self._accounts.state, "newcomers": self._newcomers.state}

    async def run(self) -> None:
        """Keep connections open until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._accounts.run())
            group.create_task(self._newcomers.run())

    async def find(self, key_hashes: Sequence[KeyHash]) -> Mapping[KeyHash, Account]:
        """Return the registered ones of these keys, with their statistics."""
        rows = await self._accounts.ask(self._query, key_hashes)
        return {account.key.key_hash: account for account in map(_account, rows)}

    async def find_neighbours(self, prefixes: Sequence[bytes], seen_after: float) -> Sequence[Neighbour]:
        """Return the keys that affect decisions about new keys from these prefixes."""
        return [parse_neighbour(row) for row in await self._newcomers.ask(FIND_NEIGHBOURS, prefixes, seen_after)]

    async def promise_graces(self, newcomers: Sequence[Newcomer], now: float) -> set[int]:
        """Promise each prefix's grace to one of the newcomers from it, unless it is promised already."""
        prefixes = [newcomer.prefix for newcomer in newcomers]
        key_ids = [newcomer.key_id for newcomer in newcomers]
        rows = await self._newcomers.ask(PROMISE_GRACES, prefixes, key_ids, now, now - PROMISE_SECONDS)
        return {row["key_id"] for row in rows}


def _account(row: asyncpg.Record) -> Account:
    return Account(parse_key(row), History(*row[KEY_WIDTH + 1 :]), row[KEY_WIDTH])
