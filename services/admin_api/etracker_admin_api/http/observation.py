"""The log line, the metrics and the id of each request; pure ASGI."""

import secrets
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog import get_logger
from structlog.contextvars import bound_contextvars

from etracker_admin_api.http.problems import problem_response
from etracker_admin_api.metrics import Metrics

READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
CHANGING_READS = frozenset({"/api/generate"})
"""Routes that change something on a GET; the original API has them."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_CLIENT_LEFT = 499

log = get_logger("admin_api")


class Observation:
    """Logs method, route template, status and duration; never a path or a query: they may contain announce keys."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, whatever happens inside."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        response = _Response(request_id, send)
        start = time.perf_counter()
        with bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, response.send)
            except Exception:
                log.exception("request_failed")
                if response.status:
                    raise  # the head is sent: all that can show the failure is a broken connection
                await problem_response(scope["path"], request_id, 500, "Internal error.")(scope, receive, response.send)
            finally:
                self._observe(scope, response.status or _CLIENT_LEFT, time.perf_counter() - start)

    def _observe(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path_format", "unmatched")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.requests.labels(route, method, str(status)).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        write = log.info if _is_notable(method, route, status) else log.debug
        write("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1))


def _is_notable(method: str, route: str, status: int) -> bool:
    """Return whether a request changed something or failed on our side; visitors can cause any number of others."""
    if status >= 400:
        return status >= 500
    return method not in READING_METHODS or route in CHANGING_READS


class _Response:
    """Notes the status, and adds the request id and the header that keeps browsers from guessing the content type."""

    def __init__(self, request_id: str, send: Send) -> None:
        self._headers = ((b"x-request-id", request_id.encode()), (b"x-content-type-options", b"nosniff"))
        self._send = send
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": [*message.get("headers", ()), *self._headers]}
        await self._send(message)
