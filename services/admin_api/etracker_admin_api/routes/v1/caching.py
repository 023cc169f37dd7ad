"""Public reads that callers may keep: an ETag, how long it is fresh, and 304 for those who have it."""

import hashlib
from typing import Any

from fastapi import Request, Response
from pydantic import BaseModel

NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "You have it already: If-None-Match says so"}}
STATS_SECONDS = 1
HISTORY_SECONDS = 30
LIST_SECONDS = 0
"""Lists are asked for again each time, and mostly answered by 304: whoever changes one sees the change."""


def cacheable(request: Request, answer: BaseModel, fresh_seconds: int) -> Response:
    """Answer with a body, or with 304 if the caller has just that."""
    body = answer.model_dump_json().encode()
    headers = {
        "ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"',
        "Cache-Control": f"public, max-age={fresh_seconds}",
    }
    if _is_known(headers["ETag"], request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")


def _is_known(etag: str, known: str) -> bool:
    """Compare weakly: gateways that compress weaken the tags of what they compress. Source: RFC 9110, 13.1.2."""
    tags = {tag.strip().removeprefix("W/") for tag in known.split(",")}
    return etag in tags or "*" in tags
