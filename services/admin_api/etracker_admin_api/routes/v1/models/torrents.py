"""Torrents and infohashes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import Path
from pydantic import BaseModel, Field
from pydantic.config import JsonDict

from etracker_admin_api.domain.listing import SwarmHealth, TorrentDetail, TorrentRow
from etracker_admin_api.use_cases.bulk import BulkStatus, Outcome

HEX_HASH = "000102030405060708090a0b0c0d0e0f10111213"
MAX_BULK = 1000

_HEX_OR_BASE64: JsonDict = {"pattern": "^(?:[0-9a-fA-F]{40}|[0-9a-fA-F]{64}|[0-9A-Za-z+/_-]{27}=?)$"}
_ONE_LINE: JsonDict = {
    "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069]*$",
    "maxLength": 1024,
}
"""What the domain refuses with sentences of its own: here it is only told."""

InfoHashPath = Annotated[
    str,
    Path(
        pattern="^(?:[0-9a-fA-F]{40}|[0-9a-fA-F]{64})$",
        description="hex: any of the torrent's infohashes (40 digits), or a whole v2 one (64)",
        examples=[HEX_HASH],
    ),
]


class TorrentV1(BaseModel):
    """A tracked torrent; a hybrid is one. Seeders and leechers are at most a minute old.

    ``health``: healthy with 3 seeders or more, weak with 1 or 2, unseeded with leechers only, idle with no peers.
    """

    info_hash: str = Field(description="hex, 40 digits", examples=[HEX_HASH])
    info_hash_v2: str | None = Field(description="hex, 64 digits: the whole v2 infohash")
    name: str = Field(description="chosen by strangers: text, never markup")
    size: int | None = Field(description="bytes of content, null if unknown")
    seeders: int
    leechers: int
    snatches: int = Field(description="completed downloads, once a key")
    added: datetime
    last_seen: datetime | None
    has_file: bool = Field(description="whether its torrent file can be downloaded")
    health: SwarmHealth

    @classmethod
    def of(cls, row: TorrentRow) -> "TorrentV1":
        """Write a row."""
        return cls(**_fields(row))


class TorrentDetailV1(TorrentV1):
    """All that is known of a torrent."""

    uploaded_bytes: int
    downloaded_bytes: int
    seeding_seconds: int
    other_info_hash: str | None = Field(description="a hybrid's second infohash, hex")
    counted_at: datetime | None = Field(description="when seeders and leechers last changed")

    @classmethod
    def of_detail(cls, detail: TorrentDetail) -> "TorrentDetailV1":
        """Write a torrent."""
        return cls(
            **_fields(detail.row),
            uploaded_bytes=detail.uploaded_bytes,
            downloaded_bytes=detail.downloaded_bytes,
            seeding_seconds=detail.seeding_seconds,
            other_info_hash=detail.other_info_hash.hex() if detail.other_info_hash else None,
            counted_at=detail.counted_at,
        )


class TorrentPage(BaseModel):
    """``next``: the cursor of the following page, null on the last."""

    items: list[TorrentV1]
    next: str | None


class NewInfoHash(BaseModel):
    """``info_hash``: hex; base64 is read too."""

    info_hash: str = Field(examples=[HEX_HASH], json_schema_extra=_HEX_OR_BASE64)
    name: str = Field("", json_schema_extra=_ONE_LINE)


class BulkInfoHash(BaseModel):
    """One of many: whatever is wrong with it is told of it alone."""

    info_hash: str = Field(examples=[HEX_HASH])
    name: str = ""


class NewInfoHashes(BaseModel):
    """Many at once."""

    items: list[BulkInfoHash] = Field(max_length=MAX_BULK)


class BulkResult(BaseModel):
    """What became of one of them; ``detail`` says why it was refused."""

    info_hash: str
    status: BulkStatus
    detail: str | None


class BulkResults(BaseModel):
    """In the order of the request."""

    results: list[BulkResult]

    @classmethod
    def of(cls, outcomes: Sequence[Outcome]) -> "BulkResults":
        """Write what became of each."""
        return cls(
            results=[
                BulkResult(info_hash=outcome.info_hash, status=outcome.status, detail=outcome.detail)
                for outcome in outcomes
            ]
        )


class NewName(BaseModel):
    """What people read: one line of at most 1,024 bytes."""

    name: str = Field(json_schema_extra=_ONE_LINE)


class UploadedTorrent(BaseModel):
    """A torrent as it is tracked now.

    ``changed``: the upload wasn't private; it got the flag, and with it new infohashes. Download the
    torrent file from here and seed that one.
    """

    message: str
    torrent: TorrentV1
    info_hash_v1: str | None = Field(description="hex, 40 digits")
    info_hash_v2: str | None = Field(description="hex, 64 digits")
    changed: bool


def _fields(row: TorrentRow) -> dict[str, Any]:
    return {
        "info_hash": row.info_hash.hex(),
        "info_hash_v2": row.info_hash_v2.hex() if row.info_hash_v2 else None,
        "name": row.name,
        "size": row.length,
        "seeders": row.seeders,
        "leechers": row.leechers,
        "snatches": row.snatches,
        "added": row.added,
        "last_seen": row.last_seen,
        "has_file": row.has_file,
        "health": row.health,
    }
