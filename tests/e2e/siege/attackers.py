"""Attack a tracker until told to stop: ``python -m tests.e2e.siege.attackers TARGET ATTACK ...``.

A separate process, so that the honest clients' times don't include the attackers' own work. It leaves half a core
idle: the question is whether one client can stop others, not whether a machine can be used up. Once a second it
prints the attempts of each attack so far, as JSON.
"""

import asyncio
import json
import os
import sys
from collections import Counter
from dataclasses import asdict, dataclass, field, replace

import psutil

from tests.e2e.siege.attacks import ATTACKS, Attack, Target, attack

IDLE_CORES = 0.5
SLOWEST, FASTEST = 0.1, 2.0


@dataclass
class Pace:
    """How often to attack, as a multiple of each attack's own rate."""

    value: float = 1.0

    async def keep(self) -> None:
        """Adapt to the machine's idle CPU time, until cancelled."""
        psutil.cpu_percent()
        while True:
            await asyncio.sleep(1.0)
            idle = (os.cpu_count() or 1) * (1 - psutil.cpu_percent() / 100)
            step = 1.05 if idle > IDLE_CORES * 1.2 else 0.9 if idle < IDLE_CORES else 1.0
            self.value = min(max(self.value * step, SLOWEST), FASTEST)


@dataclass
class Attackers:
    """Several attacks at once, counted."""

    target: Target
    pace: Pace = field(default_factory=Pace)
    attempts: Counter[str] = field(default_factory=Counter)

    async def run(self, *chosen: Attack) -> None:
        """Attack until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.pace.keep())
            group.create_task(self._report())
            for one in chosen:
                group.create_task(attack(self.target, self._counted(one), lambda: self.pace.value))

    def _counted(self, one: Attack) -> Attack:
        async def once(target: Target) -> None:
            self.attempts[one.name] += 1
            await one.once(target)

        return replace(one, once=once)

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            sys.stdout.write(json.dumps({"pace": round(self.pace.value, 2), **self.attempts}) + "\n")
            sys.stdout.flush()


def arguments(target: Target, *names: str) -> list[str]:
    """Return the command that attacks ``target``."""
    return [sys.executable, "-m", "tests.e2e.siege.attackers", json.dumps(asdict(target)), *names]


def main() -> None:
    """Run the command line."""
    told = json.loads(sys.argv[1])
    target = Target(tuple(told["gateway"]), tuple(told["announce"]), told["key"], told["info_hash"])
    asyncio.run(Attackers(target).run(*(one for one in ATTACKS if one.name in sys.argv[2:])))


if __name__ == "__main__":
    main()
