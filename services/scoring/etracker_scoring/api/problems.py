"""The body of an error response."""

from pydantic import BaseModel


class Problem(BaseModel):
    """What is wrong with a request, or with the service."""

    message: str
