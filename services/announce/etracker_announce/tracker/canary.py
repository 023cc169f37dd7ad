"""Shows suspects an empty swarm in half of the blocks: tools that invent uploads stop then, clients don't."""

from etracker_announce.domain.suspects import Suspect
from etracker_announce.domain.swarm import Counts
from etracker_shared.agreements.anomalies import BLOCK_SECONDS
from etracker_shared.agreements.canary import is_blinded
from etracker_shared.language.identity import InfoHash

CANARY_SECONDS = 3 * 86_400
_IDENTITY_BYTES = 8


def blinds(suspect: Suspect, info_hash: InfoHash, now: float, secret: bytes) -> bool:
    """Return whether a suspect is shown an empty swarm now.

    ``info_hash``: under which the torrent's statistics are kept, since that is where the worker looks for an effect.
    """
    if suspect.confirmed or not suspect.since <= now < suspect.since + CANARY_SECONDS:
        return False
    return is_blinded(secret, suspect.key_hash[:_IDENTITY_BYTES], info_hash, int(now) // BLOCK_SECONDS)


def hide(counts: Counts) -> Counts:
    """Return counts without seeders and leechers."""
    return Counts(0, 0, 0, counts.snatches)
