"""The descriptions of settings, which ``python -m scripts.describe_settings`` copies from ``docs/data.md``."""

import json
from collections.abc import Mapping
from importlib.resources import files


def load_descriptions() -> Mapping[str, str]:
    """Return the description of each variable."""
    descriptions: dict[str, str] = json.loads((files(__package__) / "setting_descriptions.json").read_text())
    return descriptions
