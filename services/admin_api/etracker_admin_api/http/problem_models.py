"""The bodies of errors: the original API's, and RFC 9457's under /api/v1."""

from pydantic import BaseModel, Field

INVALID = "/problems/invalid"
_TYPES = {429: "/problems/rate-limited", 503: "/problems/unavailable"}


class Problem(BaseModel):
    """Any error. ``request_id`` also appears in the service's log."""

    message: str = Field(examples=["The infohash isn't tracked."])
    request_id: str = Field(examples=["5f0c6a1e9b7d4c32"])


class FieldProblem(BaseModel):
    """One invalid field of the request."""

    field: str
    message: str


class ProblemDetails(BaseModel):
    """Any error. ``request_id`` also appears in the service's log; ``errors`` lists invalid fields, if any."""

    type: str = Field(examples=["about:blank"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["The infohash isn't tracked."])
    request_id: str = Field(examples=["5f0c6a1e9b7d4c32"])
    errors: list[FieldProblem] | None = None


def problem_type(status: int) -> str:
    """Return the type of an error; most are only described by their status."""
    return _TYPES.get(status, "about:blank")
