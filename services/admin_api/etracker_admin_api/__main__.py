"""Serve the admin API: ``python -m etracker_admin_api``."""

from etracker_admin_api.app import create_app
from etracker_admin_api.settings import AdminSettings
from etracker_shared.serving import serve
from etracker_shared.settings import load_settings


def main() -> None:
    """Read the settings and serve until told to stop."""
    settings = load_settings(AdminSettings)
    serve(create_app, settings)


if __name__ == "__main__":
    main()
