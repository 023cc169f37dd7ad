"""The peers of a swarm."""

from datetime import datetime

from pydantic import BaseModel, Field


class PeerV1(BaseModel):
    """One peer. With one address family only, that one stands in ``address`` and ``port``."""

    address: str
    address6: str | None
    port: int
    port6: int | None
    seeder: bool
    partial: bool = Field(description="a partial seed: it wants no more, but hasn't all (BEP 21)")
    tier: int
    guest: bool
    reachable: bool = Field(description="false: it said that it can't be dialled")
    client: str = Field(description="the start of its peer_id", examples=["-qB4520-"])
    key_id: int | None = Field(description="null for guests")
    first_seen: datetime
    last_seen: datetime


class SwarmV1(BaseModel):
    """Seeders first. ``truncated``: there are more peers than were asked for."""

    items: list[PeerV1]
    seeders: int
    leechers: int
    truncated: bool
