"""Announce keys as operators see them: never the key itself."""

import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from etracker_admin_api.domain.cursors import SortKey, decode_cursor, encode_cursor
from etracker_admin_api.domain.errors import SearchError

_HEX = re.compile(r"[0-9a-f]{1,32}")
_ID = re.compile(r"[0-9]{1,18}")


class KeyOrder(enum.StrEnum):
    """What the list may be sorted by."""

    CREATED = "created"
    LAST_SEEN = "last_seen"
    UPLOADED = "uploaded"
    DOWNLOADED = "downloaded"
    SNATCHED = "snatched"
    SCORE = "score"


class KeySort(enum.StrEnum):
    """An order, ascending, or descending with a minus sign."""

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
        """What is sorted by."""
        return KeyOrder(self.removeprefix("-"))

    @property
    def descending(self) -> bool:
        """Whether the largest comes first."""
        return self.startswith("-")


_KINDS: dict[KeyOrder, type] = {KeyOrder.LAST_SEEN: datetime, KeyOrder.SCORE: float}


@dataclass(frozen=True, slots=True)
class KeySearch:
    """A key's id, or what its hash starts with (hex); either may be missing."""

    key_id: int | None
    hash_prefix: str


@dataclass(frozen=True, slots=True)
class KeyQuery:
    """One page of the list. ``after``: the sort key and id of the last row of the page before."""

    sort: KeySort
    limit: int
    search: KeySearch | None = None
    after: tuple[SortKey, int] | None = None


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key. ``tier`` and ``score`` are those of its last announce, None if there was none."""

    id: int
    key_hash: bytes
    created: datetime
    last_seen: datetime | None
    disabled: bool
    uploaded_bytes: int
    downloaded_bytes: int
    snatched: int
    seeding_seconds: int
    tier: int | None
    score: float | None
    sort_key: SortKey


@dataclass(frozen=True, slots=True)
class KeyPage:
    """Some keys, and the cursor of those that follow, if any do."""

    rows: Sequence[KeyRow]
    following: str | None


def parse_key_query(sort: KeySort, limit: int, search: str, cursor: str | None) -> KeyQuery:
    """Put a query together.

    Raises:
        SearchError: the search is neither an id nor the start of a key hash.
        CursorError: the cursor is none of this list.
    """
    after = decode_cursor(cursor, sort, _KINDS.get(sort.order, int)) if cursor else None
    return KeyQuery(sort, limit, _parse_search(search.strip().lower()), after)


def cut_key_page(rows: Sequence[KeyRow], query: KeyQuery) -> KeyPage:
    """Cut a page off rows of which one more was asked for than fits."""
    if len(rows) <= query.limit:
        return KeyPage(rows, None)
    last = rows[query.limit - 1]
    return KeyPage(rows[: query.limit], encode_cursor(query.sort, last.sort_key, last.id))


def _parse_search(text: str) -> KeySearch | None:
    if not text:
        return None
    if not _HEX.fullmatch(text):
        raise SearchError("A key is searched for by its id, or by what its hash starts with in hex.")
    return KeySearch(int(text) if _ID.fullmatch(text) else None, text)
