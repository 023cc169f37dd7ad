"""Every cause of a 503 is a metric from the start, so that its first occurrence is an increase."""

from etracker_admin_api.http.problems import CAUSES
from etracker_admin_api.metrics import Metrics


def test_every_cause_of_a_503_starts_at_zero() -> None:
    registry = Metrics().registry
    for cause in CAUSES.values():
        assert registry.get_sample_value("etracker_admin_unavailable_total", {"cause": cause}) == 0
