"""What sessions from address prefixes that are new to a key add to it, kept apart so that its holder can disown them.

Decaying sums are linear: taking away what was added, decayed as the whole has decayed, leaves what it would have been.
Additions are stored as of the prefix's first announce, so that rows can be added to without being read.
"""

import math
import operator
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import NamedTuple

from etracker_scoring.scores.formula import DAY, KeyHistory, ScoreParameters, decay
from etracker_scoring.scores.newcomers import Newcomer
from etracker_scoring.worker.batch import SettledFact
from etracker_scoring.worker.store import Rows
from etracker_shared.agreements.secret_names import PAIR_SECRET

REFRESH_SECONDS = 86400.0
"""How far ``last_seen`` of a prefix may be out of date: it only has to tell used prefixes from unused ones."""

MAX_REMEMBERED = 200_000
"""Known prefixes of keys that a worker remembers, about 40 MB."""

KeyPrefix = tuple[int, bytes]
"""Key id, address prefix (7 bytes)."""

_FIND_SECRET = "SELECT value FROM secrets WHERE name = $1"  # noqa: S105 - a statement

_FIND = """
SELECT key_id, wanted.prefix, date_part('epoch', first_seen) AS first_seen, date_part('epoch', stored.last_seen),
    date_part('epoch', new_until) AS new_until, CASE WHEN first_seen IS NULL THEN origin_prefix END AS origin_prefix
FROM unnest($1::bigint[], $2::smallint[]) wanted (key_id, prefix) JOIN peers ON peers.id = key_id
LEFT JOIN key_prefixes stored USING (key_id, prefix)
"""

_PUT_PREFIXES = """
INSERT INTO key_prefixes (key_id, prefix, first_seen, last_seen, new_until)
SELECT key_id, prefix, to_timestamp(first_seen), to_timestamp(last_seen), to_timestamp(new_until)
FROM unnest($1::bigint[], $2::smallint[], $3::float8[], $4::float8[], $5::float8[])
    new (key_id, prefix, first_seen, last_seen, new_until)
ON CONFLICT (key_id, prefix) DO UPDATE SET last_seen = greatest(key_prefixes.last_seen, excluded.last_seen)
"""

_COUNTERS = ("uploaded", "downloaded", "session_seconds", "seeding_seconds", "snatches")
_SUMS = ("recent", "average", "length_days", "owed", "paid", "debt_seconds")


def _added() -> str:
    capped = (
        f"{name} = least(9223372036854775807, stored.{name}::numeric + excluded.{name})"
        for name in _COUNTERS  # clients may claim any number
    )
    return ", ".join([*capped, *(f"{name} = stored.{name} + excluded.{name}" for name in _SUMS)])


_ADD_CREDITS = f"""
INSERT INTO prefix_credits AS stored (key_id, info_hash_id, peer_id, prefix, began, last_seen,
    {", ".join(_COUNTERS + _SUMS)})
SELECT key_id, info_hash_id, peer_id, prefix, to_timestamp(began), to_timestamp(ended), {", ".join(_COUNTERS + _SUMS)}
FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::smallint[], $5::float8[], $6::float8[], $7::bigint[],
    $8::bigint[], $9::bigint[], $10::bigint[], $11::int[], $12::float8[], $13::float8[], $14::float8[], $15::float8[],
    $16::float8[], $17::float8[])
    new (key_id, info_hash_id, peer_id, prefix, began, ended, {", ".join(_COUNTERS + _SUMS)})
ON CONFLICT (key_id, info_hash_id, peer_id, prefix) DO UPDATE SET
    last_seen = greatest(stored.last_seen, excluded.last_seen), {_added()}
"""  # noqa: S608 - made of this code's own words


class Sighting(NamedTuple):
    """An address prefix from which a key announced; times are Unix seconds. ``number``: as in ``key_prefixes``."""

    number: int
    first_seen: float
    last_seen: float
    new_until: float


class Credited(NamedTuple):
    """What facts of one session, from a prefix that is new to its key, added to the key; see ``prefix_credits``."""

    began: float
    ended: float
    counters: tuple[int, ...]
    sums: tuple[float, ...]


CreditKey = tuple[int, int, bytes, int]
"""Key id, torrent id, peer_id, number of the prefix."""


class Progress(NamedTuple):
    """A key before or after a fact. ``debt_seconds``: what it owes for the fact's torrent."""

    history: KeyHistory
    seeding_seconds: int
    snatches: int
    debt_seconds: float


