"""How Postgres answers the list's questions: which index, and how many rows it looks at."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import asyncpg
from sqlalchemy import Select
from sqlalchemy.dialects import registry

from etracker_admin_api.torrents.list_store import (
    COLLECTING,
    MOST_SORTED,
    WALKING,
    find_matching,
    peek,
    sort_found,
    walk,
)
from etracker_admin_api.torrents.listing import Sort, SwarmHealth, TorrentQuery, parse_query

_DIALECT = registry.load("postgresql.asyncpg")()

QUESTIONS: dict[str, TorrentQuery] = {
    **{f"first page by {sort}": parse_query(sort, 50) for sort in Sort},
    "healthy ones by name": parse_query(Sort.NAME, 50, health=SwarmHealth.HEALTHY),
    "unseeded ones by age": parse_query(Sort.ADDED_DESCENDING, 50, health=SwarmHealth.UNSEEDED),
    "a rare word by seeders": parse_query(Sort.SEEDERS_DESCENDING, 50, "rare"),
    "a common word by name": parse_query(Sort.NAME, 50, "linux"),
    "a common word by seeders": parse_query(Sort.SEEDERS_DESCENDING, 50, "linux"),
    "a common word among weak ones by size": parse_query(Sort.SIZE, 50, "linux", SwarmHealth.WEAK),
    "two common words by age": parse_query(Sort.ADDED_DESCENDING, 50, "linux debian"),
    "a word that isn't there": parse_query(Sort.SNATCHES_DESCENDING, 50, "nothing-of-the-kind"),
    "two letters by age": parse_query(Sort.ADDED_DESCENDING, 50, "li"),
    "an infohash": parse_query(Sort.ADDED_DESCENDING, 50, "deadbeef"),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What Postgres did for one statement."""

    text: str
    nodes: tuple[dict[str, Any], ...]

    @property
    def rows(self) -> int:
        """What came out."""
        return int(self.nodes[0]["Actual Rows"])

    @property
    def indexes(self) -> set[str]:
        return {node["Index Name"] for node in self.nodes if "Index Name" in node}

    @property
    def scanned(self) -> set[str]:
        """The kinds of its scans of tables."""
        return {node["Node Type"] for node in self.nodes if node["Node Type"].endswith("Scan")}

    @property
    def rows_read(self) -> int:
        """Rows of the table looked at, those a filter threw away included."""
        rows = 0
        for node in self.nodes:
            if node["Node Type"] in {"Index Scan", "Index Only Scan", "Bitmap Heap Scan", "Seq Scan"}:
                seen = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
                rows += int((seen + node.get("Rows Removed by Index Recheck", 0)) * node["Actual Loops"])
        return rows


async def explain(connection: asyncpg.Connection, statement: Select[Any], settings: str) -> Plan:
    """Run a statement as the adapter does, and return the plan."""
    sql, values = _compile(statement)
    async with connection.transaction():
        await connection.execute(settings)
        options = "ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF"
        lines = await connection.fetch(f"EXPLAIN ({options}) {sql}", *values)
        (tree,) = json.loads(await connection.fetchval(f"EXPLAIN ({options}, FORMAT JSON) {sql}", *values))
    return Plan("\n".join(line[0] for line in lines), tuple(_flatten(tree["Plan"])))


async def plans_of(connection: asyncpg.Connection, query: TorrentQuery) -> list[Plan]:
    """Answer a question in the adapter's steps; return their plans."""
    if query.search is None:
        return [await explain(connection, walk(query), WALKING)]
    plans: list[Plan] = []
    if (ahead := peek(query)) is not None:
        plans.append(await explain(connection, ahead, WALKING))
        if plans[-1].rows > query.limit:
            return plans
    matching = find_matching(query.search, query.health)
    plans.append(await explain(connection, matching, COLLECTING))
    sql, values = _compile(matching)
    ids = [row[0] for row in await connection.fetch(sql, *values)]
    if len(ids) <= MOST_SORTED:
        return [*plans, await explain(connection, sort_found(query, ids), COLLECTING)]
    return [*plans, await explain(connection, walk(query), WALKING)]


def _compile(statement: Select[Any]) -> tuple[str, list[Any]]:
    compiled = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    return str(compiled), [compiled.params[name] for name in compiled.positiontup or ()]


def _flatten(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _flatten(child)
