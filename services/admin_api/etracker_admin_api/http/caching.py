"""Public reads that callers may cache: an ETag, how long the response is fresh, and 304 if it hasn't changed."""

import hashlib
from typing import Any

from fastapi import Request, Response
from pydantic import BaseModel

NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "Not modified since the ETag in If-None-Match"}}
STATS_SECONDS = 1
HISTORY_SECONDS = 30
LIST_SECONDS = 0
"""Lists are revalidated each time, mostly with a 304, so that a change is visible at once."""


def cacheable(request: Request, answer: BaseModel, fresh_seconds: int) -> Response:
    """Respond with the body, or with 304 if the caller has this version."""
    body = answer.model_dump_json().encode()
    headers = {
        "ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"',
        "Cache-Control": f"public, max-age={fresh_seconds}",
    }
    if is_known(headers["ETag"], request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")


def is_known(etag: str, known: str) -> bool:
    """Return whether a caller has a version. Source: RFC 9110, 13.1.2.

    The comparison is weak, because gateways that compress a response weaken its ETag.
    """
    tags = {tag.strip().removeprefix("W/") for tag in known.split(",")}
    return etag in tags or "*" in tags
