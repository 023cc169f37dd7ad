"""Errors as callers see them: a sentence, and the request id that is also in the log.

The original API's endpoints return ``{"message": ...}``; everything under ``/api/v1`` follows RFC 9457.
"""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from etracker_admin_api.errors import (
    AppealConflictError,
    FileChangedError,
    KeyConflictError,
    PostgresFullError,
    RedisUnavailableError,
    RefusedError,
    RoomFullError,
    ScoringUnavailableError,
    SlowBodyError,
    TooManyDownloadsError,
    TorrentTooLargeError,
    UnavailableError,
)
from etracker_admin_api.http.problem_models import INVALID, FieldProblem, Problem, ProblemDetails, problem_type
from etracker_admin_api.http.route_table import allowed_methods
from etracker_shared.language.outages import PostgresUnavailableError

_UNAVAILABLE: dict[type[Exception], str] = {
    PostgresUnavailableError: "The database isn't responding. Announces still work; try again in a moment.",
    PostgresFullError: "The database's disk is full: nothing can be stored until space is available.",
    RedisUnavailableError: "Redis isn't responding. Try again in a moment.",
    ScoringUnavailableError: "The scoring service isn't responding. Your history is safe; try again in a moment.",
    RoomFullError: "Too many uploads are in progress. Try again in a moment.",
    FileChangedError: "The torrent file was replaced or removed just now. Try again.",
}
CAUSES: dict[type[Exception], str] = {
    PostgresUnavailableError: "postgres",
    PostgresFullError: "postgres_full",
    RedisUnavailableError: "redis",
    ScoringUnavailableError: "scoring",
    RoomFullError: "uploads",
    FileChangedError: "file_changed",
}
RETRY_SECONDS = 5
PROBLEM_MEDIA_TYPE = "application/problem+json"

_DESCRIPTIONS = {
    400: "The request is invalid; the message says why",
    401: "The Authorization header is missing",
    403: "The key is wrong, or the restricted API is off",
    404: "Not found",
    409: "Conflict with existing data",
    413: "The body is too large",
    429: "Too many requests: Retry-After says when to try again",
    503: "A service it depends on isn't responding; the message says which",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Declare the errors of a route of the original API. Undeclared errors have the same shape."""
    return _declare(Problem, statuses)


def problems_v1(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Declare the errors of a route under /api/v1."""
    return _declare(ProblemDetails, statuses)


def _declare(model: type[BaseModel], statuses: Sequence[int]) -> dict[int | str, dict[str, Any]]:
    declared: dict[int | str, dict[str, Any]] = {
        status: {"model": model, "description": _DESCRIPTIONS[status]} for status in statuses
    }
    return {**declared, "default": {"model": model, "description": "Any other error"}}


def problem_response(
    path: str,
    request_id: str,
    status: int,
    message: str,
    headers: Mapping[str, str] | None = None,
    *,
    errors: Sequence[FieldProblem] = (),
) -> JSONResponse:
    """Build the response for an error, in the shape that the path calls for."""
    if not is_v1(path):
        return JSONResponse(Problem(message=message, request_id=request_id).model_dump(), status, headers)
    details = ProblemDetails(
        type=INVALID if errors else problem_type(status),
        title=HTTPStatus(status).phrase,
        status=status,
        detail=message,
        request_id=request_id,
        errors=list(errors) or None,
    )
    return JSONResponse(details.model_dump(exclude_none=True), status, headers, PROBLEM_MEDIA_TYPE)


def is_v1(path: str) -> bool:
    """Return whether a path belongs to the admin API v1."""
    return path == "/api/v1" or path.startswith("/api/v1/")


def add_problem_handlers(app: FastAPI, unavailable: Callable[[str], object]) -> None:
    """Give every expected exception its response. ``unavailable`` is called with the cause of each 503."""

    async def answer_unavailable(request: Request, error: Exception) -> JSONResponse:
        unavailable(CAUSES[type(error)])
        return await _answer_unavailable(request, error)

    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(RefusedError, _answer_refused)
    app.add_exception_handler(KeyConflictError, _answer_conflict)
    app.add_exception_handler(AppealConflictError, _answer_conflict)
    app.add_exception_handler(TorrentTooLargeError, _answer_too_large)
    app.add_exception_handler(SlowBodyError, _answer_slow)
    app.add_exception_handler(TooManyDownloadsError, _answer_too_many_downloads)
    app.add_exception_handler(UnavailableError, answer_unavailable)
    app.add_exception_handler(PostgresUnavailableError, answer_unavailable)


async def _answer_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - what the handler is registered for
    headers = error.headers
    if error.status_code == HTTPStatus.NOT_FOUND and error.detail == HTTPStatus.NOT_FOUND.phrase:
        return _respond(request, 404, _describe_missing_path(request))
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:  # the framework lists the methods of one route only
        headers = {"Allow": ", ".join(allowed_methods(request.app.routes, request.url.path))}
    return _respond(request, error.status_code, str(error.detail), headers)


def _describe_missing_path(request: Request) -> str:
    path = request.url.path
    if path.endswith("/") and allowed_methods(request.app.routes, path.rstrip("/")):
        return "There is nothing at this path: remove the slash at its end."
    return "There is nothing at this path."


async def _answer_invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - what the handler is registered for
    errors = [FieldProblem(field=str(one["loc"][-1]), message=f"{one['msg']}.") for one in error.errors()]
    return _respond(request, 400, f"{errors[0].field}: {errors[0].message}", errors=errors)


async def _answer_refused(request: Request, error: Exception) -> JSONResponse:
    return _respond(request, 400, str(error))


async def _answer_conflict(request: Request, error: Exception) -> JSONResponse:
    return _respond(request, 409, str(error))


async def _answer_too_large(request: Request, error: Exception) -> JSONResponse:
    return _respond(request, 413, str(error))


async def _answer_slow(request: Request, _error: Exception) -> JSONResponse:
    return _respond(request, 408, "The request body arrived too slowly.")


async def _answer_too_many_downloads(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, TooManyDownloadsError)  # noqa: S101 - what the handler is registered for
    message = "Too many torrent files downloaded with your key or from your IP address. Try again later."
    return _respond(request, 429, message, {"Retry-After": str(error.wait_seconds)})


async def _answer_unavailable(request: Request, error: Exception) -> JSONResponse:
    retry_seconds = 1 if isinstance(error, FileChangedError) else RETRY_SECONDS
    return _respond(request, 503, _UNAVAILABLE[type(error)], {"Retry-After": str(retry_seconds)})


def _respond(
    request: Request,
    status: int,
    message: str,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[FieldProblem] = (),
) -> JSONResponse:
    return problem_response(request.url.path, request.state.request_id, status, message, headers, errors=errors)
