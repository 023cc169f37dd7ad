"""Operators, and the actor on whose behalf something is changed."""

import enum
from dataclasses import dataclass
from datetime import datetime

ENVIRONMENT = "environment"
"""The name of the first operator, whose key is ETRACKER_AUTHORIZATION."""


class Action(enum.StrEnum):
    """What the audit log records: every change, and every read of peers' addresses."""

    ADD_INFO_HASH = "infohash.add"
    RENAME = "infohash.rename"
    REMOVE = "infohash.remove"
    CORRECT_TORRENT = "infohash.correct"
    UPLOAD = "torrent.upload"
    DISABLE_KEY = "key.disable"
    ENABLE_KEY = "key.enable"
    ROTATE_KEY = "key.rotate"
    CORRECT_KEY = "key.correct"
    CLEAR_DEBTS = "key.clear_debts"
    GIVE_RECOVERY_CODE = "key.recovery_code"
    ADD_OPERATOR = "operator.add"
    REVOKE_OPERATOR = "operator.revoke"
    BAN = "ban.add"
    CHANGE_BAN = "ban.change"
    LIFT_BAN = "ban.lift"
    DECIDE_ANOMALY = "anomaly.decide"
    END_DECISION = "anomaly.end_decision"
    ANSWER_APPEAL = "anomaly.answer_appeal"
    READ_PEERS = "peers.read"


@dataclass(frozen=True, slots=True)
class Operator:
    """The owner of an API key. ``id`` and ``since`` are None for the first operator, who isn't in the table."""

    id: int | None
    name: str
    since: datetime | None = None

    @property
    def is_first(self) -> bool:
        """Whether this is the first operator, the only one who may add and revoke others."""
        return self.id is None


@dataclass(frozen=True, slots=True)
class Actor:
    """An operator, and the id of the request in which they act."""

    operator: Operator
    request_id: str
