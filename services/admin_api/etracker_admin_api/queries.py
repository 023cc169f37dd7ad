"""SQL that several stores share."""

from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, ScalarSelect, Select, func, select, tuple_

from etracker_shared.agreements.tables import infohashes
from etracker_shared.language.identity import InfoHash

_named = infohashes.alias("named")
SelectT = TypeVar("SelectT", bound=Select[Any])


def torrent_id(info_hash: InfoHash) -> ScalarSelect[int]:
    """Select the id of the torrent that has an infohash: for a hybrid's second infohash, the id of the first one."""
    row_id = func.coalesce(_named.c.same_as, _named.c.id)
    return select(row_id).where(_named.c.info_hash == info_hash).scalar_subquery()


def starts_with(column: ColumnElement[bytes], hex_prefix: str, size: int) -> ColumnElement[bool]:
    """Match hashes of ``size`` bytes that start with some hex digits, in a way that uses the column's index."""
    first, last = (bytes.fromhex(hex_prefix.ljust(2 * size, filler)) for filler in "0f")
    return column.between(first, last)


def comes_after(
    key: ColumnElement[Any], row_id: ColumnElement[int], position: Sequence[Any], *, descending: bool
) -> ColumnElement[bool]:
    """Match the rows after a position (sort key, id) of a list."""
    place, last = tuple_(key, row_id), tuple_(*position)
    return place < last if descending else place > last


def in_order(statement: SelectT, key: ColumnElement[Any], row_id: ColumnElement[int], *, descending: bool) -> SelectT:
    """Sort a list by a key; the id decides between equal keys."""
    return statement.order_by(*((key.desc(), row_id.desc()) if descending else (key, row_id)))
