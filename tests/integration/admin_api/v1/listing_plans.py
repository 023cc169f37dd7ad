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
    FIRST_ROWS,
    MORE_ROWS,
    MOST_SORTED,
    WALKING,
    find_matching,
    is_promising,
    peek,
    sort_all,
    sort_found,
    walk,
)
from etracker_admin_api.torrents.listing import Search, Sort, SwarmHealth, TorrentQuery, parse_query
from etracker_admin_api.torrents.names import Names, fold, read_folded

_DIALECT = registry.load("postgresql.asyncpg")()

NEWEST = Sort.ADDED_DESCENDING
SEARCHES: dict[str, tuple[Sort, str, SwarmHealth | None]] = {
    "a rare word by seeders": (Sort.SEEDERS_DESCENDING, "rare", None),
    "a common word by name": (Sort.NAME, "linux", None),
    "a common word by seeders": (Sort.SEEDERS_DESCENDING, "linux", None),
    "a common word among weak ones by size": (Sort.SIZE, "linux", SwarmHealth.WEAK),
    "a common word of the oldest, newest first": (NEWEST, "bygone", None),
    "two common words by age": (NEWEST, "linux debian", None),
    "two common words that no name has": (NEWEST, "linux кино", None),
    "a word that isn't there": (Sort.SNATCHES_DESCENDING, "nothing-of-the-kind", None),
    "two letters by age": (NEWEST, "up", None),
    "one letter and a year by age": (NEWEST, "x 2001", None),
    "the first letters of a word by age": (NEWEST, "de", None),
    "one letter that begins rare words": (NEWEST, "r", None),
    "a word in Cyrillic by seeders": (Sort.SEEDERS_DESCENDING, "ДОЗОР", None),
    "two words of one letter in Cyrillic": (NEWEST, "и в 1999", None),
    "two Chinese characters by age": (NEWEST, "东京", None),
    "a Chinese character by age": (NEWEST, "京", None),
    "three kana by seeders": (Sort.SEEDERS_DESCENDING, "ガンダ", None),
    "the name of a release": (NEWEST, "Linux.Debian.Volume.1999.1080p", None),
    "an infohash": (NEWEST, "deadbeef", None),
    "a magnet link": (NEWEST, f"magnet:?xt=urn:btih:{'deadbeef' * 5}&dn=linux", None),
}
QUESTIONS: dict[str, TorrentQuery] = {
    **{f"first page by {sort}": parse_query(sort, 50) for sort in Sort},
    "healthy ones by name": parse_query(Sort.NAME, 50, health=SwarmHealth.HEALTHY),
    "unseeded ones by age": parse_query(NEWEST, 50, health=SwarmHealth.UNSEEDED),
    **{name: parse_query(sort, 50, text, health) for name, (sort, text, health) in SEARCHES.items()},
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
    sql, values = _compile(fold(query.search))
    names = read_folded(query.search, await connection.fetchval(sql, *values))
    plans, found = await _plans_of_search(connection, query, query.search, names)
    if found or names.loosened is None:
        return plans
    return [*plans, *(await _plans_of_search(connection, query, query.search, names.loosened))[0]]


async def _plans_of_search(
    connection: asyncpg.Connection, query: TorrentQuery, search: Search, names: Names
) -> tuple[list[Plan], bool]:
    walkable = bool(names.literals) and not search.hash_prefixes
    plans = [await explain(connection, peek(query, names, FIRST_ROWS), WALKING)] if walkable else []
    first = plans[0].rows if plans else 0
    if first > query.limit:
        return plans, True
    matching = find_matching(search, names)
    plans.append(await explain(connection, matching, COLLECTING))
    sql, values = _compile(matching)
    ids = [row[0] for row in await connection.fetch(sql, *values)]
    if len(ids) <= MOST_SORTED:
        return [*plans, await explain(connection, sort_found(query, ids), COLLECTING)], bool(ids)
    if is_promising(first, query.limit):
        plans.append(await explain(connection, peek(query, names, MORE_ROWS), WALKING))
        if plans[-1].rows > query.limit:
            return plans, True
    return [*plans, await explain(connection, sort_all(query, names), COLLECTING)], True


def _compile(statement: Select[Any]) -> tuple[str, list[Any]]:
    compiled = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    return str(compiled), [compiled.params[name] for name in compiled.positiontup or ()]


def _flatten(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _flatten(child)
