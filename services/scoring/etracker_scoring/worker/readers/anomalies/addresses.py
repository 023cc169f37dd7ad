"""Where suspects announced from, so that a new key at the same address doesn't begin with nothing against it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from etracker_scoring.detection.attribution import inherit
from etracker_scoring.detection.blocks import identity_of_key
from etracker_scoring.detection.parameters import DetectionParameters
from etracker_scoring.detection.records import KEY_BYTES, Evidence, Identity
from etracker_scoring.worker.accused import Accused
from etracker_scoring.worker.batch import SettledFact
from etracker_scoring.worker.faults import Faults
from etracker_scoring.worker.store import Rows
from etracker_scoring.worker.suspicions import COLUMNS, parse_accused
from etracker_shared.agreements.anomalies import BLOCK_SECONDS, Kind
from etracker_shared.agreements.facts import NO_ADDRESS

Place = tuple[Identity, bytes]
"""A key or guest, and the keyed hash of an address."""

LOAD_FORMERS = f"""
SELECT {COLUMNS}, address, date_part('epoch', last_seen) AS last_seen
FROM anomaly_addresses JOIN anomalies ON id = anomaly_id
WHERE address = ANY($1::bytea[]) AND state IN (1, 2) ORDER BY score DESC, id
"""  # noqa: S608 - made of this code's own words

# Once an hour is enough for each.
_PUT = """
INSERT INTO anomaly_addresses AS stored (anomaly_id, address, last_seen)
SELECT anomalies.id, new.address, to_timestamp(at)
FROM unnest($1::bigint[], $2::bytea[], $3::bytea[], $4::float8[]) new (key_id, guest, address, at)
JOIN anomalies ON anomalies.key_id = new.key_id OR anomalies.guest = new.guest
WHERE state IN (1, 2) ORDER BY 1, 2
ON CONFLICT (anomaly_id, address) DO UPDATE SET last_seen = excluded.last_seen
WHERE stored.last_seen < excluded.last_seen - interval '1 hour'
"""


def places_of_suspects(facts: Iterable[SettledFact]) -> dict[Place, float]:
    """Return where keys announced whose anomalies have effects, and when."""
    return {
        (identity_of_key(item.key.id), item.fact.address_hash): item.fact.at_ms / 1000
        for item in facts
        if item.key and item.key.frozen and item.fact.address_hash != NO_ADDRESS
    }


def first_announces(facts: Iterable[SettledFact]) -> list[SettledFact]:
    """Return the first announces of keys that never announced before."""
    first: dict[int, SettledFact] = {}
    for item in facts:
        if item.key and item.key.origin.since is None and item.fact.address_hash != NO_ADDRESS:
            first.setdefault(item.key.id, item)
    return list(first.values())


async def load_inheritances(
    heirs: Sequence[SettledFact], parameters: DetectionParameters, rows: Rows, faults: Faults
) -> list[tuple[Identity, Evidence]]:
    """Return what new keys inherit, each from the worst suspect that was at its address in the hours before."""
    addresses = sorted({item.fact.address_hash for item in heirs})
    found = await rows.fetch(LOAD_FORMERS, addresses) if addresses else []
    at_address: defaultdict[bytes, list[tuple[float, Accused]]] = defaultdict(list)
    for row in found:
        for former in parse_accused([row], faults):
            at_address[row["address"]].append((row["last_seen"], former))
    return [one for item in heirs for one in _inherited(item, at_address, parameters)]


def _inherited(
    item: SettledFact, at_address: Mapping[bytes, Sequence[tuple[float, Accused]]], parameters: DetectionParameters
) -> Iterator[tuple[Identity, Evidence]]:
    fact, key = item.fact, item.key
    since = fact.at_ms / 1000 - parameters.inherit_hours * 3600
    formers = (former for last_seen, former in at_address.get(fact.address_hash, ()) if last_seen >= since)
    worst = next(formers, None)
    if key is None or worst is None or worst.suspicion is None:
        return
    at = fact.at_ms // 1000
    place = (at // BLOCK_SECONDS, at // BLOCK_SECONDS, fact.peer_id, fact.prefix)
    first = Evidence(at, Kind.RATE, 0.0, item.torrent.id, "", {}, *place)
    for evidence in inherit(worst.suspicion, parameters, first):
        yield identity_of_key(key.id), evidence


async def store_places(places: Mapping[Place, float], rows: Rows) -> None:
    """Note where suspects announced from, and when (Unix seconds)."""
    if not places:
        return
    values = [
        (int.from_bytes(one, "big"), None, address, at) if len(one) == KEY_BYTES else (None, one, address, at)
        for (one, address), at in places.items()
    ]
    await rows.fetch(_PUT, *zip(*values, strict=True))
