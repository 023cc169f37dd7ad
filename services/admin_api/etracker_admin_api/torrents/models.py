"""Torrents and infohashes, as the API shows them. The store fills them from columns of the same names."""

import enum
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field
from pydantic.config import JsonDict

from etracker_admin_api.corrections import Amount
from etracker_admin_api.http.infohashes import HEX_EXAMPLE, HEX_OR_BASE64, HexText
from etracker_admin_api.http.reasons import GivenReason
from etracker_admin_api.torrents.listing import HEALTHS, SwarmHealth

MAX_BULK = 1000

_HEX_OR_BASE64: JsonDict = {"pattern": f"^(?:{HEX_OR_BASE64})$"}
_ONE_LINE: JsonDict = {
    "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069]*$",
    "maxLength": 1024,
}
"""Only for the OpenAPI document: routes check this themselves, with a sentence for each problem."""

StoredHealth = Annotated[SwarmHealth, BeforeValidator(lambda stored: HEALTHS.get(stored, stored))]


class TorrentV1(BaseModel):
    """A tracked torrent; a hybrid is one. Seeders and leechers are at most a minute old.

    A client that announces both infohashes of a hybrid counts once.

    ``health``: healthy with 3 or more seeders, weak with 1 or 2, unseeded with leechers only, idle without peers.
    """

    info_hash: HexText = Field(description="hex, 40 digits", examples=[HEX_EXAMPLE])
    info_hash_v2: HexText | None = Field(description="hex, 64 digits: the full v2 infohash")
    name: str = Field(description="chosen by the uploader: treat as plain text, never as markup")
    size: int | None = Field(description="bytes of content, null if unknown")
    seeders: int
    leechers: int
    snatches: int = Field(description="completed downloads, counted once per key")
    added: datetime
    last_seen: datetime | None
    has_file: bool = Field(description="whether its torrent file can be downloaded")
    health: StoredHealth


class TorrentDetailV1(TorrentV1):
    """Everything known about a torrent."""

    uploaded_bytes: int
    downloaded_bytes: int
    seeding_seconds: int
    other_info_hash: HexText | None = Field(description="a hybrid's second infohash, hex")
    counted_at: datetime | None = Field(description="when seeders and leechers last changed")


class TorrentPage(BaseModel):
    """``next``: the cursor of the next page, null on the last page."""

    items: list[TorrentV1]
    next: str | None


class NewInfoHash(BaseModel):
    """``info_hash``: hex; base64 is accepted too."""

    info_hash: str = Field(examples=[HEX_EXAMPLE], json_schema_extra=_HEX_OR_BASE64)
    name: str = Field("", json_schema_extra=_ONE_LINE)


class BulkInfoHash(BaseModel):
    """One of many. Errors are reported per item."""

    info_hash: str = Field(examples=[HEX_EXAMPLE])
    name: str = ""


class NewInfoHashes(BaseModel):
    """Several infohashes at once."""

    items: list[BulkInfoHash] = Field(max_length=MAX_BULK)


class BulkStatus(enum.StrEnum):
    """The result for one infohash."""

    ADDED = "added"
    KNOWN = "known"
    REFUSED = "refused"


class BulkResult(BaseModel):
    """The result for one infohash. ``detail`` says why it was refused."""

    info_hash: str
    status: BulkStatus
    detail: str | None


class BulkResults(BaseModel):
    """In request order."""

    results: list[BulkResult]


class NewName(BaseModel):
    """The displayed name: one line of at most 1,024 bytes."""

    name: str = Field(json_schema_extra=_ONE_LINE)


class TorrentCorrection(BaseModel):
    """What a torrent's statistics should be; those left out keep their values."""

    reason: GivenReason
    uploaded_bytes: Amount | None = None
    downloaded_bytes: Amount | None = None
    snatches: Amount | None = None
    seeding_seconds: Amount | None = None


BODIES = (TorrentCorrection, NewInfoHash, NewInfoHashes, NewName)
"""Models of the bodies that routes read themselves."""
