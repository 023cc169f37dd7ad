"""Parameters that an operator can tune, in groups that are dataclasses of the standard library."""

from dataclasses import field
from typing import TypeVar

Value = TypeVar("Value")

DESCRIPTION = "description"
"""The key of the description in the metadata of a dataclass field."""


def described(default: Value, description: str) -> Value:
    """Declare a parameter with its default and a description, which documents and pages show."""
    return field(default=default, metadata={DESCRIPTION: description})
