"""Limits failures that a client gets because of somebody else's mistakes."""

SHARE = 0.01
MOST_PER_MINUTE = 200


class FailureBudget:
    """Allows one failure per hundred replies of the same minute, and at most 200 a minute."""

    def __init__(self) -> None:
        self._minute = 0
        self._replies = 0
        self._failures = 0

    def count_reply(self, now: float) -> None:
        """Count a reply, whatever is in it."""
        minute = int(now // 60)
        if minute != self._minute:
            self._minute, self._replies, self._failures = minute, 0, 0
        self._replies += 1

    def spend(self) -> bool:
        """Return whether the reply that was counted last may be a failure, and count it as one."""
        if self._failures >= min(MOST_PER_MINUTE, int(SHARE * self._replies)):
            return False
        self._failures += 1
        return True

    def give_back(self) -> None:
        """Count the failure that was allowed last as none."""
        self._failures -= 1
