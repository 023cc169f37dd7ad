"""Announce keys as the API shows them. The store fills them from columns of the same names."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, StrictBool

from etracker_admin_api.corrections import Amount
from etracker_admin_api.http.infohashes import HexText
from etracker_admin_api.http.reasons import GivenReason

GENERATED_KEY = "^[0-9a-f]{30}$"


class NewKey(BaseModel):
    """A new announce key. Keep it: it can't be retrieved again."""

    announce_key: str = Field(pattern=GENERATED_KEY)
    announce_url: str = Field(description="the URL to add to a torrent client")
    recovery_code: str | None = Field(
        None,
        description="the key's recovery code, if it is new. Write it down: it can't be retrieved again",
    )
    undo_until: datetime | None = Field(
        None, description="until when the previous key can undo this rotation; null if it can't"
    )


class AnnounceOrigin(BaseModel):
    """Where clients announce."""

    announce_origin: str = Field(
        description="scheme, host and port of announce URLs: the URL of a key is `<announce_origin>/<key>/announce`"
    )


class Key(BaseModel):
    """An announce key as operators see it.

    ``tier`` and ``score`` are as of its last announce, null if it has never announced.
    """

    id: int
    key_hash: HexText = Field(description="hex, 32 digits: identifies the key without revealing it")
    created: datetime
    last_seen: datetime | None
    disabled: bool
    uploaded_bytes: int
    downloaded_bytes: int
    snatched: int
    seeding_seconds: int
    tier: int | None
    score: Annotated[float, AfterValidator(lambda score: round(score, 2))] | None


class KeyList(BaseModel):
    """``next``: the cursor of the next page, null on the last page."""

    items: list[Key]
    next: str | None


class KeyLookup(BaseModel):
    """An announce key. It is in the body, because URLs are logged."""

    announce_key: str = Field(max_length=64)


class KeyChange(BaseModel):
    """The properties of a key that can be changed."""

    disabled: StrictBool


class KeyCorrection(BaseModel):
    """What a key's statistics should be; those left out keep their values."""

    reason: GivenReason
    uploaded_bytes: Amount | None = None
    downloaded_bytes: Amount | None = None
    snatched: Amount | None = None
    seeding_seconds: Amount | None = None


BODIES = (KeyChange, KeyCorrection, KeyLookup)
"""Models of the bodies that routes read themselves."""
