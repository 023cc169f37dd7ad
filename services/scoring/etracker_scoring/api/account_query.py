"""The query for the statistics of keys that a list policy uses; a policy that grants no share uses none."""

from etracker_scoring.scores.notices import RECOVERY_REQUESTED
from etracker_scoring.stored.keys import KEY_COLUMNS
from etracker_shared.agreements.facts import Event
from etracker_shared.agreements.policies import PolicyName

# An announce counts as seeding for two intervals; "stopped" ends it at once.
_SEEDING = """(
    SELECT count(DISTINCT info_hash_id) FROM announces
    WHERE key_id = peers.id AND amount_left = 0 AND event <> {stopped} AND last_seen > now() - interval '{seconds} s'
)"""

_ANNOUNCED = "(SELECT count(*) FROM memberships WHERE key_id = peers.id)"

_GENEROUS = """(
    SELECT coalesce(avg((uploaded >= downloaded)::int), 0)::float8 FROM (
        SELECT memberships.uploaded + coalesce(sum(uploaded_credit), 0) AS uploaded,
            memberships.downloaded + coalesce(sum(downloaded_credit), 0) AS downloaded
        FROM memberships LEFT JOIN announces USING (key_id, info_hash_id)
        WHERE memberships.key_id = peers.id GROUP BY info_hash_id, memberships.uploaded, memberships.downloaded
    ) torrents
)"""

_REQUESTED = RECOVERY_REQUESTED.replace("'", "''")
_NOTICE = (
    "CASE WHEN EXISTS (SELECT FROM recovery_requests WHERE key_id = peers.id)"
    f" THEN '{_REQUESTED}' WHEN notice_told_time IS NULL THEN notice END"
)

_NOTHING = "0"

_ASKED = {
    PolicyName.RATIO: (_SEEDING, _NOTHING, _NOTHING),
    PolicyName.ANNOUNCES: (_NOTHING, _ANNOUNCED, _NOTHING),
    PolicyName.SEEDS: (_SEEDING, _NOTHING, _NOTHING),
    PolicyName.GOOD_SEEDS: (_SEEDING, _NOTHING, _GENEROUS),
}


def accounts_query(policy: PolicyName, interval_seconds: int) -> str:
    """Return the query for some keys, by their hashes.

    Columns: those of a key, the notice for its clients, then the fields of a History. While somebody waits for a
    recovery code, that is the notice: whoever has the key should see it, not only the first client that announces.
    """
    parts = _ASKED.get(policy, (_NOTHING, _NOTHING, _NOTHING))
    seeding, announced, generous = (
        part.format(stopped=int(Event.STOPPED), seconds=2 * interval_seconds) for part in parts
    )
    return (
        f"SELECT {KEY_COLUMNS}, {_NOTICE} AS notice,"  # noqa: S608 - our own words
        f" {seeding} AS seeding, snatched, uploaded, downloaded, {announced} AS announced, {generous} AS generous"
        " FROM peers WHERE key_hash = ANY($1) AND disabled_time IS NULL"
    )
