"""Write the settings page's description of each setting, from docs/data.md: ``python -m scripts.describe_settings``."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "data.md"
DESCRIPTIONS = ROOT / "services" / "admin_api" / "etracker_admin_api" / "system" / "setting_descriptions.json"

_ROW = re.compile(r"^\| (`[A-Z].*?) \|.*\| (.*) \|$", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")


def read_descriptions() -> dict[str, str]:
    """Return the meaning of every variable in the tables of settings."""
    settings = DOCUMENT.read_text().partition("## Settings")[2]
    return {
        name: _LINK.sub(r"\1", meaning).replace("`", "")
        for names, meaning in _ROW.findall(settings)
        for name in re.findall(r"`([A-Z_]+)`", names)
    }


if __name__ == "__main__":
    DESCRIPTIONS.write_text(json.dumps(read_descriptions(), indent=2) + "\n")
