"""How announce has to treat a peer. No other module decides which tier a treatment contains."""

from typing import NamedTuple

from etracker_scoring.scores.keys import Key, assess_key
from etracker_scoring.scores.list_policies import History, guests_share, share_of
from etracker_scoring.stored.yardsticks import Yardsticks
from etracker_shared.agreements.policies import PolicyName
from etracker_shared.agreements.tiers import Sampling, Treatment
from etracker_shared.language.tier import Tier


class Account(NamedTuple):
    """A registered key and its statistics. ``notice``: the one for its clients, if any."""

    key: Key
    history: History
    notice: str | None


def guest(policy: PolicyName) -> Treatment:
    """Return the treatment of guests. Unregistered keys get it too, but announce refuses those."""
    share = guests_share(policy)
    return Treatment(registered=False, tier=Tier.FREE_RIDER, share=share, sampling=Sampling.PREFIX)


def judge(account: Account, policy: PolicyName, yardsticks: Yardsticks, now: float) -> Treatment:
    """Return the treatment of a registered key at a given time (Unix seconds), the same on every replica.

    Low tiers are sampled by address prefix; otherwise five keys would regain what one has lost.
    """
    key = account.key
    tier = assess_key(key, now, yardsticks.parameters).held.tier
    return Treatment(
        registered=True,
        tier=tier,
        share=share_of(policy, account.history, yardsticks.good_seeding),
        sampling=Sampling.PREFIX if tier <= Tier.LITTLE_HISTORY else Sampling.KEY,
        notice=account.notice,
    )
