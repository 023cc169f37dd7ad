"""The admin API v1, by resource; ``docs/openapi.json`` is its contract."""
