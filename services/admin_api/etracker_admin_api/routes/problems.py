"""Errors as callers see them: JSON with a sentence and the id that the log has too."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from etracker_admin_api.domain.errors import RefusedError
from etracker_admin_api.ports import DatabaseUnavailableError
from etracker_admin_api.routes.models import Problem

DATABASE_DOWN = "The database doesn't answer. Try again in a moment."
RETRY_SECONDS = 5

_DESCRIPTIONS = {
    400: "Something in the request isn't accepted; the message says what",
    401: "The Authorization header is missing",
    403: "The key isn't the right one, or the restricted API is off",
    404: "There is no such thing",
    429: "Too many, too fast: Retry-After says when to come back",
    503: "The database doesn't answer",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Declare the errors of a route; all of them, and any other, have one shape."""
    declared: dict[int | str, dict[str, Any]] = {
        status: {"model": Problem, "description": _DESCRIPTIONS[status]} for status in statuses
    }
    return {**declared, "default": {"model": Problem, "description": "Any other error"}}


def problem_response(request_id: str, status: int, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """Build the response of an error."""
    return JSONResponse(Problem(message=message, request_id=request_id).model_dump(), status, headers)


def add_problem_handlers(app: FastAPI) -> None:
    """Turn every expected exception into its response."""
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(RefusedError, _answer_refused)
    app.add_exception_handler(DatabaseUnavailableError, _answer_database_down)


async def _answer_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - what the handler is registered for
    headers = dict(error.headers) if error.headers else None
    return problem_response(request.state.request_id, error.status_code, str(error.detail), headers)


async def _answer_invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - what the handler is registered for
    first = error.errors()[0]
    return problem_response(request.state.request_id, 400, f"{first['loc'][-1]}: {first['msg']}.")


async def _answer_refused(request: Request, error: Exception) -> JSONResponse:
    return problem_response(request.state.request_id, 400, str(error))


async def _answer_database_down(request: Request, _error: Exception) -> JSONResponse:
    return problem_response(request.state.request_id, 503, DATABASE_DOWN, {"Retry-After": str(RETRY_SECONDS)})
