"""What goes over the wire, field by field as the original named it."""

from pydantic import BaseModel, Field

BASE64_HASH = "AAECAwQFBgcICQoLDA0ODxAREhM="


class Problem(BaseModel):
    """Any error. ``request_id`` is in the service's log too."""

    message: str = Field(examples=["The infohash isn't tracked."])
    request_id: str = Field(examples=["5f0c6a1e9b7d4c32"])


class StatisticsAnswer(BaseModel):
    """``stale`` is there only while live counts can't be had: then seeders and leechers are the last known."""

    hashcount: int = Field(description="torrents tracked; a hybrid's two infohashes are one")
    seeders: int
    leechers: int
    stale: bool | None = None


class KeyAnswer(BaseModel):
    """A fresh announce key: keep it, nobody can tell it to you again."""

    announce_key: str = Field(pattern="^[0-9a-f]{30}$")


class TorrentAnswer(BaseModel):
    """One tracked torrent; seeders and leechers are at most a minute old."""

    name: str
    downloaded: int = Field(description="completed downloads")
    seeders: int
    leechers: int
    info_hash: str = Field(description="base64", examples=[BASE64_HASH])


class InfoHashRequest(BaseModel):
    """``info_hash``: 20 bytes in base64; hex is read too."""

    info_hash: str = Field(examples=[BASE64_HASH])
    name: str = ""


class Done(BaseModel):
    """What happened, in a sentence."""

    message: str


class UploadAnswer(BaseModel):
    """A torrent as it is tracked now.

    ``changed``: the upload wasn't private; it got the flag, and with it new infohashes. Download the
    torrent file from here and seed that one.
    """

    message: str
    name: str
    length: int = Field(description="bytes of content")
    info_hash: str = Field(description="base64; the v1 infohash, or the truncated v2 one", examples=[BASE64_HASH])
    info_hash_v1: str | None = Field(description="hex, 40 digits")
    info_hash_v2: str | None = Field(description="hex, 64 digits")
    changed: bool
