"""The balance of a swarm, for a chart."""

from datetime import datetime

from pydantic import BaseModel, Field

from etracker_admin_api.anomalies.models import ShownState, TorrentName
from etracker_admin_api.http.infohashes import HexText


class BalanceBlock(BaseModel):
    """What everybody in the swarm reported for one block, in bytes."""

    start: datetime
    uploaded: int
    received: int = Field(description="downloaded, corrupt and redundant bytes")
    noise: float = Field(description="the standard deviation of the difference expected of an honest swarm")
    cusum: float = Field(description="bytes uploaded without a receiver, summed since the onset")
    onset: datetime | None = Field(description="when the sum began to rise; null while it is 0")
    trusted: bool = Field(description="whether the swarm counted as closed at the onset")
    witnesses: int = Field(description="other keys and guests that announced with nothing left in this block")


class TrafficBlock(BaseModel):
    """What one key or guest transferred in a block, in bytes. Blocks without traffic are left out."""

    start: datetime
    uploaded: int
    received: int
    dropped: int = Field(description="by how much it said that less was left to download")


class AccusedTraffic(BaseModel):
    """The traffic of one of the accused, as far as it is kept: about five days."""

    anomaly_id: int
    key_id: int | None = Field(description="null for a guest")
    key_hash: HexText
    state: ShownState
    blocks: list[TrafficBlock]


class Witness(BaseModel):
    """A seeder that wasn't accused and was there since the onset: it can have received nothing."""

    key_id: int | None = Field(description="null for a guest")
    key_hash: HexText
    blocks: int = Field(description="in how many of the blocks since the onset it announced with nothing left")


class SwarmBalance(BaseModel):
    """The balance of a torrent over four days, oldest block first. Blocks without traffic are left out.

    The four days end with the last block judged, or 8 hours after the last finding against the one asked for.

    ``accused``: first the one asked for, then up to four others against whom the balance of this swarm is evidence.

    ``witnesses``: up to ten, those with the most blocks first.
    """

    torrent: TorrentName
    size: int | None = Field(description="bytes of content, null if unknown")
    private: bool | None = Field(description="the flag in the torrent file, null if unknown")
    block_seconds: int
    onset: datetime | None = Field(
        description="the last onset: when uploads began to exceed downloads; null if they don't"
    )
    blocks: list[BalanceBlock]
    accused: list[AccusedTraffic]
    witnesses: list[Witness]
