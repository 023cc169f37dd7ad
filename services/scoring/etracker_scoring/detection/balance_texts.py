"""What the swarm's balance says against a member, in words."""

from datetime import UTC, datetime

from etracker_scoring.detection.doubts import Circumstances
from etracker_scoring.detection.hidden import HiddenDownload
from etracker_scoring.detection.sinks import Sink
from etracker_scoring.detection.uploads import Accusation
from etracker_shared.agreements.anomalies import BLOCK_SECONDS

_GIB = 2**30
_MIB = 2**20


def amount(bytes_: float) -> str:
    """Write an amount of data."""
    return f"{bytes_ / _GIB:.1f} GiB" if bytes_ >= _GIB else f"{bytes_ / _MIB:.0f} MiB"


def when(block: int) -> str:
    """Write the time at which a block began."""
    return datetime.fromtimestamp(block * BLOCK_SECONDS, UTC).strftime("%Y-%m-%d %H:%M UTC")


def describe_hidden(hidden: HiddenDownload, first: int, *, trusted: bool) -> str:
    """Say what was downloaded and not reported."""
    text = (
        f"What it has left fell by {amount(hidden.amounts.sum())} since {when(first)} without a reported download, "
        f"and {hidden.ratio:.0%} of that is what others uploaded without a receiver ({hidden.gain**0.5:.1f} sigma)."
    )
    return text if trusted else text + " This swarm may have peers on other trackers."


def describe_upload(accusation: Accusation, facts: Circumstances, first: int, doubts: list[str]) -> str:
    """Say what was uploaded to nobody, who saw it, and why it doesn't convict."""
    text = (
        f"Reported {amount(facts.uploaded)} uploaded since {when(first)}; {accusation.share:.0%} of it has no receiver "
        f"(all others together received {amount(facts.others_received)}). That explains the swarm's imbalance in "
        f"{facts.explained_blocks} blocks, {accusation.gain**0.5:.1f} sigma; {facts.witnesses} other seeders were "
        f"there, and without this member uploads are {facts.rest_ratio:.2f} of the downloads."
    )
    if facts.exceeds:
        text += " It reported more than all possible receivers took."
    return text + (f" It doesn't convict: {'; '.join(doubts)}." if doubts else "")


def describe_sink(sink: Sink, candidates: int) -> str:
    """Say how a leecher's stay matches the imbalance."""
    text = (
        f"Leeches without progress and reports no download, but in {sink.bad_share:.0%} of the blocks in which it was "
        f"there ({sink.blocks} blocks) others uploaded data without a receiver; in its absence, "
        f"in {sink.other_bad_share:.0%}."
    )
    return text if candidates == 1 else f"{text} The same is true of {candidates - 1} more."
