"""Parameters that an operator can tune, in groups that are dataclasses of the standard library."""

from dataclasses import field
from typing import TypeVar

Value = TypeVar("Value")

DESCRIPTION = "description"
"""Where a dataclass field's metadata has its description."""


def described(default: Value, description: str) -> Value:
    """Declare a parameter with its default and the sentence that documents and pages show."""
    return field(default=default, metadata={DESCRIPTION: description})
