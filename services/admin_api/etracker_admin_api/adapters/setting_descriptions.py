"""What each setting is for, as ``docs/data.md`` says: ``python -m scripts.describe_settings`` takes it from there."""

import json
from collections.abc import Mapping
from importlib.resources import files


def load_descriptions() -> Mapping[str, str]:
    """Return what there is to say of each variable."""
    descriptions: dict[str, str] = json.loads((files(__package__) / "setting_descriptions.json").read_text())
    return descriptions
