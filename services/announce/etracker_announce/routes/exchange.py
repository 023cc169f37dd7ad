"""One announce or scrape on a connection, from its last byte to its answer."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

from uvicorn.protocols.http.flow_control import FlowControl

from etracker_announce.domain.addresses import Client, ClientFinder
from etracker_announce.domain.request import Kind, Target
from etracker_announce.metrics import Metrics
from etracker_announce.use_cases.tracker import Tracker

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%b"
LAST_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b"

_NOBODY_LISTENS = asyncio.Event()


@dataclass(frozen=True, slots=True)
class Front:
    """What every connection needs of the application; its lifespan puts it into the state under :data:`FRONT`."""

    tracker: Tracker
    metrics: Metrics
    find_client: ClientFinder

    def count(self, kind: Kind, outcome: str, started: float) -> None:
        """Count an answer whose request was whole at ``started`` (:func:`time.perf_counter`)."""
        self.metrics.seconds[kind].observe(perf_counter() - started)
        self.metrics.answers[kind, outcome].inc()


FRONT = "front"


class Exchange:
    """Stands where uvicorn keeps its request-response cycle, so that pipelines, draining and shutdown treat both alike.

    Its attributes without a leading underscore are those of uvicorn's cycle.
    """

    __slots__ = (
        "_client", "_flow", "_front", "_on_response", "_query", "_target", "_transport",
        "disconnected", "keep_alive", "message_event", "response_complete",
    )  # fmt: skip

    def __init__(
        self,
        *,
        front: Front,
        target: Target,
        query: bytes,
        client: Client,
        transport: asyncio.Transport,
        flow: FlowControl,
        on_response: Callable[[], None],
        keep_alive: bool,
    ) -> None:
        self._front = front
        self._target = target
        self._query = query
        self._client = client
        self._transport = transport
        self._flow = flow
        self._on_response = on_response
        self.keep_alive = keep_alive
        self.disconnected = False
        self.response_complete = False
        self.message_event = _NOBODY_LISTENS

    async def run_asgi(self, _app: object) -> None:
        """Answer; the name is what uvicorn calls."""
        started = perf_counter()
        answer = await self._front.tracker.answer(self._target, self._query, self._client)
        if self._flow.write_paused:
            await self._flow.drain()
        if not self.disconnected:
            head = _HEAD if self.keep_alive else LAST_HEAD
            self._transport.write(head % (len(answer.body), answer.body))
            if not self.keep_alive:
                self._transport.close()
        self.response_complete = True
        self._front.count(self._target.kind, answer.outcome, started)
        self._on_response()
