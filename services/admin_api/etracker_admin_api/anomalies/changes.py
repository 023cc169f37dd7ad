"""What operators and key holders send."""

import unicodedata
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, model_validator

from etracker_admin_api.anomalies.models import DecisionName
from etracker_admin_api.errors import DecisionError, UnfitNameError
from etracker_admin_api.http.reasons import GivenReason

MAX_TEXT_CHARACTERS = 2000

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def _check_text(text: str) -> str:
    text = text.replace("\r\n", "\n").strip()
    if not text:
        raise UnfitNameError("The text is empty.")
    if len(text) > MAX_TEXT_CHARACTERS:
        raise UnfitNameError(f"The text has more than {MAX_TEXT_CHARACTERS:,} characters.")
    if any(
        unicodedata.category(character) in _INVISIBLE - {"Cf"} for character in text.replace("\n", "").replace("\t", "")
    ):
        raise UnfitNameError("The text contains control characters.")
    return text


def _check_future(moment: datetime | None) -> datetime | None:
    if moment is not None and moment <= datetime.now(UTC):
        raise DecisionError("The end of a decision must be in the future.")
    return moment


PlainText = Annotated[
    str,
    AfterValidator(_check_text),
    Field(json_schema_extra={"minLength": 1, "maxLength": MAX_TEXT_CHARACTERS}, description="plain text"),
]
Until = Annotated[
    AwareDatetime | None,
    AfterValidator(_check_future),
    Field(description="with a time zone; null: for 7 days if you clear, until you end it if you exempt"),
]


class NewDecision(BaseModel):
    """A decision. To confirm, ``until`` is needed."""

    decision: DecisionName
    note: GivenReason = Field(description="one line, for operators")
    until: Until = None

    @model_validator(mode="after")
    def _check_end(self) -> "NewDecision":
        if self.decision is DecisionName.CONFIRM and self.until is None:
            raise DecisionError("To confirm, say until when.")
        return self


class DecisionEnd(BaseModel):
    """Why a decision ends."""

    note: GivenReason


class NewAppeal(BaseModel):
    """What speaks against the confirmation."""

    text: PlainText


class AppealAnswer(BaseModel):
    """The answer to an appeal, which the key's holder sees."""

    answer: PlainText


BODIES = (NewDecision, DecisionEnd, NewAppeal, AppealAnswer)
"""Models of the bodies that routes read themselves."""
