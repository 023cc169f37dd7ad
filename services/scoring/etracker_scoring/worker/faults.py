"""Errors of the detector. Statistics, scores and other clients' evidence must not wait until one is mended."""

import prometheus_client
from structlog import get_logger

log = get_logger("anomalies")


class Faults:
    """Counts errors by where they happened, and logs the first of each kind."""

    def __init__(self, counter: prometheus_client.Counter) -> None:
        self._counter = counter
        self._logged: set[tuple[str, type[Exception]]] = set()

    def note(self, where: str, error: Exception, **place: int) -> None:
        """Note an error. ``place``: ids that help to find the rows concerned."""
        self._counter.labels(where).inc()
        if (where, type(error)) not in self._logged:
            self._logged.add((where, type(error)))
            log.error("detector_failed", where=where, **place, exc_info=error)
