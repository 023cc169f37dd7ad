"""What FastAPI can't know of the OpenAPI document: bodies that routes read themselves, and RFC 9457's media type."""

from typing import Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from etracker_admin_api.routes.problems import PROBLEM_MEDIA_TYPE, is_v1
from etracker_admin_api.routes.v1.models.keys import KeyChange, KeyLookup
from etracker_admin_api.routes.v1.models.operators import NewOperator
from etracker_admin_api.routes.v1.models.torrents import NewInfoHash, NewInfoHashes, NewName

BODIES = (KeyChange, KeyLookup, NewOperator, NewInfoHash, NewInfoHashes, NewName)
_PROBLEM = {"$ref": "#/components/schemas/ProblemDetails"}


class DocumentedApp(FastAPI):
    """An application whose OpenAPI document is complete."""

    def openapi(self) -> dict[str, Any]:
        """Return the document; it is made once."""
        if self.openapi_schema is None:
            document = super().openapi()
            _, schemas = models_json_schema(
                [(model, "validation") for model in BODIES], ref_template="#/components/schemas/{model}"
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
