"""Bans as the API shows them."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, StrictBool

from etracker_admin_api.bans.patterns import BanKind
from etracker_admin_api.errors import BanError
from etracker_admin_api.http.reasons import ReasonText


def _check_future(moment: datetime | None) -> datetime | None:
    if moment is not None and moment <= datetime.now(UTC):
        raise BanError("The end of a ban must be in the future.")
    return moment


Expiry = Annotated[
    AwareDatetime | None, AfterValidator(_check_future), Field(description="with a time zone; null: permanent")
]
Value = Annotated[
    str,
    Field(
        max_length=200,
        description=(
            "a network in CIDR notation or an address; the start of a peer_id, in ASCII and %xx; or an infohash in hex"
            " or base64"
        ),
        examples=["203.0.113.0/24"],
    ),
]
Confirm = Annotated[
    StrictBool, Field(description="ban it even if it is very wide, private, or contains your own address")
]


class Ban(BaseModel):
    """Something that announce refuses."""

    id: int
    kind: BanKind
    value: str
    reason: str = Field(description="for operators: clients aren't told")
    created: datetime
    created_by: str = Field(description="an operator's name; empty if the row was inserted by hand")
    expires: datetime | None = Field(description="null: permanent")
    in_force: bool


class BanList(BaseModel):
    """Newest first. ``next``: the cursor of the next page, null on the last page."""

    items: list[Ban]
    next: str | None


class NewBan(BaseModel):
    """Something to ban."""

    kind: BanKind
    value: Value
    reason: ReasonText = ""
    expires: Expiry = None
    confirm: Confirm = False


class BanChange(BaseModel):
    """The fields of a ban that can be changed; those left out keep their values."""

    reason: ReasonText = ""
    expires: Expiry = None


class NewBans(BaseModel):
    """Many things to ban, of one kind.

    One per line. Blank lines and comments (``#``, ``;``, ``//``) are skipped; ranges such as ``a-b``, with or without a
    name in front, become the networks that they consist of.
    """

    kind: BanKind
    lines: str
    reason: ReasonText = ""
    expires: Expiry = None
    confirm: Confirm = False


class LiftedBans(BaseModel):
    """Many bans to lift, of one kind, written as they were for the import."""

    kind: BanKind
    lines: str


class LineProblem(BaseModel):
    """A line that wasn't accepted, numbered from 1."""

    line: int
    text: str
    detail: str


class ImportResult(BaseModel):
    """``problems`` explains at most 100 of the refused lines. The others were accepted."""

    added: int
    extended: int = Field(description="were banned for a shorter time")
    known: int = Field(description="were banned already, for at least as long: nothing changed")
    refused: int
    unconfirmed: int = Field(description="of the refused lines, those that would be accepted with `confirm`")
    problems: list[LineProblem]


class LiftResult(BaseModel):
    """``problems`` explains at most 100 of the refused lines."""

    lifted: int
    unknown: int = Field(description="weren't banned")
    refused: int
    problems: list[LineProblem]


BODIES = (NewBan, BanChange, NewBans, LiftedBans)
"""Models of the bodies that routes read themselves."""
