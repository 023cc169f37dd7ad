"""Announce keys."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, Field, StrictBool

from etracker_admin_api.domain.keys import KeyRow

LARGEST_ID = 2**63 - 1
RowId = Annotated[int, Path(ge=1, le=LARGEST_ID)]


class NewKey(BaseModel):
    """A fresh announce key: keep it, nobody can tell it to you again."""

    announce_key: str = Field(pattern="^[0-9a-f]{30}$")
    announce_url: str = Field(description="what goes into a torrent client")


class Key(BaseModel):
    """An announce key as operators see it. ``tier`` and ``score``: as of its last announce, null if there was none."""

    id: int
    key_hash: str = Field(description="hex, 32 digits: what all but the key's holder knows it by")
    created: datetime
    last_seen: datetime | None
    disabled: bool
    uploaded_bytes: int
    downloaded_bytes: int
    snatched: int
    seeding_seconds: int
    tier: int | None
    score: float | None

    @classmethod
    def of(cls, row: KeyRow) -> "Key":
        """Write a row."""
        return cls(
            id=row.id,
            key_hash=row.key_hash.hex(),
            created=row.created,
            last_seen=row.last_seen,
            disabled=row.disabled,
            uploaded_bytes=row.uploaded_bytes,
            downloaded_bytes=row.downloaded_bytes,
            snatched=row.snatched,
            seeding_seconds=row.seeding_seconds,
            tier=row.tier,
            score=None if row.score is None else round(row.score, 2),
        )


class KeyList(BaseModel):
    """``next``: the cursor of the following page, null on the last."""

    items: list[Key]
    next: str | None

    @classmethod
    def of(cls, rows: Sequence[KeyRow], following: str | None) -> "KeyList":
        """Write a page."""
        return cls(items=[Key.of(row) for row in rows], next=following)


class KeyLookup(BaseModel):
    """A key in a body, since addresses are logged."""

    announce_key: str = Field(max_length=64)


class KeyChange(BaseModel):
    """What may be changed about a key."""

    disabled: StrictBool