class NewPrefixes:
    """Finds and stores which prefixes are new to which keys. ``days``: how long a prefix counts as new."""

    def __init__(self, days: float) -> None:
        self._seconds = days * DAY
        self._secret: bytes | None = None
        # Known prefixes, each with the times between which no row has to be looked up. Only new ones are ever deleted.
        self._known: dict[KeyPrefix, tuple[float, float]] = {}

    async def load(
        self, facts: Iterable[SettledFact], newcomers: Mapping[int, Newcomer], rows: Rows
    ) -> dict[KeyPrefix, Sighting]:
        """Return the prefixes of a batch that are new to their keys or have to be stored again."""
        times = {pair: span for pair, span in _times_of(facts).items() if not self._is_known(pair, span)}
        if not times:
            return {}
        secret = await self._find_secret(rows)
        numbers = {pair: number_of(secret, *pair) for pair in times}
        found = await rows.fetch(_FIND, [key_id for key_id, _ in numbers], list(numbers.values()))
        stored = {(row[0], row[1]): row[2:] for row in found}
        sightings = {}
        for pair, (first, last) in times.items():
            if (row := stored.get((pair[0], numbers[pair]))) is None:  # the key was deleted in the meantime
                continue
            origin = newcomers[pair[0]].prefix if pair[0] in newcomers else row[3]
            sighting = self._see(numbers[pair], first, last, row, is_origin=pair[1] == origin)
            if sighting:
                sightings[pair] = sighting
            elif row[1] is not None and row[2] is not None:
                self._remember(pair, (row[2], row[1] + REFRESH_SECONDS))
        return sightings

    def _is_known(self, pair: KeyPrefix, span: tuple[float, float]) -> bool:
        known = self._known.get(pair)
        return known is not None and known[0] <= span[0] and span[1] < known[1]

    def _remember(self, pair: KeyPrefix, span: tuple[float, float]) -> None:
        if len(self._known) >= MAX_REMEMBERED:
            self._known.clear()
        self._known[pair] = span

    def _see(
        self,
        number: int,
        first: float,
        last: float,
        row: tuple[float | None, float | None, float | None, bytes | None],
        *,
        is_origin: bool,
    ) -> Sighting | None:
        first_seen, last_seen, new_until, _ = row
        if first_seen is None or last_seen is None or new_until is None:
            return Sighting(number, first, last, first if is_origin else first + self._seconds)
        if first >= new_until and last - last_seen < REFRESH_SECONDS:
            return None
        return Sighting(number, first_seen, max(last, last_seen), new_until)

    async def _find_secret(self, rows: Rows) -> bytes:
        if self._secret is None:
            self._secret = (await rows.fetch(_FIND_SECRET, PAIR_SECRET))[0][0]
        return self._secret


def number_of(secret: bytes, key_id: int, prefix: bytes) -> int:
    """Return the number by which a key's prefix is stored: too short to tell the address even to who has the secret."""
    digest = blake2b(prefix, digest_size=2, key=secret, salt=key_id.to_bytes(8, "little")).digest()
    return int.from_bytes(digest, "little", signed=True)


def add_credit(
    credited: dict[CreditKey, Credited],
    item: SettledFact,
    sighting: Sighting,
    progress: tuple[Progress, Progress],
    parameters: ScoreParameters,
) -> None:
    """Add what one fact changed about its key. ``progress``: before and after it."""
    before, after = progress
    at = item.fact.at_ms / 1000
    counters = (
        item.uploaded,
        item.downloaded,
        item.after.seeding_seconds - (item.before.seeding_seconds if item.before else 0),
        after.seeding_seconds - before.seeding_seconds,
        after.snatches - before.snatches,
    )
    sums = _added_sums(before.history, after.history, sighting.first_seen, parameters)
    added = Credited(at, at, counters, (*sums, after.debt_seconds - before.debt_seconds))
    key_id, torrent_id = item.member or (0, 0)
    key = (key_id, torrent_id, item.fact.peer_id, sighting.number)
    known = credited.get(key)
    credited[key] = _add(known, added) if known else added


def _add(known: Credited, added: Credited) -> Credited:
    return Credited(
        min(known.began, added.began),
        max(known.ended, added.ended),
        tuple(map(operator.add, known.counters, added.counters)),
        tuple(map(operator.add, known.sums, added.sums)),
    )


def _added_sums(
    before: KeyHistory, after: KeyHistory, since: float, parameters: ScoreParameters
) -> tuple[float, float, float, float, float]:
    """Return by how much the five sums rose, as of an earlier moment."""
    before = decay(before, after.at_seconds, parameters)
    days = (after.at_seconds - since) / DAY
    conduct = math.exp2(days / parameters.conduct_half_life_days)
    return (
        (after.recent - before.recent) * math.exp2(days / parameters.recent_half_life_days),
        (after.average - before.average) * math.exp2(days / parameters.average_half_life_days),
        (after.length_days - before.length_days) * math.exp2(days / parameters.length_half_life_days),
        (after.owed - before.owed) * conduct,
        (after.paid - before.paid) * conduct,
    )


async def store_prefixes(
    sightings: Mapping[KeyPrefix, Sighting], credited: Mapping[CreditKey, Credited], rows: Rows
) -> None:
    """Write the prefixes of a batch, and what was added from those that are new."""
    seen = {(key_id, sighting.number): sighting for (key_id, _), sighting in sightings.items()}
    prefixes = [(key_id, number, *sighting[1:]) for (key_id, number), sighting in sorted(seen.items())]
    await rows.write("key_prefixes", _PUT_PREFIXES, prefixes)
    credits_ = [
        (*key, one.began, one.ended, *(min(counter, 2**63 - 1) for counter in one.counters), *one.sums)
        for key, one in sorted(credited.items())
    ]
    await rows.write("prefix_credits", _ADD_CREDITS, credits_)


def _times_of(facts: Iterable[SettledFact]) -> dict[KeyPrefix, tuple[float, float]]:
    """Return when keys announced from prefixes in a batch for the first and the last time, Unix seconds."""
    times: dict[KeyPrefix, tuple[float, float]] = {}
    for item in facts:
        if item.key:
            pair, at = (item.key.id, item.fact.prefix), item.fact.at_ms / 1000
            first, last = times.get(pair, (at, at))
            times[pair] = (min(first, at), max(last, at))
    return times
