"""Errors. Source: RFC 9457."""

from pydantic import BaseModel, Field

INVALID = "/problems/invalid"
_TYPES = {429: "/problems/rate-limited", 503: "/problems/unavailable"}


class FieldProblem(BaseModel):
    """What is wrong with one part of the request."""

    field: str
    message: str


class ProblemDetails(BaseModel):
    """Any error. ``request_id`` is in the service's log too; ``errors`` is there when parts are wrong."""

    type: str = Field(examples=["about:blank"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["The infohash isn't tracked."])
    request_id: str = Field(examples=["5f0c6a1e9b7d4c32"])
    errors: list[FieldProblem] | None = None


def problem_type(status: int) -> str:
    """Return the type of an error: most are no more than their status."""
    return _TYPES.get(status, "about:blank")
