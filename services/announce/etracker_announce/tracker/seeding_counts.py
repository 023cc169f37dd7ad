"""How many address prefixes seed each torrent, as last counted."""

from collections import OrderedDict

from etracker_announce.domain.seeding import MOST_PREFIXES, count_seeding_prefixes
from etracker_announce.domain.swarm import Role, Step, View
from etracker_shared.language.identity import InfoHash

FRESH_SECONDS = 600
MOST_SWARMS = 131_072


class SeedingCounts:
    """Stores the last counts of some swarms, since a fact is written before the result of its own step is known.

    A swarm that hasn't been counted yet has the highest count, so that nobody gains by a restart.
    """

    def __init__(self, peer_lifetime_seconds: int) -> None:
        self._peer_lifetime_seconds = peer_lifetime_seconds
        # Count and Unix time, the oldest first. A plain dictionary would skip all deleted entries to find its first.
        self._counted: OrderedDict[InfoHash, tuple[int, int]] = OrderedDict()

    def of(self, info_hash: InfoHash) -> int:
        """Return how many address prefixes seed a torrent."""
        counted = self._counted.get(info_hash)
        return MOST_PREFIXES if counted is None else counted[0]

    def is_due(self, info_hash: InfoHash, now: int) -> bool:
        """Return whether the count is old."""
        counted = self._counted.get(info_hash)
        return counted is None or now - counted[1] >= FRESH_SECONDS

    def learn(self, step: Step, view: View) -> None:
        """Count again if the count is old and the step read seeders."""
        looked = step.window if step.role is Role.LEECHER else step.witnesses
        if step.stopped or not looked or not self.is_due(step.info_hash, step.now):
            return
        count = count_seeding_prefixes(view.candidates, step.now - self._peer_lifetime_seconds)
        self._counted[step.info_hash] = count, step.now
        self._counted.move_to_end(step.info_hash)
        if len(self._counted) > MOST_SWARMS:
            self._counted.popitem(last=False)
