"""Anomalies as the API shows them."""

import enum
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field

from etracker_admin_api.http.infohashes import HexText
from etracker_shared.agreements.anomalies import AnomalyState, Kind, Override, Verdict


class StateName(enum.StrEnum):
    """How sure the detector is. Suspicions are shown to operators only."""

    OK = "ok"
    SUSPECTED = "suspected"
    CONFIRMED = "confirmed"
    CLEARED = "cleared"

    @property
    def stored(self) -> AnomalyState:
        """The number in Postgres."""
        return AnomalyState[self.name]


class VerdictName(enum.StrEnum):
    """What was confirmed.

    ``statistics``: it reports what it didn't do. ``hidden_download``: it downloads more than it reports. ``waste``: it
    downloads the same data again and again, at the expense of those who upload it.
    """

    STATISTICS = "statistics"
    HIDDEN_DOWNLOAD = "hidden_download"
    WASTE = "waste"

    @property
    def stored(self) -> Verdict:
        """The number in Postgres."""
        return Verdict[self.name]


class DecisionName(enum.StrEnum):
    """What an operator decided.

    ``exempt``: no evidence is kept. ``clear``: the score is 0, and the kinds of evidence there were count for nothing.
    ``confirm``: confirmed, whatever the score is.
    """

    EXEMPT = "exempt"
    CLEAR = "clear"
    CONFIRM = "confirm"

    @property
    def stored(self) -> Override:
        """The number in Postgres."""
        return _OVERRIDES[self]


_OVERRIDES = {
    DecisionName.EXEMPT: Override.EXEMPT,
    DecisionName.CLEAR: Override.CLEARED,
    DecisionName.CONFIRM: Override.CONFIRMED,
}
_DECISIONS = {override: name for name, override in _OVERRIDES.items()}


def _scalars(data: object) -> object:
    """Leave out what isn't a number or a text: a row can have been written by hand."""
    if not isinstance(data, dict):
        return {}
    return {name: value for name, value in data.items() if isinstance(value, int | float | str)}


ShownState = Annotated[
    StateName, BeforeValidator(lambda value: StateName[AnomalyState(value).name] if isinstance(value, int) else value)
]
ShownVerdict = Annotated[
    VerdictName, BeforeValidator(lambda value: VerdictName[Verdict(value).name] if isinstance(value, int) else value)
]
ShownDecision = Annotated[
    DecisionName, BeforeValidator(lambda value: _DECISIONS[Override(value)] if isinstance(value, int) else value)
]


class Decision(BaseModel):
    """An operator's decision, which overrides the detector until it ends."""

    decision: ShownDecision
    until: datetime | None = Field(description="null: until an operator ends it")
    operator: str
    note: str


class Client(BaseModel):
    """A client as its peer_id describes it, which says nothing about honesty: a peer_id can be copied."""

    name: str = Field(description="the family, or what the peer_id says if it is unknown", examples=["qBittorrent"])
    version: str = Field(examples=["5.2.1"])
    prefix: str = Field(
        description="the start of the peer_id, in ASCII and %xx; the parameter `client` of the list",
        examples=["-qB5210-"],
    )


class Anomaly(BaseModel):
    """A key or a guest for which there is evidence."""

    id: int
    key_id: int | None = Field(description="null for a guest")
    key_hash: HexText = Field(description="hex, 32 digits: of the key, or the hash by which a guest is known")
    state: ShownState
    since: datetime = Field(description="when the state began")
    verdict: ShownVerdict | None = Field(description="null unless confirmed")
    score: float = Field(description="as of `score_time`; it halves every 48 hours: 40 suspects, 100 confirms")
    score_time: datetime
    points: dict[str, float] = Field(description="points of each kind of evidence, as of `score_time`")
    evidence_time: datetime | None = Field(description="when evidence was last added")
    client: Client | None = Field(description="the client that gave the latest evidence; null if unknown")
    decision: Decision | None = Field(description="null if there is none, or it has ended")
    appeals_waiting: int = Field(description="appeals that haven't been answered")


class AnomalyList(BaseModel):
    """``next``: the cursor of the next page, null on the last page."""

    items: list[Anomaly]
    next: str | None


class TorrentName(BaseModel):
    """A torrent."""

    info_hash: HexText = Field(description="hex, 40 digits")
    name: str = Field(description="chosen by the uploader: treat as plain text, never as markup")


class Evidence(BaseModel):
    """One finding.

    Kinds begin with P (a client contradicts itself), E (events), F (a tool's fingerprint), C (the swarm's balance) or D
    (it reacts to what the tracker tells it).
    """

    id: int
    at: datetime
    kind: str = Field(examples=[Kind.REDOWNLOAD.value])
    points: float
    text: str = Field(description="the finding in words")
    data: Annotated[dict[str, int | float | str], BeforeValidator(_scalars)] = Field(
        description="the numbers in the text"
    )
    torrent: TorrentName | None
    began: datetime | None = Field(description="when the first block concerned began; a block has two hours")
    ended: datetime | None = Field(description="when the last block concerned ended")
    client: Client | None


class EvidenceList(BaseModel):
    """Newest first. ``next``: the cursor of the next page, null on the last page."""

    items: list[Evidence]
    next: str | None


class AccusedTorrent(TorrentName):
    """A torrent in which there is evidence."""

    points: float = Field(description="the points of all its evidence, without decay")
    evidence: int = Field(description="number of findings")
    last: datetime
    of_balance: bool = Field(description="whether some of it comes from the swarm's balance")


class Appeal(BaseModel):
    """What the holder of a confirmed key says, and what an operator answered. Both are plain text."""

    id: int
    at: datetime
    text: str
    answer: str | None
    answered: datetime | None
    operator: str | None = Field(description="who answered")


class AnomalyDetail(Anomaly):
    """Everything known about one key or guest.

    ``torrents``: those with most points first, at most 50. ``evidence``: the first page of it. ``appeals``: newest
    first, at most 100.
    """

    torrents: list[AccusedTorrent]
    evidence: EvidenceList
    appeals: list[Appeal]
