"""The standings of keys, from the scoring service."""

import httpx
from pydantic import ValidationError

from etracker_admin_api.errors import ScoringUnavailableError
from etracker_shared.agreements.standing import STANDING_PATH, StandingQuestion, StandingReport
from etracker_shared.language.identity import hash_announce_key

TIMEOUT_SECONDS = 5.0
NOT_FOUND = 404


class Standings:
    """A client of the scoring service."""

    def __init__(self, scoring_url: str) -> None:
        self._http = httpx.AsyncClient(base_url=scoring_url, timeout=TIMEOUT_SECONDS, trust_env=False)

    async def find(self, announce_key: str) -> StandingReport | None:
        """Return the standing of a key, None if it isn't registered. Only the key's hash is sent.

        Raises:
            ScoringUnavailableError: within a few seconds.
        """
        question = StandingQuestion(key_hash=hash_announce_key(announce_key).hex())
        try:
            answer = await self._http.post(STANDING_PATH, json=question.model_dump())
            if answer.status_code == NOT_FOUND:
                return None
            return StandingReport.model_validate_json(answer.raise_for_status().content)
        except (httpx.HTTPError, ValidationError) as error:
            raise ScoringUnavailableError(type(error).__name__) from error

    async def close(self) -> None:
        """Close every connection."""
        await self._http.aclose()
