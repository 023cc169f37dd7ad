"""Operators and the audit log, as the API shows them. Stores fill them from columns of the same names."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from etracker_admin_api.operators.names import OPERATOR_NAME


class Session(BaseModel):
    """The operator an API key belongs to."""

    name: str
    since: datetime | None = Field(description="when the key was created; null for ETRACKER_AUTHORIZATION")
    first: bool = Field(description="whether this is the first operator, the only one who can add and revoke others")


class OperatorItem(BaseModel):
    """An operator. The one from ETRACKER_AUTHORIZATION has no id and can't be revoked here."""

    id: int | None
    name: str
    created: datetime | None
    last_used: datetime | None
    revoked: bool


class OperatorList(BaseModel):
    """All current and past operators, the one from the environment first."""

    items: list[OperatorItem]


class NewOperator(BaseModel):
    """A name that has never been used and doesn't look like one that has."""

    name: str = Field(json_schema_extra={"pattern": f"^{OPERATOR_NAME}$"})


class AddedOperator(BaseModel):
    """``key`` is shown only once."""

    id: int
    name: str
    key: str


class AuditItem(BaseModel):
    """Something an operator changed or read. ``request_id`` also appears in the service's log."""

    id: int
    at: datetime
    operator: str
    action: str
    target: str
    detail: dict[str, Any]
    request_id: str


class AuditList(BaseModel):
    """Newest first. ``next``: the cursor of the next page, null on the last page."""

    items: list[AuditItem]
    next: str | None


BODIES = (NewOperator,)
"""Models of the bodies that routes read themselves."""
