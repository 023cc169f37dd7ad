"""Announce keys."""

from pydantic import BaseModel, Field


class NewKey(BaseModel):
    """A fresh announce key: keep it, nobody can tell it to you again."""

    announce_key: str = Field(pattern="^[0-9a-f]{30}$")
    announce_url: str = Field(description="what goes into a torrent client")
