"""Broken clients as a class."""

from datetime import datetime

from pydantic import BaseModel, Field

from etracker_admin_api.anomalies.models import Client


class KindCount(BaseModel):
    """Evidence of one kind."""

    kind: str
    evidence: int = Field(description="number of findings")
    identities: int = Field(description="number of keys and guests concerned")
    points: float = Field(description="sum, without decay")


class ClientAnomalies(BaseModel):
    """The anomalies of a version of a client, and how many use it.

    A guest's client is known only from evidence, so ``keys`` and ``sessions`` count registered keys only.
    """

    client: Client
    suspected: int = Field(description="keys and guests suspected now, by the client that gave the latest evidence")
    confirmed: int = Field(description="the same, confirmed now")
    identities: int = Field(description="keys and guests with evidence from this client")
    kinds: list[KindCount] = Field(description="most findings first")
    keys: int | None = Field(
        description="keys that used the client; null if it isn't among the 5,000 most used, or not counted yet"
    )
    sessions: int | None = Field(description="their sessions: pairs of a torrent and a client instance")


class ClientAnomalyList(BaseModel):
    """Most keys and guests with evidence first, at most 500.

    Evidence is that of the last ``days`` days. ``counted``: when users were last counted, which happens about once an
    hour; null if they haven't been counted yet.
    """

    items: list[ClientAnomalies]
    days: int
    counted: datetime | None
