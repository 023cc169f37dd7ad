"""The names of what is measured: trackers, worlds and stages. The tables show them."""

from etracker_shared.agreements.policies import DEFAULT_POLICY, PolicyName

ETRACKER, GATEWAY = "etracker", "etracker through the gateway"
UNGATHERED = "etracker without gathering"
CLUSTER = "etracker, 2 replicas, Redis Cluster of 3"
WEBTORRENT, OPENTRACKER = "bittorrent-tracker", "opentracker"

SMALL, LARGE, ONE_SWARM = (
    "10,000 peers in 1,000 swarms",
    "1,000,000 peers in 100,000 swarms",
    "100,000 peers in one swarm",
)
SETTLED = "peers whose facts are settled"
SAME_LOAD = "10,000 peers of those 1,000,000"
"""As many keys and torrents as the small tracker has: the only difference is what else the tracker stores."""

OTHERS, PACED, COLD, SCALE = "against others", "at a steady rate", "cold caches", "as it grows"
UNDER = "under policies"
PLAIN, DEFAULT = POLICIES = (PolicyName.RANDOM, DEFAULT_POLICY)
"""The policy of plain trackers, for comparisons with them, and etracker's default policy."""


def under(policy: str, world: str) -> str:
    """Return the name of a world whose tracker has this policy."""
    return f"{policy}, {world}"


def at_commit(name: str, commit: str) -> str:
    """Return the name of one of etracker's ways in, at an older commit."""
    return name.replace(ETRACKER, f"{ETRACKER} at {commit}", 1)
