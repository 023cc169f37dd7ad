"""Serve the API."""

from etracker_scoring.api.app import create_app
from etracker_scoring.settings import ScoringSettings
from etracker_shared.plumbing.serving import serve
from etracker_shared.plumbing.settings import load_settings

if __name__ == "__main__":
    settings = load_settings(ScoringSettings)
    serve(create_app, settings)
