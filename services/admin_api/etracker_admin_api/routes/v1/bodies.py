"""Request bodies of /api/v1: declared by a model, and read by the route once the caller's role is known."""

from typing import Any

from pydantic import BaseModel


def body(model: type[BaseModel]) -> dict[str, Any]:
    """Declare a JSON body for ``openapi_extra``; the document has to know the model."""
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
