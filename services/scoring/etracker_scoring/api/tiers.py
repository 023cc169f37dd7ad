"""``POST /v1/tiers``."""

import time

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect

from etracker_scoring.api.judging import Judge
from etracker_scoring.api.problems import Problem
from etracker_scoring.errors import LookupUnavailableError
from etracker_scoring.metrics import ApiMetrics
from etracker_shared.agreements.tiers import TIERS_PATH, TiersRequest, TiersResponse
from etracker_shared.language.identity import KeyHash

_NO_KEY = KeyHash(b"")
_CLIENT_CLOSED_REQUEST = 499
_KEY_HASH_BYTES = 16
_PREFIX_BYTES = 7


def tiers_router(judge: Judge, metrics: ApiMetrics) -> APIRouter:
    """Build the route.

    The route reads and writes its bodies itself, with the same models: an announce waits for the response, and
    FastAPI's handling of a model would be a third of its cost.
    """
    router = APIRouter(tags=["tiers"])
    statuses = {status: metrics.requests.labels(status) for status in (200, 422, 503)}

    @router.post(
        TIERS_PATH,
        response_model=None,
        responses={200: {"model": TiersResponse}, 422: {"model": Problem}, 503: {"model": Problem}},
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": TiersRequest.model_json_schema()}},
            }
        },
    )
    async def tiers(request: Request) -> Response:
        """Return how to treat each of these peers."""
        started = time.perf_counter()
        try:
            body = await request.body()
        except ClientDisconnect:  # announce stops waiting at its deadline
            return Response(status_code=_CLIENT_CLOSED_REQUEST)
        status, answer = await _answer(judge, body, metrics)
        statuses[status].inc()
        metrics.seconds.observe(time.perf_counter() - started)
        return Response(answer.__pydantic_serializer__.to_json(answer), status, media_type="application/json")

    return router


async def _answer(judge: Judge, body: bytes, metrics: ApiMetrics) -> tuple[int, BaseModel]:
    try:
        key_hashes, prefixes = _parse(body)
    except ValueError as error:
        return 422, Problem(message=str(error))
    metrics.keys.observe(len(key_hashes))
    wanted = {key_hash: prefixes.get(key_hash, b"") for key_hash in key_hashes if key_hash}
    try:
        found = await judge.find(wanted) if wanted else {}
    except LookupUnavailableError:
        return 503, Problem(message="Postgres doesn't answer.")
    return 200, TiersResponse.model_construct(peers=[found.get(key_hash, judge.guest) for key_hash in key_hashes])


def _parse(body: bytes) -> tuple[list[KeyHash], dict[KeyHash, bytes]]:
    """Parse a request into key hashes (empty for a guest) and the address prefixes given for some of them.

    Raises:
        ValueError: the request is invalid; the message says why.
    """
    try:
        request = TiersRequest.model_validate_json(body)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise ValueError(f"{where or 'body'}: {problem['msg']}") from None
    prefixes = {_parse_key_hash(key): _parse_prefix(prefix) for key, prefix in request.prefixes.items()}
    return [_parse_key_hash(text) for text in request.keys], prefixes


def _parse_prefix(text: str) -> bytes:
    try:
        prefix = bytes.fromhex(text)
    except ValueError:
        prefix = b""
    if len(prefix) != _PREFIX_BYTES:
        raise ValueError("prefixes: an address prefix is 14 hex digits")
    return prefix


def _parse_key_hash(text: str) -> KeyHash:
    if not text:
        return _NO_KEY
    try:
        key_hash = bytes.fromhex(text)
    except ValueError:
        key_hash = b""
    if len(key_hash) != _KEY_HASH_BYTES or len(text) != 2 * _KEY_HASH_BYTES:
        raise ValueError("keys: a key hash is 32 hex digits, or the empty string for a guest")
    return KeyHash(key_hash)
