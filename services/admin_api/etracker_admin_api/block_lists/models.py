"""A block list as a page shows it."""

from datetime import datetime

from pydantic import BaseModel, Field


class BlockedPeer(BaseModel):
    """A peer to block."""

    address: str
    port: int
    why: str = Field(description="a fixed text", examples=["downloads the same data again and again"])
    given: datetime = Field(description="when the tracker last gave this peer to your client")


class BlockList(BaseModel):
    """The peers that the tracker gave to your client, and that waste bandwidth.

    Empty for a token that is wrong or has expired, too. The three URLs are relative to the tracker's address.
    """

    peers: list[BlockedPeer]
    txt: str = Field(description="one address per line, for PeerBanHelper", examples=["/api/blocklist/0a1b2c.txt"])
    p2p: str = Field(description="for Transmission, Deluge and BiglyBT", examples=["/api/blocklist/0a1b2c.p2p"])
    dat: str = Field(description="eMule's format, for qBittorrent", examples=["/api/blocklist/0a1b2c.dat"])
