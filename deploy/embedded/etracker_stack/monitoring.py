"""Where each process has its metrics, in the form that Prometheus reads (``file_sd_configs``)."""

import json
import re
from collections.abc import Iterable

from etracker_stack.child import Child


def prometheus_targets(children: Iterable[Child]) -> str:
    """Return the targets, one group per job: all replicas of a service are one job, as they are in containers."""
    jobs: dict[str, list[str]] = {}
    for child in children:
        if child.observation:
            jobs.setdefault(re.sub(r"-\d+$", "", child.name), []).append(child.observation)
    groups = [{"labels": {"job": job}, "targets": targets} for job, targets in jobs.items()]
    return json.dumps(groups, indent=2) + "\n"
