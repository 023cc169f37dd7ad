"""What a run must not hide: WrongStatisticsError and UnsettledError."""


class WrongStatisticsError(Exception):
    """The stored statistics differ from what was announced."""


class UnsettledError(Exception):
    """What was announced isn't stored in time."""
