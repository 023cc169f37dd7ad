"""Who calls: an operator by an API key, a key holder by an announce key, and how often they may be wrong."""

import hmac
import re
from typing import NoReturn

from etracker_admin_api.domain.operators import ENVIRONMENT, Operator, hash_api_key
from etracker_admin_api.ports import AddressLimit, FirstKey, Keys, Operators
from etracker_shared.addresses import Address

_ANNOUNCE_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")


class RestrictedOffError(Exception):
    """The first operator has no key, so there are no operators."""


class WrongKeyError(Exception):
    """The key isn't registered, is revoked, or is disabled."""


class TooManyWrongKeysError(Exception):
    """The key is wrong, and so were too many others of the address: it should wait for ``wait_seconds``."""

    def __init__(self, wait_seconds: int) -> None:
        super().__init__()
        self.wait_seconds = wait_seconds


class Authentication:
    """Checks keys. ``address`` is None for callers that may be wrong as often as they like.

    Every key is looked up, since a right one has to work however many wrong ones come from its address. Whether a wrong
    one is answered or has to wait is what its count says, taken and compared in one step.
    """

    def __init__(self, first_key: FirstKey, operators: Operators, keys: Keys, failures: AddressLimit) -> None:
        self._first_key = first_key
        self._operators = operators
        self._keys = keys
        self._failures = failures

    async def operator(self, api_key: bytes, address: Address | None) -> Operator:
        """Return whose API key this is.

        Raises:
            RestrictedOffError: nobody can be an operator.
            WrongKeyError: nobody's.
            TooManyWrongKeysError: nobody's, nor were too many before it.
            DatabaseUnavailableError: it isn't the first operator's, and others can't be looked up.
        """
        first = self._first_key.hash()
        if first is None:
            raise RestrictedOffError
        key_hash = hash_api_key(api_key)
        if hmac.compare_digest(key_hash, first):
            return Operator(None, ENVIRONMENT)
        operator = await self._operators.find(key_hash)
        if operator is None:
            await self._refuse(address)
        return operator

    async def announce_key(self, announce_key: str, address: Address | None) -> str:
        """Return an announce key that works.

        Raises:
            WrongKeyError: it isn't registered, or is disabled.
            TooManyWrongKeysError: it isn't either, nor were too many before it.
            DatabaseUnavailableError: it can't be looked up.
        """
        if not _ANNOUNCE_KEY.fullmatch(announce_key) or not await self._keys.is_registered(announce_key):
            await self._refuse(address)
        return announce_key

    def check_on(self) -> None:
        """Raise RestrictedOffError when nobody can be an operator."""
        if self._first_key.hash() is None:
            raise RestrictedOffError

    async def _refuse(self, address: Address | None) -> NoReturn:
        if address is not None and (wait_seconds := await self._failures.take(address)):
            raise TooManyWrongKeysError(wait_seconds)
        raise WrongKeyError
