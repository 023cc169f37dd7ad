"""What the holder of a key sees of the anomalies of this key."""

from datetime import datetime

from pydantic import BaseModel, Field

from etracker_admin_api.anomalies.models import ShownVerdict, TorrentName


class OwnEvidence(BaseModel):
    """One finding against your key."""

    at: datetime
    kind: str
    text: str = Field(description="the finding in words")
    torrent: TorrentName | None
    began: datetime | None = Field(description="when the period concerned began")
    ended: datetime | None = Field(description="when it ended")


class OwnAppeal(BaseModel):
    """What you said, and what an operator answered. Both are plain text."""

    id: int
    at: datetime
    text: str
    answer: str | None
    answered: datetime | None


class OwnAnomaly(BaseModel):
    """What the tracker has confirmed about your key.

    If nothing is confirmed, ``verdict`` and ``since`` are null and there is no evidence; appeals and their answers
    remain. ``evidence``: newest first, at most 100.
    """

    confirmed: bool
    enforced: bool = Field(description="whether confirmations have consequences on this tracker at the moment")
    verdict: ShownVerdict | None
    since: datetime | None
    evidence: list[OwnEvidence]
    appeals: list[OwnAppeal] = Field(description="newest first, at most 100")
    appeals_left: int = Field(description="how many appeals you may send until an operator answers one")
