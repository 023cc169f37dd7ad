"""``POST /v1/tiers``: announce's request to scoring, and scoring's response.

One request carries every key that concurrent announces need; the response has the same order. A treatment is
everything that announce has to know about an asker.
"""

import enum

from pydantic import BaseModel, ConfigDict, Field

from etracker_shared.language.tier import Tier

TIERS_PATH = "/v1/tiers"
MAX_KEYS = 1000
"""The maximum number of keys in a request; announce splits larger batches."""


class Sampling(enum.StrEnum):
    """Whether selection policies sample by a peer's key or by its address prefix."""

    KEY = "key"
    PREFIX = "prefix"


class TiersRequest(BaseModel):
    """``keys``: key hashes in hex (32 digits each); an empty string means a guest.

    ``prefixes``: for each key, the address prefix it announces from (7 bytes in hex); scoring uses it to judge a key
    that has never announced before.
    """

    keys: list[str] = Field(max_length=MAX_KEYS)
    prefixes: dict[str, str] = Field(default={}, max_length=MAX_KEYS)


class Treatment(BaseModel):
    """How to treat one client.

    ``share`` is the number from which a list policy computes the length of a list, in the policy's own unit (for
    ``ratio``: the fraction of numwant that is withheld, 0 to 1); other policies ignore it.
    ``notice`` is an ASCII line to send as a warning message, or null.
    """

    model_config = ConfigDict(frozen=True)

    registered: bool
    tier: Tier
    share: float = 0.0
    sampling: Sampling = Sampling.KEY
    notice: str | None = None


UNKNOWN = Treatment(registered=False, tier=Tier.FREE_RIDER, sampling=Sampling.PREFIX)
"""The treatment of a client about which scoring hasn't said anything: many of one prefix see no more than one."""


class TiersResponse(BaseModel):
    """``peers``: one treatment per key, in the order of the request."""

    peers: list[Treatment]
