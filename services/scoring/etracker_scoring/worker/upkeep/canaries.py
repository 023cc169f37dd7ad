"""Reads the canary: whether suspects' uploads follow the numbers of peers that announce shows them."""

from collections import defaultdict
from functools import partial

from etracker_scoring.detection.canary import read_canary
from etracker_scoring.detection.parameters import DetectionParameters
from etracker_scoring.detection.records import Evidence, Identity
from etracker_scoring.worker.faults import Faults
from etracker_scoring.worker.store import Rows
from etracker_scoring.worker.upkeep.balance_rows import load_traffic, presence_as_of
from etracker_shared.agreements.anomalies import BLOCK_SECONDS, WINDOW_BLOCKS
from etracker_shared.agreements.canary import is_blinded
from etracker_shared.agreements.secret_names import PAIR_SECRET

_FIND_SECRET = "SELECT value FROM secrets WHERE name = $1"  # noqa: S105 - a statement
_IDENTITY_BYTES = 8

# A guest's session is stored under its key hash. An operator's exemption or clearing ends the canary.
_SESSIONS = """
SELECT int8send(peers.id) AS identity, key_hash, info_hash_id, info_hash, date_part('epoch', since) AS since,
    date_part('epoch', announces.last_seen) AS last_seen, present
FROM anomalies JOIN peers ON peers.id = anomalies.key_id JOIN announces ON announces.key_id = peers.id
JOIN infohashes ON infohashes.id = info_hash_id
WHERE state IN (1, 2) AND coalesce(override, 3) = 3 AND announces.last_seen >= to_timestamp($1)
UNION ALL
SELECT guest, guest, info_hash_id, info_hash, date_part('epoch', since), date_part('epoch', announces.last_seen),
    present
FROM anomalies JOIN announces ON announces.key_id IS NULL AND announces.peer_id = guest
JOIN infohashes ON infohashes.id = info_hash_id
WHERE state IN (1, 2) AND coalesce(override, 3) = 3 AND announces.last_seen >= to_timestamp($1)
"""


async def read_canaries(
    block: int, parameters: DetectionParameters, rows: Rows, faults: Faults
) -> list[tuple[Identity, Evidence]]:
    """Return what the canaries of all suspects say at the end of a block; they are in pairs of blocks."""
    if block % 2 == 0:
        return []
    begin = block + 1 - WINDOW_BLOCKS
    found = await rows.fetch(_SESSIONS, float(begin * BLOCK_SECONDS))
    if not found:
        return []
    secret = (await rows.fetch(_FIND_SECRET, PAIR_SECRET))[0]["value"]
    present: defaultdict[tuple[Identity, int], int] = defaultdict(int)
    for row in found:
        present[row["identity"], row["info_hash_id"]] |= presence_as_of(block, row["last_seen"], row["present"])
    traffic = await load_traffic(sorted({torrent for _, torrent in present}), range(begin, block + 1), rows)
    findings = []
    for row in {(row["identity"], row["info_hash_id"]): row for row in found}.values():
        identity, torrent = row["identity"], row["info_hash_id"]
        bitmap = present[identity, torrent]
        blocks = [at for at in range(begin, block + 1) if bitmap >> (block - at) & 1]
        uploaded = {at: traffic[torrent].get(at, {}).get(identity, (0,))[0] for at in blocks}
        hides = partial(is_blinded, secret, row["key_hash"][:_IDENTITY_BYTES], row["info_hash"])
        since = max(int(row["since"]) // BLOCK_SECONDS + 1, begin)
        try:
            evidence = read_canary(torrent, block, uploaded, is_blinded=hides, since=since, parameters=parameters)
        except Exception as error:  # noqa: BLE001 - see Faults
            faults.note("canary", error, torrent=torrent)
            continue
        if evidence:
            findings.append((identity, evidence))
    return findings
