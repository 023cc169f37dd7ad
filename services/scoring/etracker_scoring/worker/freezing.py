"""Writes to keys what their anomalies do to them. Runs in the transaction that stores the anomalies."""

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from etracker_scoring.detection.records import KEY_BYTES, Identity
from etracker_scoring.errors import BatchConflictError
from etracker_scoring.scores.formula import ScoreParameters
from etracker_scoring.scores.freezing import Freezing, freeze
from etracker_scoring.scores.tiers import HeldTier
from etracker_scoring.stored.keys import FROZEN_SUMS, KEY_COLUMNS, KEY_WIDTH, parse_key
from etracker_scoring.worker.store import Rows
from etracker_scoring.worker.tier_changes import ADD_TIER_CHANGES
from etracker_shared.agreements.anomalies import AnomalyState
from etracker_shared.agreements.facts import shard_of
from etracker_shared.agreements.notifications import KEYS_CHANNEL, format_payloads
from etracker_shared.language.identity import KeyHash
from etracker_shared.language.tier import Tier

_LOAD = f"""
SELECT {KEY_COLUMNS}, frozen[{FROZEN_SUMS + 1}] AS returns_to, frozen[{FROZEN_SUMS + 2}] AS falling_since
FROM peers WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE
"""  # noqa: S608 - made of this code's own words

_KEY_HASHES = "SELECT key_hash FROM peers WHERE id = ANY($1::bigint[])"
_LOCK_KEYS = f"{_KEY_HASHES} ORDER BY id FOR NO KEY UPDATE"

# Few keys change at a time, so each has a statement of its own: an array of arrays can't be unnested.
_PUT_FROZEN = "UPDATE peers SET frozen = $2 WHERE id = $1"

_PUT_STANDING = """
UPDATE peers SET frozen = $2, confirmed_time = CASE WHEN $3 THEN to_timestamp($4) END,
    score_time = to_timestamp($5), score_recent = $6, score_average = $7, score_length_days = $8, score_owed = $9,
    score_paid = $10, score_drawn = $11, tier = $12, falling_since = to_timestamp($13), score = $14
WHERE id = $1
"""


async def lock_keys(key_ids: Collection[int], rows: Rows) -> None:
    """Lock keys, and keep workers from settling facts about them until the transaction ends.

    A worker writes standings that it has computed from what it read after moving the position of the keys' shard.

    Raises:
        BatchConflictError: a key was rotated in the meantime.
    """
    shards = {shard_of(KeyHash(row["key_hash"])) for row in await rows.fetch(_KEY_HASHES, key_ids)}
    await rows.lock_shards(shards, ())
    if not {shard_of(KeyHash(row["key_hash"])) for row in await rows.fetch(_LOCK_KEYS, key_ids)} <= shards:
        raise BatchConflictError("peers")


class Target(NamedTuple):
    """What a key is to be treated as. ``pays_back``: see :func:`~etracker_scoring.scores.freezing.freeze`."""

    state: AnomalyState
    pays_back: bool = False


class Freezer:
    """Applies anomalies' states to keys. ``enforced``: False if anomalies have no effect."""

    def __init__(self, parameters: Callable[[], ScoreParameters], *, enforced: bool) -> None:
        self._parameters = parameters
        self.enforced = enforced

    async def lock(self, identities: Collection[Identity], rows: Rows) -> None:
        """Lock keys before their anomalies, as a key's deletion does; see :func:`lock_keys`."""
        key_ids = [int.from_bytes(one, "big") for one in identities if len(one) == KEY_BYTES]
        if self.enforced and key_ids:
            await lock_keys(key_ids, rows)

    async def apply(self, targets: Mapping[int, Target], now: float, rows: Rows) -> None:
        """Make keys, by id, follow their anomalies' states; without effect unless it is enforced."""
        if self.enforced and targets:
            await self.put(targets, now, rows)

    async def put(self, targets: Mapping[int, Target], now: float, rows: Rows) -> None:
        """Make keys follow these states whether or not anomalies have effects."""
        parameters, told = self._parameters(), list[KeyHash]()
        for row in await rows.fetch(_LOAD, sorted(targets)):
            key = parse_key(row)
            tier, falling_since = row[KEY_WIDTH:]
            returns_to = key.held if tier is None else HeldTier(Tier(int(tier)), falling_since or None)
            target = targets[key.id]
            frozen = freeze(key, returns_to, target.state, now, parameters, pays_back=target.pays_back)
            if frozen is None:
                continue
            if frozen.key.confirmed == key.confirmed:
                await rows.fetch(_PUT_FROZEN, key.id, _packed(frozen))
                continue
            await self._put_standing(frozen, now, rows)
            told.append(key.key_hash)
        await rows.notify(KEYS_CHANNEL, format_payloads(told))

    async def _put_standing(self, frozen: Freezing, now: float, rows: Rows) -> None:
        key = frozen.key
        at, *sums = key.history[:7]
        held = (key.held.tier, key.held.falling_since, frozen.score)
        await rows.fetch(_PUT_STANDING, key.id, _packed(frozen), key.confirmed, now, at or None, *sums, *held)
        await rows.write("tier_changes", ADD_TIER_CHANGES, [(key.id, now, key.held.tier, frozen.score)])


def _packed(frozen: Freezing) -> list[float] | None:
    if frozen.key.frozen is None:
        return None
    return [*frozen.key.frozen[:FROZEN_SUMS], float(frozen.returns_to.tier), frozen.returns_to.falling_since or 0.0]
