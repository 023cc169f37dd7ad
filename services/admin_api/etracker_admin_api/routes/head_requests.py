"""HEAD: the head of the answer that GET would get; pure ASGI."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_CHANGES_SOMETHING = "/api/generate"
"""The one GET that isn't safe, by the original's design."""


class HeadRequests:
    """Asks the routes for GET, and ends the answer after its head; the server then breaks off what streams a body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and scope["method"] == "HEAD" and scope["path"] != _CHANGES_SOMETHING:
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
