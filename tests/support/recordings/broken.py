"""A real client on a disk that loses what was written to it: it fetches the same data again and again."""

import os
from dataclasses import dataclass
from pathlib import Path

from tests.support.recordings.lives import Life, Torrent

ROUNDS = 8


def lose(content: Path, share: float = 1.0) -> None:
    """Overwrite the end of a downloaded file with zeros, as a failing disk does."""
    lost = int(content.stat().st_size * share)
    with content.open("r+b") as file:
        file.seek(-lost, os.SEEK_END)
        file.write(bytes(lost))


@dataclass
class LosesData(Life):
    """Downloads, loses it all, finds out at the check after a restart, and downloads it again from real seeders."""

    def live(self) -> None:
        """Go through all rounds."""
        with self.seeder:
            torrent = self._make("loses", private=True)
            self._seed(torrent)
            for _ in range(ROUNDS):
                self._one_round(torrent)

    def _one_round(self, torrent: Torrent) -> None:
        self.client.start()
        try:
            handle = self.client.add(self._for("client", torrent), self.home / "downloads", seeding=False)
            self._finish(self.client, handle, announces=True)
            self.client.stop()
        finally:
            if self.client.running:
                self.client.kill()
        (content,) = (self.home / "downloads").iterdir()
        lose(content)
