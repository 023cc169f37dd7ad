"""Many infohashes at once: what is wrong with one of them doesn't keep the others out."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from etracker_admin_api.domain.errors import RefusedError
from etracker_admin_api.domain.infohashes import parse_info_hash
from etracker_admin_api.domain.names import check_name
from etracker_admin_api.domain.operators import Actor
from etracker_admin_api.ports import Catalogue
from etracker_shared.identity import InfoHash


class BulkStatus(enum.StrEnum):
    """What became of an infohash."""

    ADDED = "added"
    KNOWN = "known"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One line of the answer. ``detail``: why it was refused."""

    info_hash: str
    status: BulkStatus
    detail: str | None = None


async def add_in_bulk(catalogue: Catalogue, wanted: Sequence[tuple[str, str]], actor: Actor) -> Sequence[Outcome]:
    """Track infohashes with names; return what became of each, in the same order.

    Raises:
        DatabaseUnavailableError: none was tracked.
    """
    parsed = [_parse(info_hash, name) for info_hash, name in wanted]
    named: dict[InfoHash, str] = {}
    for one in parsed:
        if not isinstance(one, Outcome):
            named.setdefault(*one)
    added = set(await catalogue.add_many(named, actor)) if named else set()
    outcomes = []
    for one in parsed:
        if isinstance(one, Outcome):
            outcomes.append(one)
        else:
            status = BulkStatus.ADDED if one[0] in added else BulkStatus.KNOWN
            added.discard(one[0])  # repeated within the request: known by then
            outcomes.append(Outcome(one[0].hex(), status))
    return outcomes


def _parse(info_hash: str, name: str) -> tuple[InfoHash, str] | Outcome:
    try:
        return parse_info_hash(info_hash), check_name(name)
    except RefusedError as error:
        return Outcome(info_hash, BulkStatus.REFUSED, str(error))
