"""The peers of a swarm, as the API shows them."""

from datetime import datetime

from pydantic import BaseModel, Field


class PeerV1(BaseModel):
    """One peer. If it uses only one address family, its endpoint is in ``address`` and ``port``."""

    address: str
    address6: str | None
    port: int
    port6: int | None
    seeder: bool
    partial: bool = Field(description="a partial seed: it isn't downloading, but doesn't have every file (BEP 21)")
    tier: int
    guest: bool
    reachable: bool = Field(description="false if it announced that it can't accept connections")
    client: str = Field(description="the start of its peer_id", examples=["-qB4520-"])
    key_id: int | None = Field(description="null for guests")
    first_seen: datetime = Field(
        description="when it joined; of a leecher, later by the time that doesn't count as waiting"
    )
    last_seen: datetime


class SwarmV1(BaseModel):
    """Seeders first. ``truncated``: there are more peers than requested."""

    items: list[PeerV1]
    seeders: int
    leechers: int
    truncated: bool
