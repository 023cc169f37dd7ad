"""When a pause in which announces gather pays.

It pays while announces come independently of each other, as those of many clients do: the later part of a pause then
brings more of them. Clients that announce again once they are answered (a closed loop) do so right at the start of a
pause or after it, so that a pause only slows them down.
"""

FEWEST = 2.0
MOST = 20.0
"""Expected announces per pause for which pauses pay: fewer share nothing, more form batches by themselves."""
MOST_RUNNING = 20
"""While this many requests are being answered, the tracker is busy, and batches form by themselves."""
PAUSES_PER_WINDOW = 4
"""Announces are counted over the time of this many pauses."""
EARLY_PART = 1 / 3
"""The part of a pause in which closed loops announce again."""
PAUSES_PER_CHECK = 4
"""While pauses pay, only one in so many is looked at after its early part, because that costs a wake-up."""
LATE_SHARE = 1 / 4
"""The share of its announces that the later part of a pause has to bring."""
FIRST_REST_SECONDS = 0.08
SHORTEST_REST_SECONDS = 0.005
LONGEST_REST_SECONDS = 2.0
"""How long there are no pauses after one in vain. Closed loops may fall into step with pauses and make every other one
pay, so the rest becomes longer faster than it becomes shorter."""


class PauseRule:
    """Decides on pauses of ``seconds``; with 0 there are none. ``now`` is the time of one monotonic clock."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.early_seconds = seconds * EARLY_PART
        self.late_seconds = seconds - self.early_seconds
        self._window_seconds = seconds * PAUSES_PER_WINDOW
        self._window = 0
        self._in_window = 0
        self._in_last_window = 0
        self._rests_until = 0.0
        self._rest_seconds = FIRST_REST_SECONDS
        self._pauses = 0

    def count(self, announces: int, now: float) -> None:
        """Count announces that have arrived."""
        if self._window_seconds:
            self._turn_window(now)
            self._in_window += announces

    def pays(self, now: float, running: int) -> bool:
        """Return whether a pause that begins now is likely to pay. ``running``: requests that are being answered."""
        if not self._window_seconds or now < self._rests_until or running >= MOST_RUNNING:
            return False
        self._turn_window(now)
        return FEWEST <= self._in_last_window / PAUSES_PER_WINDOW <= MOST

    def is_check(self) -> bool:
        """Return whether the pause that begins now is to be looked at after its early part."""
        self._pauses += 1
        return self._rest_seconds > SHORTEST_REST_SECONDS or self._pauses % PAUSES_PER_CHECK == 1

    def has_enough(self, early: int) -> bool:
        """Return whether so many came in the early part that the pause should end."""
        return early >= MOST

    def learn(self, early: int, late: int, now: float) -> bool:
        """Learn from how many announces came in the two parts of a pause; return whether it paid."""
        if late >= (early + late) * LATE_SHARE:
            self._rest_seconds = max(self._rest_seconds / 2, SHORTEST_REST_SECONDS)
            return True
        self._rests_until = now + self._rest_seconds
        self._rest_seconds = min(self._rest_seconds * 4, LONGEST_REST_SECONDS)
        return False

    def _turn_window(self, now: float) -> None:
        window = int(now / self._window_seconds)
        if window != self._window:
            self._in_last_window = self._in_window if window == self._window + 1 else 0
            self._window, self._in_window = window, 0
