"""What the catalogue of torrents holds and gives back."""

from dataclasses import dataclass

from etracker_shared.identity import InfoHash


@dataclass(frozen=True, slots=True)
class ListedTorrent:
    """One row of the public list. ``downloaded``: snatches."""

    id: int
    name: str
    info_hash: InfoHash
    downloaded: int
    seeders: int
    leechers: int
