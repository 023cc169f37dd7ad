"""Recovery of keys as the API shows it."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field

from etracker_admin_api.http.infohashes import HEX_OR_BASE64, HexText
from etracker_admin_api.http.reasons import GivenReason
from etracker_admin_api.keys.recovery_codes import CODE_PATTERN

MAX_TYPED = 64

_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
"""Moments that are valid in every time zone."""

TypedCode = Annotated[str, Field(max_length=MAX_TYPED, description="small letters and missing hyphens don't matter")]


class EndedKey(BaseModel):
    """A key that was replaced by a rotation without a recovery code. ``undo_until``: until then it can undo that."""

    rotated: datetime
    undo_until: datetime


class RecoveryCode(BaseModel):
    """A recovery code. Write it down: it can't be retrieved again."""

    recovery_code: str = Field(pattern=CODE_PATTERN, examples=["7ZK4M-0Q9XB-2WD5T-H8VRC-1NPG6"])


class RecoveryRequest(BaseModel):
    """A request for a recovery code. From ``ready`` on the code is shown, unless somebody has objected by then."""

    requested: datetime
    ready: datetime


class NewRecoveryRequest(RecoveryRequest):
    """``claim``: needed to see the code when it's ready, so that nobody else with the key gets it."""

    claim: str


class Recovery(BaseModel):
    """How a key can be recovered when it is stolen.

    ``code_created``: when it got its recovery code, null if it has none. ``undo_until``: until then its previous key
    can undo the last rotation, null if it can't. ``contested``: a rotation was undone, so another one takes the
    recovery code or an operator. ``disown_after``: sessions can't be disowned again before then, null if they can.
    """

    code_created: datetime | None
    request: RecoveryRequest | None
    undo_until: datetime | None
    contested: bool
    disown_after: datetime | None


class NewAddress(BaseModel):
    """What sessions added to a key from an address prefix that is new to it (an IPv4 /24 or IPv6 /48).

    ``clients``: the first 8 characters of their peer_ids. ``new_until``: until then the sessions can be disowned.
    """

    first_seen: datetime
    last_seen: datetime
    new_until: datetime
    clients: list[str]
    torrents: int
    uploaded_bytes: int
    downloaded_bytes: int
    seeding_seconds: int
    snatches: int


class NewAddressList(BaseModel):
    """The hundred address prefixes that are newest to a key, newest first."""

    items: list[NewAddress]


class CodeEntry(BaseModel):
    """A recovery code, as typed."""

    recovery_code: TypedCode


class ClaimEntry(BaseModel):
    """The claim that the request for a recovery code returned."""

    claim: str = Field(max_length=MAX_TYPED)


class Disowning(BaseModel):
    """``since``: sessions from address prefixes that the key used before then stay."""

    recovery_code: TypedCode
    since: AwareDatetime = Field(ge=_EARLIEST, le=_LATEST)


class Disowned(BaseModel):
    """What was taken out of a key's statistics."""

    prefixes: int
    sessions: int
    torrents: int
    uploaded_bytes: int
    downloaded_bytes: int
    seeding_seconds: int
    snatches: int


class Debt(BaseModel):
    """Seeding that a key owes for a torrent."""

    info_hash: HexText
    name: str
    seconds_left: int


class DebtList(BaseModel):
    """A key's debts, the thousand largest."""

    items: list[Debt]


class DebtClearing(BaseModel):
    """Which debts to clear: of one torrent, or (``info_hash`` null) all."""

    reason: GivenReason
    info_hash: str | None = Field(
        None,
        description="hex or base64; all torrents if left out",
        json_schema_extra={"anyOf": [{"type": "string", "pattern": f"^(?:{HEX_OR_BASE64})$"}, {"type": "null"}]},
    )


BODIES = (ClaimEntry, CodeEntry, DebtClearing, Disowning)
"""Models of the bodies that routes read themselves."""
