"""``POST /v1/standing``: POST, so that no access log anywhere holds a key hash."""

from fastapi import APIRouter, Response

from etracker_scoring.ports import AccountsUnavailableError
from etracker_scoring.routes.problems import Problem
from etracker_scoring.use_cases.report_standing import Reports
from etracker_shared.identity import KeyHash
from etracker_shared.standing import STANDING_PATH, StandingQuestion, StandingReport


def standing_router(reports: Reports) -> APIRouter:
    """Build the route."""
    router = APIRouter(tags=["standing"])

    @router.post(
        STANDING_PATH, response_model=StandingReport, responses={404: {"model": Problem}, 503: {"model": Problem}}
    )
    async def standing(question: StandingQuestion) -> StandingReport | Response:
        """Tell where a key stands, and what would raise it."""
        try:
            report = await reports.find(KeyHash(bytes.fromhex(question.key_hash)))
        except AccountsUnavailableError:
            return _problem(503, "Postgres doesn't answer.")
        return report or _problem(404, "The key isn't registered.")

    return router


def _problem(status: int, message: str) -> Response:
    return Response(Problem(message=message).model_dump_json(), status, media_type="application/json")
