"""Record the announces of real clients again.

    python -m tests.support.netns python -m tests.support.recordings [NAME ...]

``NAME``: transmission, qbittorrent, aria2, rtorrent, deluge, libtorrent or dual-stack; all of them without one.
A client's life takes one to three minutes.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from tests.support.clients import ALL, Libtorrent
from tests.support.recordings.broken import LosesData
from tests.support.recordings.files import Recording, save
from tests.support.recordings.lives import CONTENT_BYTES, PIECE_BYTES, DualStack, Life
from tests.support.recordings.tracker import recording_tracker

_LIVES = {kind.name: (Life, kind) for kind in ALL} | {
    "dual-stack": (DualStack, Libtorrent),
    "broken-disk": (LosesData, Libtorrent),
}


def main() -> None:
    """Record each life that was named."""
    for name in sys.argv[1:] or _LIVES:
        home = Path(tempfile.mkdtemp(prefix="etracker-life-"))
        try:
            recording = _record(name, home)
        finally:
            shutil.rmtree(home, ignore_errors=True)
        save(name, recording)
        print(f"{name}: {len(recording.announces)} announces", flush=True)


def _record(name: str, home: Path) -> Recording:
    make, kind = _LIVES[name]
    with recording_tracker() as tracker:
        life = make(kind, home, tracker)
        life.live()
    torrents = [
        {"info_hash": info_hash.hex(), "size": CONTENT_BYTES, "piece_length": PIECE_BYTES, "private": torrent.private}
        for torrent in life.torrents
        for info_hash in torrent.info_hashes
    ]
    return Recording(torrents, tracker.lines)


if __name__ == "__main__":
    main()
