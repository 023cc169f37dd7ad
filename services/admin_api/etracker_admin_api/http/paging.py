"""How every list under /api/v1 is divided into pages."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Path, Query

from etracker_admin_api.http.cursors import LARGEST_ID, MAX_CURSOR_CHARACTERS, encode_cursor

Cursor = Annotated[str | None, Query(max_length=MAX_CURSOR_CHARACTERS, description="`next` from the previous page")]
Limit = Annotated[int, Query(ge=1, le=200)]
RowId = Annotated[int, Path(ge=1, le=LARGEST_ID)]


def cut_page(rows: Sequence[Any], limit: int, sort: str) -> tuple[Sequence[Any], str | None]:
    """Return the first ``limit`` rows, and the cursor of the next page if there are more rows.

    ``rows``: one more than ``limit``, if there are enough; each has an ``id`` and a ``sort_key``.
    """
    if len(rows) <= limit:
        return rows, None
    last = rows[limit - 1]
    return rows[:limit], encode_cursor(sort, last.sort_key, last.id)
