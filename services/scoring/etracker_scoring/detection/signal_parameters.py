"""Thresholds of the signals in single announces, and of the states that evidence leads to."""

from dataclasses import dataclass

from etracker_shared.language.parameters import described


@dataclass(frozen=True)
class SignalParameters:
    """Thresholds of the signals in single announces, and of the states that evidence leads to."""

    suspect_points: float = described(40.0, "Points at which a key or guest is suspected.")
    confirm_points: float = described(100.0, "Points at which a suspicion is confirmed.")
    clear_points: float = described(15.0, "Points below which a suspicion ends.")
