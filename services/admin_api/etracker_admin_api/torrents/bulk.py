"""Adding many infohashes at once: a refused one doesn't affect the others."""

from collections.abc import Sequence

from etracker_admin_api.actors import Actor
from etracker_admin_api.errors import RefusedError
from etracker_admin_api.http.infohashes import parse_info_hash
from etracker_admin_api.torrent_file.names import check_name
from etracker_admin_api.torrents.models import BulkInfoHash, BulkResult, BulkStatus
from etracker_admin_api.torrents.store import TorrentStore
from etracker_shared.language.identity import InfoHash


async def add_in_bulk(store: TorrentStore, wanted: Sequence[BulkInfoHash], actor: Actor) -> list[BulkResult]:
    """Track infohashes with names; return the result for each, in the same order.

    Raises:
        PostgresUnavailableError: none was added.
    """
    parsed = [_parse(item) for item in wanted]
    named: dict[InfoHash, str] = {}
    for one in parsed:
        if not isinstance(one, BulkResult):
            named.setdefault(*one)
    added = set(await store.add_many(named, actor)) if named else set()
    results = []
    for one in parsed:
        if isinstance(one, BulkResult):
            results.append(one)
        else:
            status = BulkStatus.ADDED if one[0] in added else BulkStatus.KNOWN
            added.discard(one[0])  # if the request repeats it, it's already known
            results.append(BulkResult(info_hash=one[0].hex(), status=status, detail=None))
    return results


def _parse(item: BulkInfoHash) -> tuple[InfoHash, str] | BulkResult:
    try:
        return parse_info_hash(item.info_hash), check_name(item.name)
    except RefusedError as error:
        return BulkResult(info_hash=item.info_hash, status=BulkStatus.REFUSED, detail=str(error))
