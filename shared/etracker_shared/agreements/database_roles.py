"""The Postgres role of each service. Its name and password follow from the user and the password of ``migrate``.

So there is no password per service to set or to store. Nobody can compute the owner's password from a service's.
"""

import hashlib
import hmac
from enum import StrEnum

_MAX_NAME_BYTES = 63
"""Postgres cuts off the rest of a longer name."""


class DatabaseRole(StrEnum):
    """The services that have a role of their own."""

    ANNOUNCE = "announce"
    SCORING = "scoring"
    SCORING_WORKER = "scoring_worker"
    ADMIN_API = "admin_api"


_MAX_OWNER_BYTES = _MAX_NAME_BYTES - max(len(role) for role in DatabaseRole) - 1


def role_name(owner: str, role: DatabaseRole) -> str:
    """Return the name of a service's role, for example ``etracker_announce``."""
    return f"{owner.encode()[:_MAX_OWNER_BYTES].decode(errors='ignore')}_{role}"


def role_password(owner_password: str, name: str) -> str:
    """Return the password of the role with this name, 64 hex digits; empty if the owner has none either."""
    if not owner_password:
        return ""
    return hmac.new(owner_password.encode(), name.encode(), hashlib.sha256).hexdigest()
