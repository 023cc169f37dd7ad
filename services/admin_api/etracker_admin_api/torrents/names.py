"""Searching names: the parts of a search, and the conditions for the table of folded names.

``fold_name`` in Postgres normalises names and searches in the same way. Words become lower case without accents, with
two spaces on either side. In scripts that have no spaces between words, a run of letters ``xyz`` becomes ``x-xy-yz-z``.
The index contains every three consecutive characters of the result. What it finds is compared with the literals
themselves. See ADR 70.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, cast, false, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from etracker_admin_api.errors import SearchError
from etracker_admin_api.torrents.listing import HEALTHS, Search
from etracker_shared.agreements.tables import infohashes, torrent_names

MAX_WORDS = 32
_SHORT = 2
_PIECE = 3
_LAST_CHARACTER = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Names:
    """The names to find: those that contain all of ``literals`` when folded, or those that start with ``start``.

    Words of one and two letters are whole words in ``literals``, and the beginnings of words in ``beginnings``.
    """

    literals: tuple[str, ...] = ()
    beginnings: tuple[str, ...] = ()
    start: str = ""

    @property
    def loosened(self) -> "Names | None":
        """The same names with the beginnings of words as literals; None if that makes no difference."""
        return None if self.beginnings == self.literals else Names(self.beginnings, self.beginnings)


async def read_names(connection: AsyncConnection, search: Search) -> Names:
    """Return which names a search has to find.

    Raises:
        SearchError: it has too many words.
    """
    return read_folded(search, await connection.scalar(fold(search)))


def fold(search: Search) -> Select[Any]:
    """Select the text of a search, folded like a name."""
    return select(func.fold_name(cast(literal(search.text), Text)))


def read_folded(search: Search, folded: str | None) -> Names:
    """Return which names a search has to find, from its folded text.

    Raises:
        SearchError: it has too many words.
    """
    words = tuple(dict.fromkeys((folded or "").split()))
    if len(words) > MAX_WORDS:
        raise SearchError(f"The search has more than {MAX_WORDS} words.")
    if not words:
        return Names(start=search.text)
    return Names(tuple(_literal(word, "  ") for word in words), tuple(_literal(word, "") for word in words))


def folded_name(row_id: ColumnElement[int]) -> ColumnElement[Any]:
    """Select the folded name of a row of infohashes."""
    columns = torrent_names.c
    return select(columns.words).where(columns.info_hash_id == row_id).scalar_subquery()


def words_match(words: ColumnElement[Any], literals: Sequence[str]) -> ColumnElement[bool]:
    """Match folded names. Folded text contains no character with a meaning in LIKE."""
    patterns = cast(literal([f"%{part}%" for part in literals], ARRAY(Text)), ARRAY(Text))
    return words.like(func.all(patterns))


def find_named(names: Names) -> Select[Any]:
    """Select the ids of torrents by an index."""
    if not names.literals:
        return select(infohashes.c.id.label("id")).where(_starts_match(names.start))
    columns = torrent_names.c
    pieces = dict.fromkeys(part[at : at + _PIECE] for part in names.literals for at in range(len(part) - _PIECE + 1))
    indexed = func.name_pieces(columns.words).op("@>")(cast(literal(list(pieces), ARRAY(Text)), ARRAY(Text)))
    return select(columns.info_hash_id.label("id")).where(and_(indexed, words_match(columns.words, names.literals)))


def _starts_match(start: str) -> ColumnElement[bool]:
    if not start:
        return false()
    lowered = func.lower(cast(literal(start), Text))
    name = infohashes.c.sort_name
    any_health = infohashes.c.health.in_(list(HEALTHS))  # the index of names starts with the health
    return and_(any_health, name >= lowered, name < lowered.concat(_LAST_CHARACTER))


def _literal(word: str, after: str) -> str:
    """Return what a folded name contains if it includes the word. ``after``: what follows a short word."""
    if "-" in word:
        pairs = word.split("-")[1:-1]  # the first and the last are single letters
        return "-" + "-".join(pairs) if pairs else word
    return word if len(word) > _SHORT else f"  {word}{after}"
