"""Column types that the tables of the schema share."""

from sqlalchemy import BigInteger, Column, DateTime, MetaData, func, text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def moment(name: str) -> Column[object]:
    """Return a column that defaults to the time at which the row is inserted."""
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())


def counter(name: str) -> Column[int]:
    """Return a column that counts from 0."""
    return Column(name, BigInteger, nullable=False, server_default=text("0"))


BUSY = {"autovacuum_analyze_scale_factor": 2}
"""Announces update every row all the time, but hardly ever change the statistics that Postgres' planner needs."""
