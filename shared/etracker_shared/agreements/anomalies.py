"""Anomalies: what the detector says about a key or a guest, as all services and Postgres name it.

The scoring worker finds them, announce acts on them, the admin API shows them. :mod:`etracker_scoring.detection`
defines what the kinds of evidence mean.
"""

import enum

BLOCK_SECONDS = 7200
"""The time over which a swarm's uploads and downloads are compared. Blocks are numbered from the Unix epoch."""

WINDOW_BLOCKS = 48
"""For how many blocks traffic is looked back upon."""

TRAFFIC_SLOTS = 8
"""``traffic_blocks`` is a ring of this many days; a day's slot is emptied before it is used again."""


class DetectionMode(enum.StrEnum):
    """What is done about anomalies. ``OBSERVE``: they are found and shown to operators, and have no effect."""

    OFF = "off"
    OBSERVE = "observe"
    ENFORCE = "enforce"


class AnomalyState(enum.IntEnum):
    """How sure the detector is. Suspicion shows to operators only."""

    OK = 0
    SUSPECTED = 1
    CONFIRMED = 2
    CLEARED = 3


class Verdict(enum.IntEnum):
    """What was confirmed; interventions depend on it."""

    STATISTICS = 1
    """It reports what it didn't do. Nobody loses bandwidth by it."""
    HIDDEN_DOWNLOAD = 2
    """It downloaded more than it reported."""
    WASTE = 3
    """It downloads the same data again and again, at the expense of those who upload it."""


class Override(enum.IntEnum):
    """An operator's decision, which beats any score until it ends."""

    EXEMPT = 1
    """No evidence is kept."""
    CLEARED = 2
    """The score is 0, and the kinds of evidence there were count for nothing until the override ends."""
    CONFIRMED = 3


class Kind(enum.StrEnum):
    """The kinds of evidence. P: a client contradicts itself. E: events. F: a tool's fingerprint. C: conservation.

    D: it reacts to what the tracker tells it, as only fakers do.
    """

    RATE = "P:rate"
    SAWTOOTH = "P:sawtooth"
    HIDDEN = "P:hidden"
    HIDDEN_ONCE = "P:hidden1"
    REDOWNLOAD = "P:redownload"
    CYCLE = "P:cycle"
    NO_DATA = "P:nodata"
    STARTED = "E:started"
    COMPLETED = "E:completed"
    FLOOD = "E:flood"
    MULTIPLES_OF_5 = "F:mod5"
    CONSTANT_RATE = "F:const"
    USER_AGENT = "F:ua"
    PORT = "F:port"
    SWARM_HIDDEN = "C:hidden"
    SWARM_UPLOAD = "C:upload"
    SWARM_SINK = "C:sink"
    CANARY = "D:canary"


VERDICTS = {
    Kind.REDOWNLOAD: Verdict.WASTE,
    Kind.CYCLE: Verdict.WASTE,
    Kind.SWARM_SINK: Verdict.WASTE,
    Kind.HIDDEN: Verdict.HIDDEN_DOWNLOAD,
    Kind.HIDDEN_ONCE: Verdict.HIDDEN_DOWNLOAD,
    Kind.SWARM_HIDDEN: Verdict.HIDDEN_DOWNLOAD,
}
"""The verdict that a kind of evidence leads to; :attr:`Verdict.STATISTICS` for the others."""
