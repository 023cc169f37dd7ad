"""``python -m etracker_announce``: serve announces."""

import gc

from etracker_announce.app import create_app
from etracker_announce.routes.door import TrackerServer
from etracker_announce.routes.protocol import TrackerProtocol
from etracker_announce.settings import AnnounceSettings
from etracker_shared.serving import serve
from etracker_shared.settings import load_settings

YOUNG_OBJECTS = 20_000


def main() -> None:
    """Read the settings and serve until told to stop."""
    settings = load_settings(AnnounceSettings)
    _spare_the_collector()
    serve(create_app, settings, TrackerProtocol, TrackerServer)


def _spare_the_collector() -> None:
    """Look for garbage less often, and never among the modules: a connection leaves a cycle of a few objects."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)


if __name__ == "__main__":
    main()
