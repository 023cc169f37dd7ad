"""Thresholds of the comparison of a swarm's uploads and downloads."""

from dataclasses import dataclass

from etracker_shared.language.parameters import described


@dataclass(frozen=True)
class BalanceParameters:
    """Thresholds of the comparison of a swarm's uploads and downloads."""

    learn_closed: bool = described(
        True,  # noqa: FBT003
        "Whether a torrent that isn't flagged as private counts as closed once its swarm has been balanced for long.",
    )
