import json
from pathlib import Path

from etracker_admin_api.app import create_app
from etracker_admin_api.settings import AdminSettings

COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.json"


async def test_the_committed_document_is_what_the_admin_api_answers() -> None:
    """Write it with ``make openapi``."""
    assert json.loads(COMMITTED.read_text()) == create_app(AdminSettings()).openapi()


async def test_every_route_declares_its_errors() -> None:
    for path, operations in create_app(AdminSettings()).openapi()["paths"].items():
        for operation in operations.values():
            if path.startswith("/api/"):
                assert {"503", "default"} <= set(operation["responses"])
                assert "422" not in operation["responses"]
            if operation.get("security"):
                assert {"401", "403"} <= set(operation["responses"])
