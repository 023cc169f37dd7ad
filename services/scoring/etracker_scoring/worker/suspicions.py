"""Anomalies as rows: loaded and locked, and written together with their evidence."""

import enum
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import asyncpg

from etracker_scoring.detection.points import kind_of
from etracker_scoring.detection.records import KEY_BYTES, Evidence, Identity, Suspicion
from etracker_scoring.detection.states import end_confirmation
from etracker_scoring.worker.accused import DAY_SECONDS, Accused
from etracker_scoring.worker.faults import Faults
from etracker_scoring.worker.store import Rows
from etracker_shared.agreements.anomalies import AnomalyState, Kind, Override, Verdict

EnumT = TypeVar("EnumT", bound=enum.IntEnum)

COLUMNS = """id, key_id, guest, state, verdict, score, points, date_part('epoch', score_time) AS at,
    date_part('epoch', since) AS since, date_part('epoch', evidence_time) AS evidence_at, override,
    date_part('epoch', override_until) AS override_until, applied, peer_id, prefixes, wasted"""

# Rows are locked in the order of their ids: workers, the job that judges balances and operators change the same ones.
LOAD_OF = f"""
SELECT {COLUMNS} FROM anomalies WHERE id IN (
    SELECT id FROM anomalies WHERE key_id = ANY($1::bigint[]) UNION ALL
    SELECT id FROM anomalies WHERE guest = ANY($2::bytea[])
) ORDER BY id FOR UPDATE
"""  # noqa: S608 - made of this code's own words

LOAD_BY_ID = f"""
SELECT {COLUMNS} FROM anomalies WHERE id = ANY($1::bigint[]) ORDER BY id FOR UPDATE
"""  # noqa: S608 - as above

_COUNT_EVIDENCE = """
SELECT anomaly_id, floor(date_part('epoch', at) / 86400)::bigint AS day, count(*) AS number FROM anomaly_evidence
WHERE anomaly_id = ANY($1::bigint[]) AND at >= to_timestamp($2) GROUP BY 1, 2
"""

_EXISTING_KEYS = "SELECT id FROM peers WHERE id = ANY($1::bigint[]) ORDER BY id FOR KEY SHARE"

_INSERT = """
INSERT INTO anomalies (key_id, guest, state, verdict, score, points, score_time, since, evidence_time, prefixes,
    wasted, peer_id, override, override_until, applied)
SELECT key_id, guest, state, verdict, score, points::jsonb, to_timestamp(at), to_timestamp(began),
    to_timestamp(evidence_at), prefixes::jsonb, wasted::jsonb, peer_id, override, to_timestamp(override_until), override
FROM unnest($1::bigint[], $2::bytea[], $3::smallint[], $4::smallint[], $5::float8[], $6::text[], $7::float8[],
    $8::float8[], $9::float8[], $10::text[], $11::text[], $12::bytea[], $13::smallint[], $14::float8[])
    new (key_id, guest, state, verdict, score, points, at, began, evidence_at, prefixes, wasted, peer_id, override,
        override_until)
RETURNING id, key_id, guest
"""

_UPDATE = """
UPDATE anomalies SET state = new.state, verdict = new.verdict, score = new.score, points = new.points::jsonb,
    score_time = to_timestamp(at), since = to_timestamp(began), evidence_time = to_timestamp(evidence_at),
    prefixes = new.prefixes::jsonb, wasted = new.wasted::jsonb, peer_id = new.peer_id, override = new.override,
    override_until = to_timestamp(new.override_until), applied = new.override
FROM unnest($1::bigint[], $2::smallint[], $3::smallint[], $4::float8[], $5::text[], $6::float8[], $7::float8[],
    $8::float8[], $9::text[], $10::text[], $11::bytea[], $12::smallint[], $13::float8[])
    new (id, state, verdict, score, points, at, began, evidence_at, prefixes, wasted, peer_id, override, override_until)
WHERE anomalies.id = new.id
"""

_ADD_EVIDENCE = """
INSERT INTO anomaly_evidence (anomaly_id, info_hash_id, at, kind, points, block_from, block_to, peer_id, prefix, text,
    data)
SELECT anomaly_id, info_hash_id, to_timestamp(at), kind, points, block_from, block_to, peer_id, prefix, said,
    data::jsonb
FROM unnest($1::bigint[], $2::bigint[], $3::float8[], $4::text[], $5::float8[], $6::int[], $7::int[], $8::bytea[],
    $9::bytea[], $10::text[], $11::text[])
    new (anomaly_id, info_hash_id, at, kind, points, block_from, block_to, peer_id, prefix, said, data)
"""


_KINDS = frozenset(Kind)
_ABSURD_POINTS = 1e6


