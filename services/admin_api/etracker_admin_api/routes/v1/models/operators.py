"""Operators, and what they did."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from etracker_admin_api.domain.operator_names import OPERATOR_NAME


class Session(BaseModel):
    """Whose API key this is."""

    name: str
    since: datetime | None = Field(description="when the key was made; null for ETRACKER_AUTHORIZATION")
    first: bool = Field(description="whether it is the key of the first operator, who alone adds and revokes others")


class OperatorItem(BaseModel):
    """An operator. The one of ETRACKER_AUTHORIZATION has no id and can't be revoked here."""

    id: int | None
    name: str
    created: datetime | None
    last_used: datetime | None
    revoked: bool


class OperatorList(BaseModel):
    """Everybody who ever had a key, the environment's operator first."""

    items: list[OperatorItem]


class NewOperator(BaseModel):
    """A name that nobody ever had, and that looks like nobody's."""

    name: str = Field(json_schema_extra={"pattern": f"^{OPERATOR_NAME}$"})


class AddedOperator(BaseModel):
    """``key`` is shown this once."""

    id: int
    name: str
    key: str


class AuditItem(BaseModel):
    """Something an operator changed or read; ``request_id`` is in the service's log too."""

    id: int
    at: datetime
    operator: str
    action: str
    target: str
    detail: dict[str, Any]
    request_id: str


class AuditList(BaseModel):
    """The newest first. ``next``: the cursor of the following page, null on the last."""

    items: list[AuditItem]
    next: str | None
