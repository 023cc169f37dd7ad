"""How every list under /api/v1 is cut into pages."""

from typing import Annotated

from fastapi import Query

from etracker_admin_api.domain.cursors import MAX_CURSOR_CHARACTERS

Cursor = Annotated[str | None, Query(max_length=MAX_CURSOR_CHARACTERS, description="`next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=200)]
