"""The list of torrents as somebody wants it: searched, filtered, sorted, and cut into pages."""

import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from etracker_admin_api.domain.cursors import SortKey, decode_cursor, encode_cursor
from etracker_admin_api.domain.errors import SearchError
from etracker_shared.identity import InfoHash

MAX_WORDS = 8
_INDEXED = re.compile(r"[^\W_]{3}")
"""Fewer letters or digits in a row make no trigram: such words only narrow down what longer ones found."""

_HEX_PREFIX = re.compile(r"[0-9a-f]{8,64}")


class SwarmHealth(enum.StrEnum):
    """How well a swarm is, in the order of ``infohashes.health`` from 3 down to 0."""

    HEALTHY = "healthy"
    WEAK = "weak"
    UNSEEDED = "unseeded"
    IDLE = "idle"

    @property
    def stored(self) -> int:
        """What ``infohashes.health`` holds."""
        return 3 - tuple(SwarmHealth).index(self)


HEALTHS = {health.stored: health for health in SwarmHealth}


class Order(enum.StrEnum):
    """What the list may be sorted by."""

    NAME = "name"
    SEEDERS = "seeders"
    LEECHERS = "leechers"
    SNATCHES = "snatches"
    SIZE = "size"
    ADDED = "added"


class Sort(enum.StrEnum):
    """An order, ascending, or descending with a minus sign."""

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
        """What is sorted by."""
        return Order(self.removeprefix("-"))

    @property
    def descending(self) -> bool:
        """Whether the largest comes first."""
        return self.startswith("-")


_KINDS: dict[Order, type] = {Order.NAME: str, Order.ADDED: datetime}


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for: names that hold every one of ``words``, or an infohash that starts with ``hash_prefix``.

    ``start``: what the name starts with, when no word is long enough to be looked for inside of it.
    ``hash_prefix``: hex, empty if it can't be one.
    """

    words: tuple[str, ...]
    start: str
    hash_prefix: str


@dataclass(frozen=True, slots=True)
class TorrentQuery:
    """One page of the list. ``after``: the sort key and id of the last row of the page before."""

    sort: Sort
    limit: int
    search: Search | None = None
    health: SwarmHealth | None = None
    after: tuple[SortKey, int] | None = None


@dataclass(frozen=True, slots=True)
class TorrentRow:
    """A torrent in the list. ``sort_key``: its place there."""

    id: int
    info_hash: InfoHash
    info_hash_v2: bytes | None
    name: str
    length: int | None
    seeders: int
    leechers: int
    snatches: int
    added: datetime
    last_seen: datetime | None
    has_file: bool
    health: SwarmHealth
    sort_key: SortKey


@dataclass(frozen=True, slots=True)
class TorrentDetail:
    """All that is known of a torrent. ``other_info_hash``: a hybrid's second one."""

    row: TorrentRow
    uploaded_bytes: int
    downloaded_bytes: int
    seeding_seconds: int
    other_info_hash: InfoHash | None
    counted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, and the cursor of those that follow, if any do."""

    rows: Sequence[TorrentRow]
    following: str | None


def parse_search(text: str) -> Search | None:
    """Read what somebody typed; None if that is nothing.

    Raises:
        SearchError: it holds what no name does, or too much.
    """
    if "\0" in text or not _is_unicode(text):
        raise SearchError("The search holds characters that no name has.")
    words = tuple(dict.fromkeys(text.lower().split()))
    if not words:
        return None
    if len(words) > MAX_WORDS:
        raise SearchError(f"The search holds more than {MAX_WORDS} words.")
    start = "" if any(_INDEXED.search(word) for word in words) else " ".join(text.split())
    prefix = words[0][:40] if len(words) == 1 and _HEX_PREFIX.fullmatch(words[0]) else ""
    return Search(words, start, prefix)


def parse_query(
    sort: Sort, limit: int, search: str = "", health: SwarmHealth | None = None, cursor: str | None = None
) -> TorrentQuery:
    """Put a query together.

    Raises:
        SearchError: the search is none.
        CursorError: the cursor is none of this list.
    """
    after = decode_cursor(cursor, sort, _KINDS.get(sort.order, int)) if cursor else None
    return TorrentQuery(sort, limit, parse_search(search), health, after)


def cut_page(rows: Sequence[TorrentRow], query: TorrentQuery) -> Page:
    """Cut a page off rows of which one more was asked for than fits."""
    if len(rows) <= query.limit:
        return Page(rows, None)
    last = rows[query.limit - 1]
    return Page(rows[: query.limit], encode_cursor(query.sort, last.sort_key, last.id))


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
