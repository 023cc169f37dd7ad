"""Traces as files: what replay reads, and the truth next to it."""

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .worlds import Trace


def write_trace(trace: Trace, folder: Path) -> None:
    """Write announces, torrents and labels into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with gzip.open(folder / "announces.jsonl.gz", "wt", compresslevel=5) as file:
        file.writelines(_lines(announce.as_line() for announce in trace.announces))
    (folder / "torrents.jsonl").write_text("".join(_lines(torrent.as_line() for torrent in trace.torrents)))
    (folder / "labels.jsonl").write_text("".join(_lines(label.as_line() for label in trace.labels)))


def _lines(values: Iterable[dict[str, Any]]) -> Iterable[str]:
    return (json.dumps(value, separators=(",", ":")) + "\n" for value in values)
