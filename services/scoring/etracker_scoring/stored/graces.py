"""The newcomer's grace of each address prefix as rows of ``graces``: promised by the API, or given by the worker.

The primary key makes all of them agree: every replica of the API and every worker that would give a prefix's grace to
another key finds the row, or waits for the transaction that is writing it.
"""

from etracker_scoring.scores.newcomers import PROMISE_SECONDS

# A prefix whose grace is taken costs no write. Of several newcomers, the one registered first is preferred.
PROMISE_GRACES = """
WITH wanted AS (
    SELECT prefix, key_id FROM unnest($1::bytea[], $2::bigint[]) wanted (prefix, key_id)
), made AS (
    INSERT INTO graces AS held (prefix, key_id, given_time, promised)
    SELECT DISTINCT ON (prefix) prefix, key_id, to_timestamp($3), true FROM wanted WHERE NOT EXISTS (
        SELECT FROM graces WHERE graces.prefix = wanted.prefix AND given_time > to_timestamp($4)
    ) ORDER BY prefix, key_id
    ON CONFLICT (prefix) DO UPDATE
        SET key_id = excluded.key_id, given_time = excluded.given_time, promised = true
        WHERE held.given_time <= to_timestamp($4)
    RETURNING key_id
)
SELECT key_id FROM made
UNION SELECT key_id FROM wanted JOIN graces USING (prefix, key_id) WHERE promised AND given_time > to_timestamp($4)
"""

# Also those to these keys under other prefixes: a client may ask over IPv4 and announce over IPv6 first.
FIND_PROMISES = """
SELECT prefix, key_id, date_part('epoch', given_time) AS at FROM graces
WHERE promised AND (prefix = ANY($1::bytea[]) OR key_id = ANY($2::bigint[]))
"""

# A promise made since the worker looked is left alone. Then the number of rows is wrong, and the batch is loaded again.
GIVE_GRACES = f"""
INSERT INTO graces AS held (prefix, key_id, given_time, promised)
SELECT prefix, key_id, to_timestamp(at), false FROM unnest($1::bytea[], $2::bigint[], $3::float8[])
    given (prefix, key_id, at) ORDER BY prefix
ON CONFLICT (prefix) DO UPDATE SET key_id = excluded.key_id, given_time = excluded.given_time, promised = false
    WHERE NOT held.promised OR held.given_time <= excluded.given_time - interval '{PROMISE_SECONDS:.0f} seconds'
"""  # noqa: S608 - made of this code's own words
