"""Cursors: the position of a page's last row, opaque to callers and checked when it comes back."""

import base64
import binascii
import json
from datetime import UTC, datetime, timedelta
from typing import TypeGuard

from etracker_admin_api.errors import CursorError

SortKey = int | str | float | datetime
"""What a list is sorted by; between equal keys the row's id decides."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
LARGEST_ID = 2**63 - 1
_LATEST_MICROSECOND = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
MAX_CURSOR_CHARACTERS = 1024
"""Room for a hundred characters of four bytes in base64 and a few numbers."""


def encode_cursor(sort: str, key: SortKey, row_id: int) -> str:
    """Encode a position in a list with this sort order."""
    plain = (key - _EPOCH) // _MICROSECOND if isinstance(key, datetime) else key
    text = json.dumps([sort, plain, row_id], separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(text: str, sort: str, kind: type) -> tuple[SortKey, int]:
    """Decode a position: the sort key, which must be a ``kind``, and the row's id.

    Raises:
        CursorError: it is malformed, or belongs to a list with a different sort order.
    """
    try:
        padded = text + "=" * (-len(text) % 4)
        of_sort, key, row_id = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise CursorError("The cursor is invalid.") from None
    if of_sort != sort or not _is_integer(row_id):
        raise CursorError("The cursor belongs to a list with a different sort order.")
    return _parse_key(key, kind), row_id


def _parse_key(key: object, kind: type) -> SortKey:
    if kind is str and isinstance(key, str) and "\0" not in key:
        try:
            key.encode()
        except UnicodeEncodeError:
            raise CursorError("The cursor is invalid.") from None
        return key
    if kind is datetime and _is_integer(key) and 0 <= key <= _LATEST_MICROSECOND:
        return _EPOCH + key * _MICROSECOND
    if kind is int and _is_integer(key):
        return key
    if kind is float and isinstance(key, int | float) and not isinstance(key, bool) and abs(key) <= LARGEST_ID:
        return float(key)
    raise CursorError("The cursor is invalid.")


def _is_integer(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST_ID
