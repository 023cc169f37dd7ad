"""SQL that says who is confirmed, for the operators' pages and for block lists."""

from sqlalchemy import ColumnElement, and_, func, not_, or_
from sqlalchemy.sql.selectable import FromClause

from etracker_shared.agreements.anomalies import AnomalyState, Override
from etracker_shared.agreements.anomaly_tables import anomalies
from etracker_shared.agreements.tables import peers

_columns = anomalies.c
DECIDED: ColumnElement[bool] = and_(
    _columns.override.is_not(None), or_(_columns.override_until.is_(None), _columns.override_until > func.now())
)
"""Whether there is an operator's decision that hasn't ended."""
CONFIRMED: ColumnElement[bool] = and_(
    _columns.state == AnomalyState.CONFIRMED, not_(and_(DECIDED, _columns.override != Override.CONFIRMED))
)
"""Whether it is confirmed and an operator hasn't just decided otherwise: the worker follows within seconds."""
IDENTIFIED: FromClause = anomalies.outerjoin(peers, peers.c.id == _columns.key_id)
IDENTITY: ColumnElement[bytes] = func.coalesce(peers.c.key_hash, _columns.guest)
"""The hash of the key or the guest."""
