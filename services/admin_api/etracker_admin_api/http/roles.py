"""Roles: public, key holder (an announce key in a header), operator (an API key)."""

from typing import Annotated, NoReturn

from fastapi import HTTPException, Request, Security
from fastapi.security import APIKeyHeader

from etracker_admin_api.actors import Actor
from etracker_admin_api.errors import RestrictedOffError, TooManyWrongKeysError, WrongKeyError
from etracker_admin_api.http.authentication import Authentication
from etracker_admin_api.http.callers import Callers

_API_KEY = APIKeyHeader(
    name="Authorization",
    auto_error=False,
    description="An operator's API key on its own, without a scheme; under /api/v1, `Bearer <key>` works too",
)
_ANNOUNCE_KEY = APIKeyHeader(
    name="X-Announce-Key",
    scheme_name="AnnounceKey",
    auto_error=False,
    description="An announce key. It's a secret, so never put it in a URL",
)
ApiKey = Annotated[str | None, Security(_API_KEY)]
AnnounceKey = Annotated[str | None, Security(_ANNOUNCE_KEY)]


class Roles:
    """Dependencies of routes that aren't public. They run before a request's body is read."""

    def __init__(self, authentication: Authentication, callers: Callers) -> None:
        self._authentication = authentication
        self._callers = callers

    async def original_operator(self, request: Request, api_key: ApiKey) -> Actor:
        """Return the operator who calls one of the original API's endpoints."""
        return await self._operator(request, api_key)

    async def operator(self, request: Request, api_key: ApiKey) -> Actor:
        """Return the operator who calls an endpoint under /api/v1."""
        scheme, _, key = (api_key or "").strip().partition(" ")
        return await self._operator(request, key if scheme.lower() == "bearer" else api_key)

    async def first_operator(self, request: Request, api_key: ApiKey) -> Actor:
        """Return the calling operator if it is the first one."""
        actor = await self.operator(request, api_key)
        if not actor.operator.is_first:
            raise HTTPException(403, "Only the first operator, whose key is ETRACKER_AUTHORIZATION, may do this.")
        return actor

    async def key_holder(self, request: Request, announce_key: AnnounceKey) -> str:
        """Return the caller's announce key."""
        if announce_key is None:
            raise HTTPException(401, "An announce key is required in the X-Announce-Key header.")
        return await self.check_announce_key(request, announce_key)

    async def check_announce_key(self, request: Request, announce_key: str) -> str:
        """Return the caller's announce key if it works, wherever in the request it was."""
        try:
            return await self._authentication.announce_key(announce_key, self._callers.limited_address(request))
        except WrongKeyError:
            raise key_not_registered() from None
        except TooManyWrongKeysError as error:
            raise _too_many(error) from None

    async def refuse(self, request: Request, sentence: str) -> NoReturn:
        """Refuse a former key or a recovery code that doesn't work, and count it as a wrong key.

        Raises:
            HTTPException: always: 403, or 429 after too many.
        """
        try:
            await self._authentication.refuse(self._callers.limited_address(request))
        except WrongKeyError:
            raise HTTPException(403, sentence) from None
        except TooManyWrongKeysError as error:
            raise _too_many(error) from None

    async def _operator(self, request: Request, api_key: str | None) -> Actor:
        try:
            self._authentication.check_on()
            if api_key is None:
                raise HTTPException(401, "An API key is required in the Authorization header.")
            address = self._callers.limited_address(request)
            operator = await self._authentication.operator(api_key.encode("latin-1"), address)
        except RestrictedOffError:
            sentence = (
                "The restricted API is off: ETRACKER_AUTHORIZATION isn't set, or its file contains no usable key."
            )
            raise HTTPException(403, sentence) from None
        except WrongKeyError:
            raise HTTPException(403, "The API key in the Authorization header is wrong.") from None
        except TooManyWrongKeysError as error:
            raise _too_many(error) from None
        return Actor(operator, request.state.request_id)


def key_not_registered() -> HTTPException:
    """Return the error for an announce key that doesn't work."""
    return HTTPException(403, "The announce key isn't registered. Get a new one first.")


def _too_many(error: TooManyWrongKeysError) -> HTTPException:
    message = "Too many wrong keys from your IP address. Try again later."
    return HTTPException(429, message, {"Retry-After": str(error.wait_seconds)})
