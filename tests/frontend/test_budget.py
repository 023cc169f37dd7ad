"""The size of the first page, from the build's manifest."""

import gzip
import json
from pathlib import Path
from typing import Any

DIST = Path(__file__).parents[2] / "frontend" / "dist"
BUDGET_BYTES = 200_000
SCRIPTS_AND_STYLES_BYTES = 220_000


def first_files() -> set[str]:
    """Return the files that the first page loads before any interaction."""
    manifest: dict[str, Any] = json.loads((DIST / ".vite" / "manifest.json").read_text())
    waiting, seen, files = ["index.html"], set[str](), set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        files |= {manifest[name]["file"], *manifest[name].get("css", [])}
        waiting += manifest[name].get("imports", [])
    return files


def compressed(files: set[str], *suffixes: str) -> int:
    return sum(len(gzip.compress((DIST / file).read_bytes(), 6)) for file in files if file.endswith(suffixes))


def test_the_first_page_s_scripts_stay_within_their_budget() -> None:
    assert compressed(first_files(), ".js") < BUDGET_BYTES
    assert compressed(first_files(), ".js", ".css") < SCRIPTS_AND_STYLES_BYTES


def test_charts_load_only_when_there_is_something_to_draw() -> None:
    charts = {path.name for path in (DIST / "assets").glob("TimeChart-*.js")}
    assert charts
    assert not charts & {Path(file).name for file in first_files()}


def test_nothing_is_inline_and_nothing_from_elsewhere() -> None:
    page = (DIST / "index.html").read_text()
    assert "<style" not in page
    assert page.count("<script") == page.count('<script type="module" crossorigin src="/assets/') == 1
    assert "://" not in page.replace("http://this-host/KEY/announce", "")
