"""Queries for the list of announce keys: search, sort order and page."""

import enum
import re
from dataclasses import dataclass
from datetime import datetime

from etracker_admin_api.errors import SearchError
from etracker_admin_api.http.cursors import SortKey, decode_cursor

_HEX = re.compile(r"[0-9a-f]{1,32}")
_ID = re.compile(r"[0-9]{1,18}")


class KeyOrder(enum.StrEnum):
    """What the list can be sorted by."""

    CREATED = "created"
    LAST_SEEN = "last_seen"
    UPLOADED = "uploaded"
    DOWNLOADED = "downloaded"
    SNATCHED = "snatched"
    SCORE = "score"


class KeySort(enum.StrEnum):
    """A sort order: ascending, or descending with a minus sign."""

    CREATED = "created"
    CREATED_DESCENDING = "-created"
    LAST_SEEN = "last_seen"
    LAST_SEEN_DESCENDING = "-last_seen"
    UPLOADED = "uploaded"
    UPLOADED_DESCENDING = "-uploaded"
    DOWNLOADED = "downloaded"
    DOWNLOADED_DESCENDING = "-downloaded"
    SNATCHED = "snatched"
    SNATCHED_DESCENDING = "-snatched"
    SCORE = "score"
    SCORE_DESCENDING = "-score"

    @property
    def order(self) -> KeyOrder:
        """What the list is sorted by."""
        return KeyOrder(self.removeprefix("-"))

    @property
    def descending(self) -> bool:
        """Whether the largest comes first."""
        return self.startswith("-")


_KINDS: dict[KeyOrder, type] = {KeyOrder.LAST_SEEN: datetime, KeyOrder.SCORE: float}


@dataclass(frozen=True, slots=True)
class KeySearch:
    """A search for a key by its id, or by the start of its hash in hex; either may be missing."""

    key_id: int | None
    hash_prefix: str


@dataclass(frozen=True, slots=True)
class KeyQuery:
    """One page of the list. ``after``: the sort key and id of the last row of the previous page."""

    sort: KeySort
    limit: int
    search: KeySearch | None = None
    after: tuple[SortKey, int] | None = None


def parse_key_query(sort: KeySort, limit: int, search: str, cursor: str | None) -> KeyQuery:
    """Build a query.

    Raises:
        SearchError: the search is neither an id nor the start of a key hash.
        CursorError: the cursor is invalid, or belongs to another list.
    """
    after = decode_cursor(cursor, sort, _KINDS.get(sort.order, int)) if cursor else None
    return KeyQuery(sort, limit, _parse_search(search.strip().lower()), after)


def _parse_search(text: str) -> KeySearch | None:
    if not text:
        return None
    if not _HEX.fullmatch(text):
        raise SearchError("Search for a key by its id or by the start of its hash in hex.")
    return KeySearch(int(text) if _ID.fullmatch(text) else None, text)
