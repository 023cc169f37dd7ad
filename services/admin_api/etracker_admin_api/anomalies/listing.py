"""Queries for the list of anomalies: search, filters, sort order and page."""

import enum
import re
from dataclasses import dataclass
from datetime import datetime

from etracker_admin_api.anomalies.models import StateName, VerdictName
from etracker_admin_api.errors import SearchError
from etracker_admin_api.http.cursors import SortKey, decode_cursor
from etracker_admin_api.peer_ids import parse_peer_id_prefix

EVIDENCE = "evidence"
"""The only sort order of evidence, as cursors name it: newest first."""

_HEX = re.compile(r"[0-9a-f]{1,32}")
_ID = re.compile(r"[0-9]{1,18}")


class AnomalySort(enum.StrEnum):
    """A sort order: ascending, or descending with a minus sign. ``since``: when the state began."""

    SCORE = "score"
    SCORE_DESCENDING = "-score"
    SINCE = "since"
    SINCE_DESCENDING = "-since"

    @property
    def by_score(self) -> bool:
        """Whether the score decides."""
        return self.removeprefix("-") == "score"

    @property
    def descending(self) -> bool:
        """Whether the largest comes first."""
        return self.startswith("-")


@dataclass(frozen=True, slots=True)
class AnomalyQuery:
    """One page of the list. ``after``: the sort key and id of the last row of the previous page."""

    sort: AnomalySort
    limit: int
    key_id: int | None = None
    hash_prefix: str = ""
    state: StateName | None = None
    verdict: VerdictName | None = None
    client: bytes = b""
    appealed: bool = False
    after: tuple[SortKey, int] | None = None


def parse_anomaly_query(
    sort: AnomalySort,
    limit: int,
    cursor: str | None,
    *,
    search: str = "",
    state: StateName | None = None,
    verdict: VerdictName | None = None,
    client: str = "",
    appealed: bool = False,
) -> AnomalyQuery:
    """Build a query.

    Raises:
        SearchError: the search is neither an id nor the start of a key hash.
        PeerIdError: the client isn't the start of a peer_id.
        CursorError: the cursor is invalid, or belongs to another list.
    """
    text = search.strip().lower()
    if text and not _HEX.fullmatch(text):
        raise SearchError("Search for a key by its id, or for a key or guest by the start of its hash in hex.")
    return AnomalyQuery(
        sort,
        limit,
        key_id=int(text) if _ID.fullmatch(text) else None,
        hash_prefix=text,
        state=state,
        verdict=verdict,
        client=parse_peer_id_prefix(client) if client else b"",
        appealed=appealed,
        after=decode_cursor(cursor, sort, float if sort.by_score else datetime) if cursor else None,
    )


def parse_evidence_cursor(cursor: str | None) -> int | None:
    """Return the id of the last finding of the previous page.

    Raises:
        CursorError: the cursor is invalid, or belongs to another list.
    """
    return decode_cursor(cursor, EVIDENCE, int)[1] if cursor else None
