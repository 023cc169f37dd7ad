"""Phrases that make an English reader stop: none in code, documents, pages or commit-facing files."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PHRASES = {
    r"\banew\b": "again, or from scratch",
    r"\bmeanwhile\b": "in the meantime",
    r"\bbeside\b": "next to, with, in addition to, compared with",
    r"\bfor ever\b": "forever, permanently",
    r"\b[Tt]ells? whether\b": "return whether, say whether",
    r"\bas it comes\b": "default, unchanged",
    r"\bOne a line\b": "one per line",
    r"\bwho(ever)? runs this tracker\b": "operators",
    r"\b(bytes|us|CPU time) an? (peer|announce|fact|step|key|query|record)\b": "per peer, per announce, ...",
    r"\b[Oo]ne a (core|service|user|replica|peer|key|torrent)\b": "one per core, ...",
    r"\bby the clock\b": "periodic, at regular intervals",
    r"\bin force\b": "in effect",
    r"\bunder way\b": "running, in progress",
    r"\bdialled\b": "connected to",
    r"\bdear(er|est)\b": "more expensive, most expensive",
    r"\bthrice\b": "three times",
    r"\bis no (torrent|program|directory|number|address|network|file|infohash)\b": "isn't a ...",
    r"\bWho (asks|leaves|seeds|joins|downloads|announces|comes|never)\b": "a client that ..., users who ...",
    r"\b(Redis|Postgres|it|server|scoring) can't be asked\b": "can't be reached",
    r"\b([Ww]hat|[Ww]ho|whoever( else)?|peers) st(ands?|ood) (at|there|where)\b": "the peer at this endpoint",
    r"\bst(ands|ood) (at|there)\b(?! the last announce)": "is at, is there, was at",
    r"(--|#|\*|\"\"\"|\w,?) .*\w, else (the|a|an|one|now|nothing|false|0|None)\b": "otherwise",
    r"\bfrom which on\b": "before it can, as soon as",
    r"\bas it (is|was) then\b": "the updated ...",
    r"\bcredited (what|more|less)\b": "credited with ...",
    r"\bat a moment\b": "at a given time",
    r"\b(goes|going|go|went) on as\b": "continues, keeps doing, doesn't change",
    r"\bmay go on\b": "may continue",
    r"\b[Oo]f several replicas\b": "with several replicas, one ...",
    r"[Ss]ee the port\.": "nothing: the port's docstring is found by itself",
}
SUFFIXES = {".py", ".lua", ".md", ".ts", ".tsx", ".css", ".sh", ".yml", ".toml", ".json", ".html"}
# Migrations are history, and the comments of their columns with them; lock files are others' words.
OTHERS = re.compile(r"^migrations/|requirements.*\.txt$|package-lock\.json$|^tests/contract/test_plain_english\.py$")
KEPT_BY_MIGRATIONS = ("named API keys beside ETRACKER_AUTHORIZATION", "when the snatch was counted, once for ever")


def _files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True)
    names = listed.stdout.decode().splitlines()
    wanted = [name for name in names if Path(name).suffix in SUFFIXES or Path(name).name in {"Makefile", "Caddyfile"}]
    return [ROOT / name for name in wanted if not OTHERS.search(name) and (ROOT / name).is_file()]


@pytest.mark.parametrize("phrase", PHRASES)
def test_a_phrase_that_makes_readers_stop_is_nowhere(phrase: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in _files()
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1)
        if re.search(phrase, line) and not any(kept in line for kept in KEPT_BY_MIGRATIONS)
    ]
    assert not found, f"write {PHRASES[phrase]} instead:\n" + "\n".join(found)
