"""Abandoned announce keys go, so that the table of keys holds those that somebody uses."""

from etracker_admin_api.ports import Pruner

IDLE_MONTHS = 3
"""Keys created and last used longer ago than this are abandoned."""


async def prune_keys(pruner: Pruner) -> int | None:
    """Delete abandoned keys step by step; return how many, or None when another replica is at it.

    Raises:
        DatabaseUnavailableError: Postgres went away; what was deleted stays deleted.
    """
    async with pruner.session() as session:
        if session is None:
            return None
        total, after = 0, 0
        while True:
            step = await session.step(after, IDLE_MONTHS)
            total += step.pruned
            if step.reached is None:
                return total
            after = step.reached
