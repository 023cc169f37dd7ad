"""Facts: what an announce leaves behind for the scoring worker."""

from collections.abc import Callable
from hashlib import blake2b

from etracker_announce.domain.addresses import Source
from etracker_announce.domain.requests import AnnounceRequest
from etracker_shared.agreements.facts import Fact, FactFlag, pack_fact
from etracker_shared.language.identity import InfoHash, KeyHash


class FactWriter:
    """Writes facts. ``seeding_prefixes``: how many address prefixes seed a torrent."""

    def __init__(self, seeding_prefixes: Callable[[InfoHash], int]) -> None:
        self._seeding_prefixes = seeding_prefixes

    def pack(
        self,
        request: AnnounceRequest,
        source: Source,
        key_hash: KeyHash,
        info_hash: InfoHash,
        *,
        at: float,
        flags: FactFlag,
        interval_seconds: int,
        secret: bytes,
        suppressed: int = 0,
    ) -> bytes:
        """Pack one fact. ``at``: Unix time. ``secret``: the deployment's, which keeps addresses unreadable."""
        return pack_fact(
            Fact(
                key_hash=key_hash,
                info_hash=info_hash,
                peer_id=request.peer_id,
                prefix=source.prefix,
                at_ms=int(at * 1000),
                uploaded=request.uploaded,
                downloaded=request.downloaded,
                left=request.left,
                corrupt=request.corrupt,
                redundant=request.redundant,
                event=request.event,
                flags=flags,
                interval_seconds=interval_seconds,
                seeding_prefixes=self._seeding_prefixes(info_hash),
                address_hash=blake2b(source.packed, key=secret, digest_size=8).digest(),
                port=request.port,
                suppressed=suppressed,
            )
        )
