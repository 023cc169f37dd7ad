"""Queries for the list of bans, with a search by what is banned, by reason or by operator."""

import re
from dataclasses import dataclass
from ipaddress import ip_network

from sqlalchemy import ColumnElement, func, literal, or_
from sqlalchemy.dialects.postgresql import CIDR

from etracker_admin_api.bans.patterns import BanKind
from etracker_admin_api.errors import PeerIdError
from etracker_admin_api.http.cursors import decode_cursor
from etracker_admin_api.peer_ids import parse_peer_id_prefix
from etracker_admin_api.queries import starts_with
from etracker_shared.agreements.tables import bans
from etracker_shared.language.addresses import Network, parse_address

SORT = "bans"
"""The only sort order, as cursors name it: newest first."""

_HEX = re.compile(r"[0-9a-f]{8,40}")
_columns = bans.c
_OF_KIND = {
    BanKind.NETWORK: _columns.network,
    BanKind.CLIENT: _columns.peer_id_prefix,
    BanKind.TORRENT: _columns.info_hash,
}


@dataclass(frozen=True, slots=True)
class BanQuery:
    """One page of the list. ``before``: the id of the last row of the previous page."""

    limit: int
    search: str = ""
    kind: BanKind | None = None
    before: int | None = None


def parse_ban_query(limit: int, search: str, kind: BanKind | None, cursor: str | None) -> BanQuery:
    """Build a query.

    Raises:
        CursorError: the cursor is invalid, or belongs to another list.
    """
    before = decode_cursor(cursor, SORT, int)[1] if cursor else None
    return BanQuery(limit, search.strip(), kind, before)


def column_of(kind: BanKind) -> ColumnElement[object]:
    """Return the column that bans of a kind are in."""
    return _OF_KIND[kind]


def conditions(query: BanQuery) -> list[ColumnElement[bool]]:
    """Return what a row of the page has to match."""
    matching: list[ColumnElement[bool]] = []
    if query.before is not None:
        matching.append(_columns.id < query.before)
    if query.kind is not None:
        matching.append(column_of(query.kind).is_not(None))
    if query.search:
        matching.append(_matches(query.search))
    return matching


def _matches(search: str) -> ColumnElement[bool]:
    """Select the bans that a search asks for: given an address or network, those that contain it or lie within it."""
    if network := _as_network(search):
        given = literal(str(network), CIDR)
        return or_(_columns.network.op(">>=")(given), _columns.network.op("<<=")(given))
    lowered = search.lower()
    either = [
        func.strpos(func.lower(_columns.reason), lowered) > 0,
        func.lower(_columns.created_by) == lowered,
    ]
    if _HEX.fullmatch(lowered):
        either.append(starts_with(_columns.info_hash, lowered, 20))
    if (peer_id := _as_peer_id(search)) is not None:
        column, length = _columns.peer_id_prefix, func.octet_length(_columns.peer_id_prefix)
        shorter = func.least(length, len(peer_id))
        either.append(func.substring(column, 1, shorter) == func.substring(literal(peer_id), 1, shorter))
    return or_(*either)


def _as_network(search: str) -> Network | None:
    try:
        return ip_network(search if "/" in search else str(parse_address(search)), strict=False)
    except ValueError:
        return None


def _as_peer_id(search: str) -> bytes | None:
    try:
        return parse_peer_id_prefix(search)
    except PeerIdError:
        return None
