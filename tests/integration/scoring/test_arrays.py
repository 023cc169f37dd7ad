"""Columns arrive in Postgres as asyncpg itself would have sent them."""

from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etracker_scoring.worker.arrays import encode_columns_at_once
from etracker_shared.plumbing.settings import PostgresSettings
from tests.support.postgres import connect


def _column(elements: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(elements) | st.lists(elements | st.none()).map(tuple)


def _whole(bits: int) -> st.SearchStrategy[int]:
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


COLUMNS = st.one_of(
    st.tuples(st.just("bigint"), _column(_whole(64))),
    st.tuples(st.just("integer"), _column(_whole(32))),
    st.tuples(st.just("smallint"), _column(_whole(16))),
    st.tuples(st.just("double precision"), _column(st.floats(allow_nan=False) | _whole(50))),
    st.tuples(st.just("bytea"), _column(st.binary(max_size=30))),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(column=COLUMNS)
async def test_columns_are_read_as_they_were_written(postgres_settings: PostgresSettings, column: Any) -> None:
    kind, values = column
    ours, theirs = await connect(postgres_settings), await connect(postgres_settings)
    try:
        encode_columns_at_once(ours)
        statement = f"SELECT $1::{kind}[] AS whole, $1::{kind}[]::text AS shown, cardinality($1::{kind}[]) AS many"
        read = await ours.fetchrow(statement, values)
        assert read is not None
        assert list(read["whole"]) == list(values)
        assert read == await theirs.fetchrow(statement, values)
        assert read["many"] == len(values)
    finally:
        await ours.close()
        await theirs.close()


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("bigint", [2**63]),
        ("smallint", [40_000, None]),
        ("integer", [1.5]),
        ("bytea", ["text"]),
        ("bigint", [[1], [2]]),
    ],
)
async def test_a_value_that_doesnt_fit_is_an_error_of_that_statement(
    postgres_settings: PostgresSettings, kind: str, values: list[object]
) -> None:
    """The worker then finds the entry and skips it, as with any other value that Postgres would never store."""
    connection = await connect(postgres_settings)
    try:
        encode_columns_at_once(connection)
        with pytest.raises(asyncpg.DataError):
            await connection.fetch(f"SELECT unnest($1::{kind}[])", values)
        assert await connection.fetchval("SELECT $1::bigint[]", [1]) == [1]
    finally:
        await connection.close()
