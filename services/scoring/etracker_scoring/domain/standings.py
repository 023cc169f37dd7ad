"""How to treat an asker: the one place that says who gets which tier."""

from etracker_scoring.domain.policies import History, Policy, withheld_share
from etracker_shared.tiers import Sampling, Standing, Tier

GUEST = Standing(registered=False, tier=Tier.FREE_RIDER, sampling=Sampling.PREFIX)
"""A guest, and the answer for a key that isn't registered (announce refuses that one)."""

MEMBER = Standing(registered=True, tier=Tier.CONTRIBUTOR)


def judge(history: History, policy: Policy) -> Standing:
    """Return the standing of a registered key."""
    if policy is Policy.RATIO:
        return Standing(registered=True, tier=Tier.CONTRIBUTOR, share=withheld_share(history))
    return MEMBER
