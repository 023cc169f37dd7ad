"""Sums of what a batch adds to a key or a torrent."""

from dataclasses import dataclass

from etracker_shared.agreements.facts import MAX_COUNTER


def capped(counter: int) -> int:
    """Limit a counter to the largest that fits: clients may claim any number, and a bigint must not overflow."""
    return min(counter, MAX_COUNTER)


@dataclass(slots=True)
class Sums:
    """What is added to the statistics of a key or a torrent."""

    snatches: int = 0
    uploaded: int = 0
    downloaded: int = 0
    seeding_seconds: int = 0
    last_seen_ms: int = 0

    def add(self, uploaded: int, downloaded: int, at_ms: int, *, snatched: bool) -> None:
        """Add what one fact was worth; sums stop at the largest counter instead of overflowing."""
        self.snatches += snatched
        self.uploaded = capped(self.uploaded + uploaded)
        self.downloaded = capped(self.downloaded + downloaded)
        self.last_seen_ms = max(self.last_seen_ms, at_ms)

    def columns(self) -> tuple[int, int, int, int, float]:
        """Return the sums as arguments of a statement, the time in Unix seconds."""
        return self.snatches, self.uploaded, self.downloaded, self.seeding_seconds, self.last_seen_ms / 1000


def capped_addition(column: str) -> str:
    """Return SQL that adds ``added`` to ``stored`` and stops at the largest bigint."""
    return (
        f"{column} = CASE WHEN stored.{column} > {MAX_COUNTER} - added.{column} THEN {MAX_COUNTER} "
        f"ELSE stored.{column} + added.{column} END"
    )
