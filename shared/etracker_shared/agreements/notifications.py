"""Notifications from Postgres, so that the caches in front of it don't stay wrong for long.

Statement triggers on ``infohashes`` and ``peers`` notify with a JSON list of hex strings: infohashes
(40 digits) on :data:`INFOHASHES_CHANNEL`, key hashes (32 digits) on :data:`KEYS_CHANNEL`. A statement
that touches more rows than fit in a payload notifies :data:`EVERYTHING`: drop the whole cache. The scoring
worker sends the same notifications for keys whose tier has changed. Triggers on ``bans`` and ``anomalies`` notify
with row ids (16 digits) on :data:`BANS_CHANNEL` and :data:`ANOMALIES_CHANNEL`.
"""

import json
from collections.abc import Sequence

INFOHASHES_CHANNEL = "etracker_infohashes"
KEYS_CHANNEL = "etracker_keys"
BANS_CHANNEL = "etracker_bans"
ANOMALIES_CHANNEL = "etracker_anomalies"
EVERYTHING = "*"
HASHES_PER_PAYLOAD = 100
"""Few enough for a payload, which has at most 8,000 bytes."""


def parse_payload(payload: str) -> Sequence[bytes] | None:
    """Parse a notification into hashes; None means that everything may have changed."""
    if payload == EVERYTHING:
        return None
    return [bytes.fromhex(item) for item in json.loads(payload)]


def format_payloads(hashes: Sequence[bytes]) -> list[str]:
    """Format changed hashes as notifications, as many as needed."""
    starts = range(0, len(hashes), HASHES_PER_PAYLOAD)
    return [json.dumps([item.hex() for item in hashes[at : at + HASHES_PER_PAYLOAD]]) for at in starts]
