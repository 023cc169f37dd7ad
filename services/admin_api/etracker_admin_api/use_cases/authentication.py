"""Who calls: an operator by an API key, a key holder by an announce key, and how often they may be wrong."""

import hmac
import re
from collections.abc import Callable

from etracker_admin_api.domain.operators import ENVIRONMENT, Operator, hash_api_key
from etracker_admin_api.ports import AddressLimit, Keys, Operators
from etracker_shared.addresses import Address

_ANNOUNCE_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")


class RestrictedOffError(Exception):
    """ETRACKER_AUTHORIZATION isn't set, so there are no operators."""


class WrongKeyError(Exception):
    """The key isn't registered, is revoked, or is disabled."""


class TooManyWrongKeysError(Exception):
    """The address gave too many wrong keys: no key of its is looked at for ``wait_seconds``."""

    def __init__(self, wait_seconds: int) -> None:
        super().__init__()
        self.wait_seconds = wait_seconds


class Authentication:
    """Checks keys. ``address`` is None for callers that may be wrong as often as they like."""

    def __init__(self, api_key: Callable[[], str], operators: Operators, keys: Keys, failures: AddressLimit) -> None:
        self._api_key = api_key
        self._operators = operators
        self._keys = keys
        self._failures = failures

    async def operator(self, api_key: bytes, address: Address | None) -> Operator:
        """Return whose API key this is.

        Raises:
            RestrictedOffError: nobody can be an operator.
            WrongKeyError: nobody's.
            TooManyWrongKeysError: the key wasn't looked at.
            DatabaseUnavailableError: it isn't the environment's, and others can't be looked up.
        """
        environment = self._environment()
        await self._refuse_blocked(address)
        key_hash = hash_api_key(api_key)
        if hmac.compare_digest(key_hash, environment):
            return Operator(None, ENVIRONMENT)
        operator = await self._operators.find(key_hash)
        if operator is None:
            await self._count_failure(address)
            raise WrongKeyError
        return operator

    async def announce_key(self, announce_key: str, address: Address | None) -> str:
        """Return an announce key that works.

        Raises:
            WrongKeyError: it isn't registered, or is disabled.
            TooManyWrongKeysError: it wasn't looked at.
            DatabaseUnavailableError: it can't be looked up.
        """
        await self._refuse_blocked(address)
        if not _ANNOUNCE_KEY.fullmatch(announce_key) or not await self._keys.is_registered(announce_key):
            await self._count_failure(address)
            raise WrongKeyError
        return announce_key

    def check_on(self) -> None:
        """Raise RestrictedOffError when nobody can be an operator."""
        self._environment()

    def _environment(self) -> bytes:
        if not (api_key := self._api_key()):
            raise RestrictedOffError
        return hash_api_key(api_key.encode())

    async def _refuse_blocked(self, address: Address | None) -> None:
        if address is not None and (wait_seconds := await self._failures.wait_seconds(address)):
            raise TooManyWrongKeysError(wait_seconds)

    async def _count_failure(self, address: Address | None) -> None:
        if address is not None:
            await self._failures.take(address)
