"""Errors as callers see them: a sentence and the id that the log has too.

The original's endpoints answer ``{"message": ...}``; everything under ``/api/v1`` answers RFC 9457.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from etracker_admin_api.domain.downloads import FileChangedError, TooManyDownloadsError
from etracker_admin_api.domain.errors import RefusedError, TorrentTooLargeError
from etracker_admin_api.ports import DatabaseFullError, DatabaseUnavailableError
from etracker_admin_api.routes.models import Problem
from etracker_admin_api.routes.route_table import allowed_methods
from etracker_admin_api.routes.unread_bodies import SlowBodyError
from etracker_admin_api.routes.v1.models.problems import INVALID, FieldProblem, ProblemDetails, problem_type
from etracker_admin_api.use_cases.room import RoomFullError

DATABASE_DOWN = "The database doesn't answer. Announces go on meanwhile; try again in a moment."
DATABASE_FULL = "The database's disk is full: nothing can be stored until there is room again."
RETRY_SECONDS = 5
PROBLEM_MEDIA_TYPE = "application/problem+json"

_DESCRIPTIONS = {
    400: "Something in the request isn't accepted; the message says what",
    401: "The Authorization header is missing",
    403: "The key isn't the right one, or the restricted API is off",
    404: "There is no such thing",
    409: "It contradicts what is there",
    413: "The body is too large",
    429: "Too many, too fast: Retry-After says when to come back",
    503: "Something that it needs doesn't answer; the message says what",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Declare the errors of one of the original's routes; all of them, and any other, have one shape."""
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
    """Build the response of an error, in the shape that belongs to the path."""
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
    """Tell whether a path belongs to the admin API v1."""
    return path == "/api/v1" or path.startswith("/api/v1/")


def add_problem_handlers(app: FastAPI) -> None:
    """Turn every expected exception into its response."""
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(RefusedError, _answer_refused)
    app.add_exception_handler(TorrentTooLargeError, _answer_too_large)
    app.add_exception_handler(SlowBodyError, _answer_slow)
    app.add_exception_handler(RoomFullError, _answer_room_full)
    app.add_exception_handler(TooManyDownloadsError, _answer_too_many_downloads)
    app.add_exception_handler(FileChangedError, _answer_file_changed)
    app.add_exception_handler(DatabaseUnavailableError, _answer_database_down)


async def _answer_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - what the handler is registered for
    headers = error.headers
    if error.status_code == HTTPStatus.NOT_FOUND and error.detail == HTTPStatus.NOT_FOUND.phrase:
        return _respond(request, 404, _describe_missing_path(request))
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:  # the framework names the methods of one route only
        headers = {"Allow": ", ".join(allowed_methods(request.app.routes, request.url.path))}
    return _respond(request, error.status_code, str(error.detail), headers)


def _describe_missing_path(request: Request) -> str:
    path = request.url.path
    if path.endswith("/") and allowed_methods(request.app.routes, path.rstrip("/")):
        return "There is nothing at this path: leave out the slash at its end."
    return "There is nothing at this path."


async def _answer_invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - what the handler is registered for
    errors = [FieldProblem(field=str(one["loc"][-1]), message=f"{one['msg']}.") for one in error.errors()]
    return _respond(request, 400, f"{errors[0].field}: {errors[0].message}", errors=errors)


async def _answer_refused(request: Request, error: Exception) -> JSONResponse:
    return _respond(request, 400, str(error))


async def _answer_too_large(request: Request, error: Exception) -> JSONResponse:
    return _respond(request, 413, str(error))


async def _answer_slow(request: Request, _error: Exception) -> JSONResponse:
    return _respond(request, 408, "The body of the request came too slowly.")


async def _answer_room_full(request: Request, _error: Exception) -> JSONResponse:
    message = "Too many uploads are under way. Try again in a moment."
    return _respond(request, 503, message, {"Retry-After": str(RETRY_SECONDS)})


async def _answer_too_many_downloads(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, TooManyDownloadsError)  # noqa: S101 - what the handler is registered for
    message = "Too many torrent files are being downloaded with your key or from your address. Come back later."
    return _respond(request, 429, message, {"Retry-After": str(error.wait_seconds)})


async def _answer_file_changed(request: Request, _error: Exception) -> JSONResponse:
    message = "The torrent file was replaced or removed just now. Try again."
    return _respond(request, 503, message, {"Retry-After": "1"})


async def _answer_database_down(request: Request, error: Exception) -> JSONResponse:
    message = DATABASE_FULL if isinstance(error, DatabaseFullError) else DATABASE_DOWN
    return _respond(request, 503, message, {"Retry-After": str(RETRY_SECONDS)})


def _respond(
    request: Request,
    status: int,
    message: str,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[FieldProblem] = (),
) -> JSONResponse:
    return problem_response(request.url.path, request.state.request_id, status, message, headers, errors=errors)
