"""Operators."""

from datetime import datetime

from pydantic import BaseModel, Field


class Session(BaseModel):
    """Whose API key this is."""

    name: str
    since: datetime | None = Field(description="when the key was made; null for ETRACKER_AUTHORIZATION")
