"""The canary: whether uploads follow the numbers of seeders and leechers that a suspect is shown.

A suspect is told in half of the blocks that nobody else is there. Clients don't act on these numbers; tools that invent
uploads stop, since uploads to an empty swarm would give them away.
"""

from collections.abc import Callable, Mapping

import numpy as np

from etracker_scoring.detection.balance_parameters import BalanceParameters
from etracker_scoring.detection.balance_texts import amount
from etracker_scoring.detection.records import Evidence
from etracker_shared.agreements.anomalies import BLOCK_SECONDS, Kind


def read_canary(
    info_hash_id: int,
    block: int,
    uploaded: Mapping[int, int],
    *,
    is_blinded: Callable[[int], bool],
    since: int,
    parameters: BalanceParameters,
) -> Evidence | None:
    """Compare a suspect's uploads in a torrent in blocks with and without the true numbers.

    ``uploaded``: bytes by block; only blocks in which it was there. ``since``: the first block that it was a suspect in
    from the start. ``is_blinded``: :func:`etracker_shared.agreements.canary.is_blinded` for this suspect and torrent.
    It is read twice, at fixed numbers of pairs of blocks: looking again and again would make a chance hit likely.
    """
    if block % 2 == 0:
        return None
    pairs = [first for first in range(since + since % 2, block, 2) if first in uploaded and first + 1 in uploaded]
    pairs = [first for first in pairs if uploaded[first] or uploaded[first + 1]]
    looks = {parameters.canary_first_pairs, parameters.canary_pairs}
    if not pairs or pairs[-1] != block - 1 or len(pairs) not in looks:
        return None
    blinded = [uploaded[first + (not is_blinded(first))] for first in pairs]
    shown = [uploaded[first + is_blinded(first)] for first in pairs]
    chance = chance_of([true - false for true, false in zip(shown, blinded, strict=True)])
    if chance >= parameters.canary_chance or sum(blinded) > parameters.canary_share * sum(shown):
        return None
    text = (
        f"In {len(pairs)} blocks in which the tracker showed it an empty swarm it reported {amount(sum(blinded))} "
        f"uploaded, in as many with the true numbers {amount(sum(shown))}. The chance of that is {chance:.1g}; "
        "clients don't act on these numbers."
    )
    data = {"pairs": len(pairs), "blinded": sum(blinded), "shown": sum(shown), "chance": chance}
    at = (block + 1) * BLOCK_SECONDS + parameters.judge_after_seconds
    return Evidence(at, Kind.CANARY, parameters.canary_points, info_hash_id, text, data, pairs[0], block)


def chance_of(differences: list[int]) -> float:
    """Return how likely a sum as great as that of ``differences`` is if each could as well have the other sign.

    All signs are tried, so at most some 20 differences.
    """
    sums = np.zeros(1)
    for difference in differences:
        sums = np.concatenate((sums + difference, sums - difference))
    return float((sums >= sum(differences)).mean())
