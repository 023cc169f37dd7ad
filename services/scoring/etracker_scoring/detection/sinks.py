"""C:sink: a leecher that takes data, never gets further, and reports nothing; its stay matches the imbalance."""

from collections.abc import Mapping
from typing import NamedTuple

from etracker_scoring.detection.balance_parameters import BalanceParameters
from etracker_scoring.detection.cusum import MIB
from etracker_scoring.detection.records import Identity, Presence
from etracker_scoring.detection.stalled import Marks, mark, stays
from etracker_scoring.detection.window import Booleans, Window

_MOST_CANDIDATES = 3


class Sink(NamedTuple):
    """A leecher that may have received what nobody else did. ``blocks``: how many of its blocks are unbalanced."""

    member: Identity
    blocks: int
    bad_share: float
    other_bad_share: float


def find_sinks(window: Window, presence: Mapping[Identity, Presence], parameters: BalanceParameters) -> list[Sink]:
    """Return the stalled leechers whose stay matches the imbalance, if they are few and there now."""
    marks = mark(window, parameters)
    if not marks.bad[-1]:
        return []
    rows = {member: row for row, member in enumerate(window.members)}
    found = []
    for member in sorted(presence):
        row = rows.get(member)
        if row is not None and _takes_part(window, row, parameters):
            continue
        sink = _match(member, stays(window, row, presence[member])[1], marks, parameters)
        if sink is not None:
            found.append(sink)
    return found if len(found) <= _MOST_CANDIDATES else []


def _takes_part(window: Window, row: int, parameters: BalanceParameters) -> bool:
    """Return whether a member got further in the window or uploads: so does one that wants only part of a torrent."""
    progress = float((window.received[row] + window.dropped[row]).sum())
    return progress > 0 or float(window.uploaded[row].sum()) > parameters.active_block_mib * MIB


def _match(member: Identity, stalls: Booleans, marks: Marks, parameters: BalanceParameters) -> Sink | None:
    judged = marks.bad | marks.balanced
    stay, absence = int((stalls & judged).sum()), int((~stalls & judged).sum())
    if not stalls[-1] or not absence:
        return None
    bad = int((stalls & marks.bad).sum())
    sink = Sink(member, bad, bad / stay, float((~stalls & marks.bad).sum() / absence))
    fits = sink.bad_share >= parameters.sink_share and sink.other_bad_share <= parameters.sink_other_share
    return sink if fits else None
