"""All thresholds of the detector."""

from dataclasses import dataclass

from etracker_scoring.detection.balance_parameters import BalanceParameters
from etracker_scoring.detection.signal_parameters import SignalParameters


@dataclass(frozen=True)
class DetectionParameters(BalanceParameters, SignalParameters):
    """All thresholds of the detector; each is a setting of the scoring worker."""
