"""What the scoring service says when it can't answer."""

from pydantic import BaseModel


class Problem(BaseModel):
    """What is wrong with a request, or with us."""

    message: str
