"""Adds what FastAPI can't generate to the OpenAPI document: bodies that routes read, and RFC 9457's media type."""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from etracker_admin_api.http.problems import PROBLEM_MEDIA_TYPE, is_v1

_PROBLEM = {"$ref": "#/components/schemas/ProblemDetails"}


class DocumentedApp(FastAPI):
    """An application with a complete OpenAPI document. ``bodies``: models of bodies that routes read themselves."""

    def __init__(self, bodies: Sequence[type[BaseModel]], **options: Any) -> None:
        super().__init__(**options)
        self._bodies = bodies

    def openapi(self) -> dict[str, Any]:
        """Return the document, which is built once."""
        if self.openapi_schema is None:
            document = super().openapi()
            _, schemas = models_json_schema(
                [(model, "validation") for model in self._bodies], ref_template="#/components/schemas/{model}"
            )
            document["components"]["schemas"].update(schemas["$defs"])
            _name_problems(document)
        return super().openapi()


def _name_problems(document: dict[str, Any]) -> None:
    operations = [operation for path, item in document["paths"].items() if is_v1(path) for operation in item.values()]
    for operation in operations:
        for response in operation["responses"].values():
            content = response.get("content", {})
            if content.get("application/json", {}).get("schema") == _PROBLEM:
                content[PROBLEM_MEDIA_TYPE] = content.pop("application/json")
