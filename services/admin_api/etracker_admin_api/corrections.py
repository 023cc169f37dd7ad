"""Corrections of statistics: to a value, or by a difference."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, Field, model_validator

from etracker_admin_api.errors import CorrectionError
from etracker_shared.agreements.facts import MAX_COUNTER

_Value = Annotated[int, Field(strict=True, ge=0, le=MAX_COUNTER)]
_Difference = Annotated[int, Field(strict=True, ge=-MAX_COUNTER, le=MAX_COUNTER)]


class Amount(BaseModel):
    """Exactly one of the two: ``to`` is the new value of a statistic, ``by`` is added to it."""

    to: _Value | None = None
    by: _Difference | None = Field(None, description="may be negative")

    @model_validator(mode="after")
    def _is_one(self) -> "Amount":
        if (self.to is None) == (self.by is None):
            raise CorrectionError("Give either `to` or `by` for each statistic.")
        return self


def amounts_of(body: BaseModel) -> dict[str, Amount]:
    """Return the amounts in a request's body, by the names of their fields.

    Raises:
        CorrectionError: there are none.
    """
    amounts = {name: value for name in type(body).model_fields if isinstance(value := getattr(body, name), Amount)}
    if not amounts:
        raise CorrectionError("Nothing to correct: give at least one statistic.")
    return amounts


def apply_amounts(before: Mapping[str, int], amounts: Mapping[str, Amount]) -> dict[str, int]:
    """Return the statistics that change, with their new values.

    Raises:
        CorrectionError: one would be negative, or larger than can be stored.
    """
    after = {name: _apply(before[name], amount, name) for name, amount in amounts.items()}
    return {name: value for name, value in after.items() if value != before[name]}


def describe(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Describe what changes for the audit log."""
    return {name: {"before": before[name], "after": value} for name, value in after.items()}


def _apply(before: int, amount: Amount, name: str) -> int:
    after = before + (amount.by or 0) if amount.to is None else amount.to
    if not 0 <= after <= MAX_COUNTER:
        raise CorrectionError(f"{name} is {before} and would become {after}: it must stay between 0 and {MAX_COUNTER}.")
    return after
