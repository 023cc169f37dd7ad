"""Queries for the list of torrents: search, filter, sort order and page."""

import enum
import re
from dataclasses import dataclass
from datetime import datetime

from etracker_admin_api.errors import SearchError
from etracker_admin_api.http.cursors import SortKey, decode_cursor
from etracker_admin_api.torrents.magnets import is_magnet, read_info_hashes, read_magnet

MAX_TEXT = 200
MAX_LINK = 8000
"""Magnet links are long if they name many trackers."""

_ELISION = re.compile(r"\b\w{1,2}['\u2019](?=\w{3})|(?<=\w{3})['\u2019]\w{1,2}\b")
"""Short parts with an apostrophe, which release names omit or write separately: ``L'Auberge``, ``Don't``."""


class SwarmHealth(enum.StrEnum):
    """The health of a swarm, in the order of ``infohashes.health`` from 3 down to 0."""

    HEALTHY = "healthy"
    WEAK = "weak"
    UNSEEDED = "unseeded"
    IDLE = "idle"

    @property
    def stored(self) -> int:
        """The value in ``infohashes.health``."""
        return 3 - tuple(SwarmHealth).index(self)


HEALTHS = {health.stored: health for health in SwarmHealth}
"""By the value in ``infohashes.health``."""


class Order(enum.StrEnum):
    """What the list can be sorted by."""

    NAME = "name"
    SEEDERS = "seeders"
    LEECHERS = "leechers"
    SNATCHES = "snatches"
    SIZE = "size"
    ADDED = "added"


class Sort(enum.StrEnum):
    """A sort order: ascending, or descending with a minus sign."""

    NAME = "name"
    NAME_DESCENDING = "-name"
    SEEDERS = "seeders"
    SEEDERS_DESCENDING = "-seeders"
    LEECHERS = "leechers"
    LEECHERS_DESCENDING = "-leechers"
    SNATCHES = "snatches"
    SNATCHES_DESCENDING = "-snatches"
    SIZE = "size"
    SIZE_DESCENDING = "-size"
    ADDED = "added"
    ADDED_DESCENDING = "-added"

    @property
    def order(self) -> Order:
        """What the list is sorted by."""
        return Order(self.removeprefix("-"))

    @property
    def descending(self) -> bool:
        """Whether the largest comes first."""
        return self.startswith("-")


_KINDS: dict[Order, type] = {Order.NAME: str, Order.ADDED: datetime}


@dataclass(frozen=True, slots=True)
class Search:
    """A search for names, and for infohashes that start with one of ``hash_prefixes`` (hex).

    ``text``: what to search names for; empty for a magnet link.
    """

    text: str
    hash_prefixes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TorrentQuery:
    """One page of the list. ``after``: the sort key and id of the last row of the previous page."""

    sort: Sort
    limit: int
    search: Search | None = None
    health: SwarmHealth | None = None
    after: tuple[SortKey, int] | None = None


def parse_search(text: str) -> Search | None:
    """Parse the text of a search; None if it is empty.

    Raises:
        SearchError: it contains characters that names can't contain, is too long, or is a magnet link that has no
            infohash.
    """
    if "\0" in text or not _is_unicode(text):
        raise SearchError("The search contains characters that names can't contain.")
    text = text.strip()
    if is_magnet(text):
        return Search("", read_magnet(text))
    if len(text) > MAX_TEXT:
        raise SearchError(f"The search is longer than {MAX_TEXT} characters.")
    return Search(_ELISION.sub(" ", text), read_info_hashes(text)) if text else None


def parse_query(
    sort: Sort, limit: int, search: str = "", health: SwarmHealth | None = None, cursor: str | None = None
) -> TorrentQuery:
    """Build a query.

    Raises:
        SearchError: the search is invalid.
        CursorError: the cursor is invalid, or belongs to another list.
    """
    after = decode_cursor(cursor, sort, _KINDS.get(sort.order, int)) if cursor else None
    return TorrentQuery(sort, limit, parse_search(search), health, after)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
