"""The interface between the measurement and a tracker."""

from collections.abc import Mapping
from typing import Protocol

from bench.world import World


class Tracker(Protocol):
    """A running tracker."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def address(self) -> tuple[str, int]:
        """The address for its announces."""
        ...

    @property
    def roles(self) -> Mapping[str, int]:
        """Its processes: role to pid; children count with their parent."""
        ...

    @property
    def sorts_keys(self) -> bool:
        """Whether the keys of its answers are sorted, as bencoding requires."""
        ...

    def path(self, announce_key: str) -> str:
        """Return the path of an announce URL."""
        ...

    def settle(self) -> None:
        """Wait until all work caused by the announces so far is done."""
        ...

    def verify(self, world: World) -> None:
        """Compare what the tracker stored with what was announced.

        Raises:
            WrongStatisticsError: they differ.
        """
        ...
