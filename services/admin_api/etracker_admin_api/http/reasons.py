"""The reasons that operators give for what they do: only operators see them, never clients."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field

from etracker_admin_api.errors import UnfitNameError

MAX_REASON_CHARACTERS = 500

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def _check(reason: str) -> str:
    reason = reason.strip()
    if len(reason) > MAX_REASON_CHARACTERS:
        raise UnfitNameError(f"A reason has at most {MAX_REASON_CHARACTERS} characters.")
    if any(unicodedata.category(character) in _INVISIBLE for character in reason):
        raise UnfitNameError("A reason is one line without control characters.")
    return reason


def _check_given(reason: str) -> str:
    if not reason:
        raise UnfitNameError("A reason is needed: the audit log keeps it.")
    return reason


ReasonText = Annotated[str, AfterValidator(_check), Field(json_schema_extra={"maxLength": MAX_REASON_CHARACTERS})]
"""One line, which may be empty."""

GivenReason = Annotated[ReasonText, AfterValidator(_check_given), Field(json_schema_extra={"minLength": 1})]
"""One line that isn't empty."""
