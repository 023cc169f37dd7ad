"""What address prefixes took, as the API shows it."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, Field


class Hour(StrEnum):
    """A full or the current hour of UTC."""

    PREVIOUS = "previous"
    CURRENT = "current"


class PrefixTaking(BaseModel):
    """What one IPv4 /24 or IPv6 /48 took."""

    prefix: str = Field(
        description="a keyed hash of the prefix, always the same for the same prefix; the prefix itself isn't stored",
        examples=["3f09a1c25b77e4"],
    )
    torrents: int = Field(description="distinct infohashes announced, estimated to within about a percent")
    lists: int = Field(description="announces that were answered with a list of peers, which may have been empty")


class PrefixList(BaseModel):
    """Most torrents first. ``next``: the cursor of the next page, null on the last page."""

    items: list[PrefixTaking]
    next: str | None
    began: datetime = Field(description="when the hour began")
