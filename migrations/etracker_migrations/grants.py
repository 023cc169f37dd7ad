"""What each service's role may do with which table. Every migration renews all of it, and so does a restore.

A service that needs more than this gets ``permission denied for table ...``: add it here in the same release.
"""

import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from etracker_shared.agreements.database_roles import DatabaseRole, role_name


class Grant(NamedTuple):
    """Privileges on a table: on some ``columns`` only, or on all but those in ``without``; both empty: on the table."""

    table: str
    privileges: str
    columns: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


_KEY_IN_CLEAR = ("announce_key",)
"""Rows of earlier releases have it; nobody needs to read it."""

_WORKER_NEVER_WRITES = ("id", "announce_key", "key_hash", "created_time", "disabled_time")

GRANTS: Mapping[DatabaseRole, tuple[Grant, ...]] = {
    DatabaseRole.ANNOUNCE: (
        Grant("infohashes", "SELECT", columns=("id", "info_hash", "length", "downloaded", "same_as")),
        Grant("peers", "SELECT", columns=("id", "key_hash")),
        *(Grant(table, "SELECT") for table in ("anomalies", "bans", "secrets")),
    ),
    DatabaseRole.SCORING: (
        Grant("infohashes", "SELECT", without=("file",)),
        Grant("peers", "SELECT", without=_KEY_IN_CLEAR),
        Grant("recovery_requests", "SELECT", columns=("key_id",)),
        Grant("graces", "SELECT, INSERT, UPDATE"),
        *(Grant(table, "SELECT") for table in ("announces", "memberships", "tier_changes", "tier_thresholds")),
    ),
    DatabaseRole.SCORING_WORKER: (
        Grant("infohashes", "SELECT", without=("file",)),
        Grant("infohashes", "INSERT", columns=("info_hash", "name")),
        Grant("infohashes", "UPDATE", without=("id", "info_hash", "name", "file", "created_time")),
        Grant("peers", "SELECT", without=_KEY_IN_CLEAR),
        Grant("peers", "UPDATE", without=_WORKER_NEVER_WRITES),
        *(Grant(table, "SELECT") for table in ("anomaly_appeals", "secrets", "torrent_counts")),
        *(Grant(table, "SELECT, UPDATE") for table in ("stream_positions",)),
        *(
            Grant(table, "SELECT, INSERT, UPDATE")
            for table in ("detection_progress", "memberships", "tier_changes", "tier_thresholds", "totals")
        ),
        *(
            Grant(table, "SELECT, INSERT, UPDATE, DELETE")
            for table in (
                *("announces", "anomalies", "anomaly_addresses", "anomaly_evidence", "facts", "graces"),
                *("guest_snatches", "key_prefixes", "prefix_credits", "signals", "swarm_blocks", "traffic_blocks"),
            )
        ),
        Grant("traffic_blocks_*", "SELECT, TRUNCATE"),
    ),
    DatabaseRole.ADMIN_API: (
        Grant("peers", "SELECT", without=_KEY_IN_CLEAR),
        Grant("peers", "INSERT, UPDATE, DELETE"),
        Grant("audit_log", "SELECT, INSERT"),  # what is in it stays, but for how often a swarm was read
        Grant("audit_log", "UPDATE", columns=("detail",)),
        *(
            Grant(table, "SELECT")
            for table in (
                *("anomaly_evidence", "secrets", "swarm_blocks", "tier_thresholds", "torrent_names"),
                *("traffic_blocks",),
            )
        ),
        *(Grant(table, "SELECT, DELETE") for table in ("key_prefixes", "prefix_credits")),
        *(Grant(table, "SELECT, UPDATE") for table in ("anomalies", "stream_positions", "totals")),
        *(Grant(table, "SELECT, INSERT, UPDATE") for table in ("anomaly_appeals", "operators", "tier_changes")),
        *(Grant(table, "SELECT, UPDATE, DELETE") for table in ("announces", "memberships")),
        *(Grant(table, "SELECT, INSERT, DELETE") for table in ("client_counts", "torrent_samples")),
        *(
            Grant(table, "SELECT, INSERT, UPDATE, DELETE")
            for table in (
                *("bans", "infohashes", "key_rotations", "recovery_codes", "recovery_requests"),
                *("torrent_counts", "tracker_samples"),
            )
        ),
    ),
}

# Tables and columns that this release's schema doesn't have are left out, as are roles that don't exist.
_APPLY = """
DO $apply$
DECLARE
    place pg_namespace := (
        SELECT pg_namespace FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE pg_class.oid = to_regclass('peers')
    );
    roles text := (
        SELECT string_agg(DISTINCT quote_ident(role), ', ')
        FROM jsonb_to_recordset(current_setting('etracker.grants')::jsonb) AS wanted (role text)
        JOIN pg_roles ON rolname = role
    );
    statement text;
BEGIN
    IF place.oid IS NULL OR roles IS NULL THEN
        RETURN;
    END IF;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO %s', current_database(), roles);
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %s', place.nspname, roles);
    IF pg_has_role(place.nspowner, 'USAGE') THEN
        EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC', place.nspname);
    END IF;
    FOR statement IN
        SELECT format('REVOKE ALL ON %s FROM %s', oid::regclass, roles) FROM pg_class
        WHERE relnamespace = place.oid AND relkind IN ('r', 'p') AND pg_has_role(relowner, 'USAGE')
        UNION ALL
        SELECT format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', datname) FROM pg_database
        WHERE datname = current_database() AND pg_has_role(datdba, 'USAGE')
    LOOP
        EXECUTE statement;
    END LOOP;
    FOR statement IN
        SELECT format('GRANT %s ON %s TO %I', string_agg(privilege || coalesce(columns.list, ''), ', '), class, role)
        FROM (
            SELECT wanted.*, pg_class.oid::regclass AS class, selected IS NOT NULL OR without IS NOT NULL AS partly
            FROM jsonb_to_recordset(current_setting('etracker.grants')::jsonb)
                AS wanted (role text, name text, privileges text, selected text[], without text[])
            JOIN pg_roles ON rolname = role
            JOIN pg_class ON relname LIKE name AND relkind IN ('r', 'p') AND relnamespace = place.oid
        ) found CROSS JOIN unnest(string_to_array(privileges, ', ')) privilege LEFT JOIN LATERAL (
            SELECT format(' (%s)', string_agg(quote_ident(attname), ', ')) AS list FROM pg_attribute
            WHERE partly AND attrelid = class AND attnum > 0 AND NOT attisdropped
                AND (selected IS NULL OR attname = ANY (selected)) AND (without IS NULL OR attname <> ALL (without))
            HAVING count(*) > 0
        ) columns ON true
        WHERE columns.list IS NOT NULL OR NOT partly
        GROUP BY class, role
    LOOP
        EXECUTE statement;
    END LOOP;
END $apply$
"""


def statements(owner: str) -> Iterator[str]:
    """Yield the statements that give the roles of this owner their privileges, within one transaction."""
    literal = json.dumps(list(_wanted(owner))).replace("'", "''")
    yield f"SELECT set_config('etracker.grants', '{literal}', true)"
    yield _APPLY


def _wanted(owner: str) -> Iterator[dict[str, object]]:
    for role, grants in GRANTS.items():
        for grant in grants:
            yield {
                "role": role_name(owner, role),
                "name": grant.table.replace("_", r"\_").replace("*", "%"),
                "privileges": grant.privileges,
                "selected": grant.columns or None,
                "without": grant.without or None,
            }
