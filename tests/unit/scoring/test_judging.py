"""Askers that are new, among others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from etracker_scoring.api.judging import Judge
from etracker_scoring.api.treatment import Account
from etracker_scoring.errors import LookupUnavailableError
from etracker_scoring.scores.formula import DAY, ScoreParameters
from etracker_scoring.scores.keys import Key
from etracker_scoring.scores.list_policies import History
from etracker_scoring.scores.newcomers import Neighbour, Newcomer
from etracker_scoring.scores.tiers import HeldTier, Origin
from etracker_scoring.stored.yardsticks import Yardsticks
from etracker_shared.agreements.policies import PolicyName
from etracker_shared.agreements.tiers import Sampling
from etracker_shared.language.identity import KeyHash
from etracker_shared.language.tier import Tier

NOW = 20_000 * DAY
NEW, OLD = KeyHash(b"n" * 16), KeyHash(b"o" * 16)
HOME = b"\x04home\x00\x00"


@dataclass
class Stored:
    """Stands in for Postgres. ``late``: neighbours aren't found in time. ``refuses``: it takes no writes."""

    late: bool = False
    refuses: bool = False
    asked: list[Sequence[bytes]] = field(default_factory=list)

    async def find(self, key_hashes: Sequence[KeyHash]) -> Mapping[KeyHash, Account]:
        keys = [Key(1, NEW), Key(2, OLD, held=HeldTier(Tier.CONTRIBUTOR), origin=Origin(grace=True, since=NOW - DAY))]
        history = History(0, 0, 0, 0)
        return {key.key_hash: Account(key, history, "a notice") for key in keys if key.key_hash in key_hashes}

    async def find_neighbours(self, prefixes: Sequence[bytes], _seen_after: float) -> Sequence[Neighbour]:
        self.asked.append(prefixes)
        if self.late:
            raise LookupUnavailableError
        return []

    async def promise_graces(self, newcomers: Sequence[Newcomer], _now: float) -> set[int]:
        if self.refuses:
            raise LookupUnavailableError
        return {newcomer.key_id for newcomer in newcomers}


def tiers(stored: Stored, *, with_notices: bool = True) -> Judge:
    yardsticks = Yardsticks(ScoreParameters(), 5.0)
    return Judge(stored, PolicyName.EQUILIBRIUM, lambda: yardsticks, with_notices=with_notices, clock=lambda: NOW)


async def test_a_new_key_is_welcomed_where_its_prefix_is_told_and_neighbours_are_looked_up_for_no_other() -> None:
    stored = Stored()
    found = await tiers(stored).find({NEW: HOME, OLD: HOME})
    assert {key: standing.tier for key, standing in found.items()} == {NEW: Tier.CONTRIBUTOR, OLD: Tier.CONTRIBUTOR}
    assert (await tiers(stored).find({NEW: b""}))[NEW].tier is Tier.LITTLE_HISTORY
    await tiers(stored).find({OLD: HOME})
    assert stored.asked == [[HOME]]


async def test_nobody_else_waits_for_the_neighbours_of_a_new_key() -> None:
    found = await tiers(Stored(late=True)).find({NEW: HOME, OLD: HOME})
    assert {key: standing.tier for key, standing in found.items()} == {NEW: Tier.LITTLE_HISTORY, OLD: Tier.CONTRIBUTOR}


async def test_a_grace_that_could_not_be_promised_is_nobodys() -> None:
    found = await tiers(Stored(refuses=True)).find({NEW: HOME, OLD: HOME})
    assert {key: standing.tier for key, standing in found.items()} == {NEW: Tier.LITTLE_HISTORY, OLD: Tier.CONTRIBUTOR}
    assert found[NEW].sampling is Sampling.PREFIX


async def test_notices_are_left_out_where_the_operator_says_so() -> None:
    assert (await tiers(Stored()).find({OLD: HOME}))[OLD].notice == "a notice"
    assert (await tiers(Stored(), with_notices=False).find({OLD: HOME}))[OLD].notice is None
