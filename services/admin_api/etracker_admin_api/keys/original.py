from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from etracker_admin_api.http.problems import problems
from etracker_admin_api.keys.generation import KeyGenerator
from etracker_admin_api.keys.models import GENERATED_KEY


class KeyAnswer(BaseModel):
    """A new announce key. Keep it: it can't be retrieved again."""

    announce_key: str = Field(pattern=GENERATED_KEY)


def original_router(generator: KeyGenerator) -> APIRouter:
    """Build ``GET /api/generate``."""
    router = APIRouter(tags=["keys"])

    @router.get("/api/generate", responses=problems(429, 503))
    async def generate(request: Request, response: Response) -> KeyAnswer:
        """Generate and register a new announce key. The number per address is limited."""
        announce_key = await generator.generate(request)
        response.headers["Cache-Control"] = "no-store"
        return KeyAnswer(announce_key=announce_key)

    return router
