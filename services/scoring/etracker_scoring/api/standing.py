"""``POST /v1/standing``: POST, so that no access log contains a key hash."""

import time
from collections.abc import Callable

from fastapi import APIRouter, Response

from etracker_scoring.api.holders import Holders
from etracker_scoring.api.problems import Problem
from etracker_scoring.api.reports import report
from etracker_scoring.scores.formula import ScoreParameters
from etracker_shared.agreements.standing import STANDING_PATH, StandingQuestion, StandingReport
from etracker_shared.language.identity import KeyHash
from etracker_shared.language.outages import PostgresUnavailableError


def standing_router(holders: Holders, parameters: Callable[[], ScoreParameters]) -> APIRouter:
    """Build the route. ``parameters``: returns those in effect."""
    router = APIRouter(tags=["standing"])

    @router.post(
        STANDING_PATH, response_model=StandingReport, responses={404: {"model": Problem}, 503: {"model": Problem}}
    )
    async def standing(question: StandingQuestion) -> StandingReport | Response:
        """Report a key's standing, and what would raise its tier."""
        try:
            holder = await holders.find(KeyHash(bytes.fromhex(question.key_hash)))
        except PostgresUnavailableError:
            return _problem(503, "Postgres doesn't answer.")
        if holder is None:
            return _problem(404, "The key isn't registered.")
        return report(holder, time.time(), parameters())

    return router


def _problem(status: int, message: str) -> Response:
    return Response(Problem(message=message).model_dump_json(), status, media_type="application/json")