async def load_accused(
    identities: Collection[Identity], since: int, rows: Rows, faults: Faults
) -> dict[Identity, Accused]:
    """Load and lock what is known about keys and guests; keys that don't exist any more are left out.

    ``since``: the time of the earliest evidence, Unix seconds.
    """
    key_ids = [int.from_bytes(one, "big") for one in identities if len(one) == KEY_BYTES]
    guests = [one for one in identities if len(one) != KEY_BYTES]
    existing = await rows.fetch(_EXISTING_KEYS, key_ids) if key_ids else []
    accused = {one: Accused(one) for one in [*guests, *(row["id"].to_bytes(KEY_BYTES, "big") for row in existing)]}
    found = await rows.fetch(LOAD_OF, key_ids, guests)
    known = {one.identity: one for one in parse_accused(found, faults)}
    for identity in map(_identity_of, found):
        accused.pop(identity, None)
        if identity in known:
            accused[identity] = known[identity]
    stored = {one.id: one for one in accused.values() if one.id is not None}
    if stored:
        first = since // DAY_SECONDS * DAY_SECONDS
        for row in await rows.fetch(_COUNT_EVIDENCE, list(stored), float(first)):
            stored[row["anomaly_id"]].counted[row["day"]] = row["number"]
    return accused


def parse_accused(found: Iterable[asyncpg.Record], faults: Faults) -> Iterator[Accused]:
    """Create them from the columns of :data:`LOAD_OF`; those that can't be read are left out."""
    for row in found:
        try:
            yield _parse(row)
        except Exception as error:  # noqa: BLE001 - see Faults
            faults.note("stored_state", error, anomaly=row["id"])


def _parse(row: asyncpg.Record) -> Accused:
    suspicion = Suspicion(
        AnomalyState(row["state"]),
        _known(Verdict, row["verdict"]),
        row["score"],
        dict(_known_points(json.loads(row["points"]))),
        _seconds(row["at"]) or 0,
        _seconds(row["since"]) or 0,
        _seconds(row["evidence_at"]),
        _known(Override, row["override"]),
        _seconds(row["override_until"]),
    )
    overruled = row["override"] != row["applied"]
    if overruled and suspicion.override is Override.CLEARED:
        suspicion = suspicion._replace(score=0.0)  # which mutes the kinds of evidence there are
    if overruled and suspicion.override is None:
        suspicion = end_confirmation(suspicion)  # of the other decisions nothing is confirmed
    prefixes, wasted = json.loads(row["prefixes"]), json.loads(row["wasted"])
    return Accused(_identity_of(row), row["id"], suspicion, row["peer_id"], prefixes, wasted, overruled)


def _identity_of(row: asyncpg.Record) -> Identity:
    return bytes(row["guest"]) if row["key_id"] is None else row["key_id"].to_bytes(KEY_BYTES, "big")


def _known(values: type[EnumT], stored: int | None) -> EnumT | None:
    """Return what a number means; None if another release wrote a meaning that this one doesn't know."""
    return next((value for value in values if value == stored), None)


def _known_points(stored: Mapping[str, object]) -> Iterator[tuple[str, float]]:
    """Leave out kinds that only another release knows, and what can't be points."""
    for key, worth in stored.items():
        if kind_of(key) in _KINDS and isinstance(worth, int | float) and 0 <= worth < _ABSURD_POINTS:
            yield key, worth


def _seconds(value: float | None) -> int | None:
    return None if value is None else round(value)


async def store_accused(changed: Sequence[Accused], rows: Rows) -> None:
    """Write suspicions and their evidence."""
    new = sorted((one for one in changed if one.id is None and one.suspicion), key=lambda one: one.identity)
    ids = await _insert(new, rows)
    stored = sorted((one for one in changed if one.id is not None), key=lambda one: one.id or 0)
    await rows.write("anomalies", _UPDATE, [(one.id, *_values(one)) for one in stored])
    evidence = [_evidence_row(one.id or ids[one.identity], *found) for one in [*new, *stored] for found in one.evidence]
    await rows.write("anomaly_evidence", _ADD_EVIDENCE, evidence)


async def _insert(new: Sequence[Accused], rows: Rows) -> Mapping[Identity, int]:
    if not new:
        return {}
    values = [(one.key_id, one.identity if one.key_id is None else None, *_values(one)) for one in new]
    returned = await rows.fetch(_INSERT, *zip(*values, strict=True))
    rows.written["anomalies"] += len(returned)
    return {row["guest"] or row["key_id"].to_bytes(KEY_BYTES, "big"): row["id"] for row in returned}


def _values(one: Accused) -> tuple[Any, ...]:
    known = one.suspicion or Suspicion()
    times = (float(known.at), float(known.since), known.evidence_at)
    origin = (_json(one.prefixes), _json(one.wasted), one.peer_id)
    decision = (known.override, known.override_until)
    return (known.state, known.verdict, known.score, _json(known.points), *times, *origin, *decision)


def _json(values: Mapping[str, float]) -> str:
    return json.dumps(dict(values), separators=(",", ":"), allow_nan=False)


def _evidence_row(anomaly_id: int, found: Evidence, data: str) -> tuple[Any, ...]:
    place = (found.block_from, found.block_to, found.peer_id, found.prefix)
    return (
        anomaly_id,
        found.info_hash_id,
        float(found.at),
        str(found.kind),
        found.points,
        *place,
        found.text,
        data,
    )
