"""HEAD: the head of the response to the same GET; pure ASGI."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_UNSAFE_GET = "/api/generate"
"""The only GET that changes something; the original API has it."""


class HeadRequests:
    """Passes HEAD on as GET and drops the body; the server then cancels whatever streams it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http" and scope["method"] == "HEAD" and scope["path"] != _UNSAFE_GET:
            await self._app({**scope, "method": "GET"}, receive, _Head(send).send)
        else:
            await self._app(scope, receive, send)


class _Head:
    def __init__(self, send: Send) -> None:
        self._send = send
        self._is_sent = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._send(message)
        elif not self._is_sent:
            self._is_sent = True
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
