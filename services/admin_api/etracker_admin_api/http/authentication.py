"""Authentication: operators by API key, key holders by announce key, and a limit on wrong keys per address."""

import hmac
import re
from collections.abc import Awaitable, Callable
from typing import NoReturn

from etracker_admin_api.actors import ENVIRONMENT, Operator
from etracker_admin_api.api_keys import hash_api_key
from etracker_admin_api.errors import RestrictedOffError, TooManyWrongKeysError, WrongKeyError
from etracker_admin_api.http.address_limit import AddressLimit
from etracker_shared.language.addresses import Address
from etracker_shared.language.identity import ANNOUNCE_KEY

_KEY_FORM = re.compile(ANNOUNCE_KEY)


class Authentication:
    """Checks keys. ``address`` is None for callers whose wrong keys aren't limited.

    Every key is looked up, because a valid one has to work however many wrong ones come from its address. A wrong one
    is counted and compared with the limit in one step.

    ``first_key``: returns the hash of the first operator's API key, None if there is no key. ``find_operator``: returns
    the operator whose API key has this hash. ``is_registered``: returns whether an announce key works.
    """

    def __init__(
        self,
        first_key: Callable[[], bytes | None],
        find_operator: Callable[[bytes], Awaitable[Operator | None]],
        is_registered: Callable[[str], Awaitable[bool]],
        failures: AddressLimit,
    ) -> None:
        self._first_key = first_key
        self._find_operator = find_operator
        self._is_registered = is_registered
        self._failures = failures

    async def operator(self, api_key: bytes, address: Address | None) -> Operator:
        """Return the operator that an API key belongs to.

        Raises:
            RestrictedOffError: there are no operators.
            WrongKeyError: it belongs to nobody.
            TooManyWrongKeysError: it belongs to nobody, and neither did too many keys before it.
            PostgresUnavailableError: it isn't the first operator's, and other operators can't be looked up.
        """
        first = self._first_key()
        if first is None:
            raise RestrictedOffError
        key_hash = hash_api_key(api_key)
        if hmac.compare_digest(key_hash, first):
            return Operator(None, ENVIRONMENT)
        operator = await self._find_operator(key_hash)
        if operator is None:
            await self.refuse(address)
        return operator

    async def announce_key(self, announce_key: str, address: Address | None) -> str:
        """Return an announce key that works.

        Raises:
            WrongKeyError: it isn't registered, or is disabled.
            TooManyWrongKeysError: the same is true of it and of too many keys before it.
            PostgresUnavailableError: it can't be looked up.
        """
        if not _KEY_FORM.fullmatch(announce_key) or not await self._is_registered(announce_key):
            await self.refuse(address)
        return announce_key

    def check_on(self) -> None:
        """Raise RestrictedOffError if there are no operators."""
        if self._first_key() is None:
            raise RestrictedOffError

    async def refuse(self, address: Address | None) -> NoReturn:
        """Count a wrong key, or a wrong recovery code, and refuse it.

        Raises:
            WrongKeyError: always, except for the following.
            TooManyWrongKeysError: there were too many before it.
        """
        if address is not None and (wait_seconds := await self._failures.take(address)):
            raise TooManyWrongKeysError(wait_seconds)
        raise WrongKeyError
