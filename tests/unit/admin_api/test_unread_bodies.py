"""Bodies that come too slowly: a deadline for those that are read, another for those that are dropped."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from starlette.types import Message, Receive, Scope, Send

from etracker_admin_api.errors import SlowBodyError
from etracker_admin_api.http.unread_bodies import BodyBounds, UnreadBodies

SCOPE: Scope = {"type": "http", "headers": [(b"content-length", b"1000000")]}
BOUNDS = BodyBounds(grace_seconds=0.3, drop_seconds=0.5, drop_pause_seconds=0.3)


def dripping(pause_seconds: float) -> Receive:
    async def receive() -> Message:
        await asyncio.sleep(pause_seconds)
        return {"type": "http.request", "body": b"x", "more_body": True}

    return receive


async def reads(_scope: Scope, receive: Receive, send: Send) -> None:
    try:
        while (await receive())["type"] == "http.request":
            pass
    except SlowBodyError:
        await answers_at_once(_scope, receive, send)


async def answers_at_once(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 401, "headers": []})
    await send({"type": "http.response.body", "body": b"no"})


async def run(app: Callable[[Scope, Receive, Send], Awaitable[None]], receive: Receive) -> list[Message]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append({**message, "at": time.monotonic()})

    async with asyncio.timeout(10):
        await UnreadBodies(app, BOUNDS)(SCOPE, receive, send)
    return sent


async def test_a_body_that_drips_is_given_up_and_its_connection_closed() -> None:
    start, body, end = await run(reads, dripping(0.01))
    assert (b"connection", b"close") in start["headers"]
    assert (body["body"], body["more_body"], end["more_body"]) == (b"no", True, False)


async def test_an_answer_is_sent_before_the_rest_of_the_body_is_dropped() -> None:
    _, body, end = await run(answers_at_once, dripping(0.01))
    assert body["body"] == b"no"
    assert end["at"] - body["at"] >= BOUNDS.drop_seconds / 2


async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    _, body, end = await run(answers_at_once, dripping(60))
    assert end["more_body"] is False
    assert end["at"] > body["at"]
