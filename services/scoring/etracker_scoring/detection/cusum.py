"""The balance of a swarm in one block: its noise, the sum of what nobody received, and whether it counts as closed.

This runs for every torrent with traffic and every block; what is dear waits behind the gate.
"""

from collections.abc import Mapping, Sequence
from math import sqrt

from etracker_scoring.detection.balance_parameters import BalanceParameters
from etracker_scoring.detection.records import Content, Identity, SwarmBlock, Traffic

MIB = 2**20


def noise_of(squares: float, parameters: BalanceParameters) -> float:
    """Return the standard deviation of an honest swarm's balance, in bytes.

    ``squares``: of what every member uploaded and received, summed.
    """
    return sqrt((parameters.noise_floor_mib * MIB) ** 2 + parameters.noise_share**2 * squares)


def add_block(
    content: Content,
    block: int,
    traffic: Mapping[Identity, Traffic],
    history: Sequence[SwarmBlock],
    parameters: BalanceParameters,
) -> SwarmBlock:
    """Continue the sum of a torrent's imbalance. ``traffic``: of this block. ``history``: of earlier ones, in order.

    An imbalance takes no trust from a swarm that had it at the onset, and one without may still earn it: otherwise a
    little that is left over from the torrent's first blocks would keep it from ever being trusted.
    """
    uploaded = received = squares = 0
    for up, down, _ in traffic.values():
        uploaded += up
        received += down
        squares += up * up + down * down
    last = history[-1] if history else None
    rise = uploaded - received - parameters.drift_share * max(uploaded, received)
    cusum = max(0.0, (last.cusum if last else 0.0) + rise)
    is_going_on = last is not None and last.onset is not None
    onset = last.onset if last is not None and is_going_on else block
    trusted = (last is not None and is_going_on and last.trusted) or is_closed(content, history, parameters)
    noise = noise_of(squares, parameters)
    return SwarmBlock(block, uploaded, received, noise, cusum, onset if cusum > 0 else None, trusted)


def is_closed(content: Content, history: Sequence[SwarmBlock], parameters: BalanceParameters) -> bool:
    """Return whether what a swarm uploaded has been received in it, block by block, so far."""
    if content.private:
        least, share = parameters.trust_blocks, parameters.trust_share
    elif parameters.learn_closed:
        least, share = parameters.learning_blocks, parameters.learning_share
    else:
        return False
    bytes_ = parameters.active_block_mib * MIB
    active = [row for row in history if max(row.uploaded, row.received) > bytes_]
    if len(active) < least:
        return False
    return sum(_is_balanced(row, parameters) for row in active) >= share * len(active)


def _is_balanced(row: SwarmBlock, parameters: BalanceParameters) -> bool:
    """Return whether what was uploaded was received. Little traffic is all within the noise, received or not."""
    left_over = abs(row.uploaded - row.received)
    most = parameters.balanced_most_share * max(row.uploaded, row.received)
    return left_over < min(parameters.balanced_sigmas * row.noise, most)
