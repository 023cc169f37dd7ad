"""Operators: who they are, and on whose behalf something is changed."""

import enum
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from etracker_admin_api.domain.cursors import decode_cursor, encode_cursor

ENVIRONMENT = "environment"
"""The first operator, whose key is ETRACKER_AUTHORIZATION."""

_KEY_BYTES = 24
_AUDIT = "audit"


class Action(enum.StrEnum):
    """What is recorded: every change, and reads of peers' addresses."""

    ADD_INFO_HASH = "infohash.add"
    RENAME = "infohash.rename"
    REMOVE = "infohash.remove"
    UPLOAD = "torrent.upload"
    DISABLE_KEY = "key.disable"
    ENABLE_KEY = "key.enable"
    ROTATE_KEY = "key.rotate"
    ADD_OPERATOR = "operator.add"
    REVOKE_OPERATOR = "operator.revoke"
    READ_PEERS = "peers.read"


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody with an API key. ``id`` and ``since`` are None for the environment's."""

    id: int | None
    name: str
    since: datetime | None = None

    @property
    def is_first(self) -> bool:
        """Whether this is the environment's operator, who alone adds and revokes others."""
        return self.id is None


@dataclass(frozen=True, slots=True)
class OperatorRow:
    """An operator as the list shows it."""

    id: int | None
    name: str
    created: datetime | None
    last_used: datetime | None
    revoked: bool


@dataclass(frozen=True, slots=True)
class Actor:
    """An operator, and the request by which they act."""

    operator: Operator
    request_id: str


@dataclass(frozen=True, slots=True)
class AuditRow:
    """Something an operator changed or read."""

    id: int
    at: datetime
    operator: str
    action: str
    target: str
    detail: Mapping[str, Any] = field(default_factory=dict)
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """One page of the audit log, the newest first. ``before``: the id of the last row of the page before."""

    limit: int
    before: int | None = None
    operator: str | None = None
    action: Action | None = None


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Some rows, and the cursor of those that follow, if any do."""

    rows: Sequence[AuditRow]
    following: str | None


def parse_audit_query(limit: int, cursor: str | None, operator: str | None, action: Action | None) -> AuditQuery:
    """Put a query together.

    Raises:
        CursorError: the cursor is none of this list.
    """
    before = decode_cursor(cursor, _AUDIT, int)[1] if cursor else None
    return AuditQuery(limit, before, operator, action)


def cut_audit_page(rows: Sequence[AuditRow], query: AuditQuery) -> AuditPage:
    """Cut a page off rows of which one more was asked for than fits."""
    if len(rows) <= query.limit:
        return AuditPage(rows, None)
    last = rows[query.limit - 1].id
    return AuditPage(rows[: query.limit], encode_cursor(_AUDIT, last, last))


def new_api_key() -> str:
    """Make a fresh API key of 192 random bits."""
    return "etk_" + secrets.token_urlsafe(_KEY_BYTES)


def hash_api_key(api_key: bytes) -> bytes:
    """Hash an API key. It is random, not a password, so one round is enough; so is what is set in the environment."""
    return hashlib.sha256(api_key.strip()).digest()
