"""Limits failures that a client gets because of somebody else's mistakes."""

REPLIES_PER_FAILURE = 100
MOST_PER_MINUTE = 200


class FailureBudget:
    """Allows one failure per hundred replies, at most 1 % of a minute's replies (but one at least), and 200 a minute.

    One failure can be saved up, so that a tracker with few announces sends some as well.
    """

    def __init__(self) -> None:
        self._saved = 0
        self._minute = 0
        self._replies = 0
        self._failures = 0

    def count_reply(self, now: float) -> None:
        """Count a reply, whatever is in it."""
        minute = int(now // 60)
        if minute != self._minute:
            self._minute, self._replies, self._failures = minute, 0, 0
        self._replies += 1
        if self._saved < REPLIES_PER_FAILURE:
            self._saved += 1

    def spend(self) -> bool:
        """Return whether the reply that was counted last may be a failure, and count it as one."""
        most = min(MOST_PER_MINUTE, max(1, self._replies // REPLIES_PER_FAILURE))
        if self._saved < REPLIES_PER_FAILURE or self._failures >= most:
            return False
        self._saved -= REPLIES_PER_FAILURE
        self._failures += 1
        return True

    def give_back(self) -> None:
        """Count the failure that was allowed last as none."""
        self._saved = REPLIES_PER_FAILURE
        self._failures = max(0, self._failures - 1)  # a new minute may have begun
