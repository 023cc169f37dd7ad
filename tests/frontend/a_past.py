"""An announce key with a history: the rows that four months of announces would leave."""

import secrets

from etracker_scoring.scores.notices import Reason, tier_notice
from etracker_shared.language.tier import Tier
from tests.support.postgres import TEMPLATE, PostgresServer

TIERS = ((118, 2), (101, 1), (83, 2), (64, 3), (43, 4), (21, 3), (9, 2), (2, 1))
"""The tiers it held: days since the change, and the tier."""

NOTICE = tier_notice(Tier.CONTRIBUTOR, Tier.LITTLE_HISTORY, Reason.SNATCHES_UNPAID)
LONG_NAME = "A field recording of the dawn chorus, with a name that goes on for longer than any telephone is wide"
TORRENTS = (  # name, GiB, hours of seeding owed, days seeded, seeding now
    ("Symphony No. 9 in D minor (1963, remastered, 24 bit)", 1.2, 19.5, 0.2, False),
    (LONG_NAME, 0.08, 24, 0, False),
    ("cover\u202egnp.zip", 2.5, 0.4, 1, False),
    ("debian-13.1.0-amd64-netinst.iso", 0.75, 0, 41, True),
    ("Lectures on physics, volume 2", 14, 0, 12, False),
    ("دروس في الفيزياء", 0.3, 0, 3, False),
)

_KEY = """
INSERT INTO peers (announce_key, created_time, origin_time, last_seen, uploaded, downloaded, snatched, seeding_seconds,
    tier, score, score_time, score_recent, score_average, score_length_days, score_owed, score_paid,
    notice, notice_time, notice_told_time)
VALUES ({key}, now() - interval '119 days', now() - interval '118 days', now() - interval '4 minutes',
    912 * 2.0 ^ 30, 530 * 2.0 ^ 30, 9, 57 * 86400, 1, 9, now() - interval '4 minutes', 0.3, 0.7, 9, 6.5, 3.9,
    {notice}, now() - interval '2 days', now() - interval '2 days');
INSERT INTO tier_changes (key_id, at, tier, score)
SELECT id, now() - days * interval '1 day', held.tier, 17 * held.tier
FROM peers, (VALUES {tiers}) held (days, tier) WHERE key_hash = hash_announce_key({key});
"""
_TORRENT = """
WITH torrent AS (
    INSERT INTO infohashes (info_hash, name, length, created_time)
    VALUES ('\\x{info_hash}', {name}, {gib} * 2.0 ^ 30, now() - interval '200 days') RETURNING id AS torrent_id, length
), membership AS (
    INSERT INTO memberships (key_id, info_hash_id, first_seen, snatched_time, debt_seconds)
    SELECT id, torrent_id, now() - interval '60 days', now() - interval '59 days', {owed_hours} * 3600
    FROM torrent, peers WHERE key_hash = hash_announce_key({key})
)
INSERT INTO announces (key_id, info_hash_id, peer_id, first_seen, last_seen, uploaded_credit, downloaded_credit,
    amount_left, event, seeding_seconds)
SELECT id, torrent_id, '-TR4060-abcdefghijkl', now() - interval '60 days',
    now() - CASE WHEN {seeding} THEN interval '4 minutes' ELSE interval '3 days' END,
    length * {days}, length, 0, CASE WHEN {seeding} THEN 0 ELSE 3 END, {days} * 86400
FROM torrent, peers WHERE key_hash = hash_announce_key({key});
"""


def make_key_with_a_past(postgres: PostgresServer) -> str:
    """Store the key with its history and return it."""
    key = secrets.token_hex(15)
    tiers = ", ".join(f"({days}, {tier})" for days, tier in TIERS)
    statements = [_KEY.format(key=_quoted(key), notice=_quoted(NOTICE), tiers=tiers)]
    statements += [
        _TORRENT.format(
            key=_quoted(key),
            info_hash=secrets.token_hex(20),
            name=_quoted(name),
            gib=gib,
            owed_hours=owed_hours,
            days=days,
            seeding=seeding,
        )
        for name, gib, owed_hours, days, seeding in TORRENTS
    ]
    postgres.execute("".join(statements), TEMPLATE)
    return key


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
