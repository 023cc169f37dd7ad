"""``python -m etracker_announce``: serve announces."""

from etracker_announce.app import create_app
from etracker_announce.routes.protocol import TrackerProtocol
from etracker_announce.settings import AnnounceSettings
from etracker_shared.serving import serve
from etracker_shared.settings import load_settings


def main() -> None:
    """Read the settings and serve until told to stop."""
    settings = load_settings(AnnounceSettings)
    serve(create_app, settings, http=TrackerProtocol)


if __name__ == "__main__":
    main()
