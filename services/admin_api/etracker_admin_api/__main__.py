"""Serve the admin API: ``python -m etracker_admin_api``. With ``--openapi``, print its OpenAPI document instead."""

import json
import sys
from functools import partial

from etracker_admin_api.app import create_app
from etracker_admin_api.http.connections import PatientProtocol
from etracker_admin_api.settings import AdminSettings
from etracker_shared.plumbing.serving import serve
from etracker_shared.plumbing.settings import load_settings


def main() -> None:
    """Run the command line."""
    if sys.argv[1:] == ["--openapi"]:
        print(json.dumps(create_app(AdminSettings()).openapi(), indent=2, ensure_ascii=False))
        return
    settings = load_settings(AdminSettings)
    serve(create_app, settings, partial(PatientProtocol, write_timeout_seconds=settings.write_timeout_seconds))


if __name__ == "__main__":
    main()
