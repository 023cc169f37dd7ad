"""How each family of clients announces, as measured with the real programs."""

import random
from dataclasses import dataclass

LIBTORRENT_UNKNOWN = 16384
"""The ``left`` of a magnet link without metadata: libtorrent."""
TRANSMISSION_UNKNOWN = 2**63 - 1
"""The same: Transmission."""


@dataclass(frozen=True, slots=True)
class Family:
    """One family's habits.

    ``retries``: seconds from each announce without an answer to the next; the last one holds from then on.
    ``stops``: it says ``stopped`` when it quits. ``late_completed``: ``completed`` waits for the next regular
    announce. ``whole_pieces``: ``downloaded`` grows by verified pieces. ``raw_downloaded``: it includes what failed
    verification.
    ``when_lonely``: seconds between announces while no peer is connected. ``eager``: uses ``min interval`` while it
    downloads.
    """

    name: str
    peer_id: str
    agent: str
    numwant: int | None
    weight: float
    retries: tuple[int, ...] = (17, 55, 117, 205, 317)
    sends_bad: bool = True
    stops: bool = True
    late_completed: bool = False
    whole_pieces: bool = False
    raw_downloaded: bool = False
    two_addresses: bool = False
    pauses: bool = False
    unknown_left: int | None = LIBTORRENT_UNKNOWN
    when_lonely: int | None = None
    eager: bool = False


def _libtorrent(name: str, peer_id: str, agent: str, weight: float) -> Family:
    return Family(name, peer_id, agent, 200, weight, two_addresses=True, pauses=True)


def _transmission(name: str, peer_id: str, agent: str, weight: float, *, stops: bool) -> Family:
    return Family(
        name,
        peer_id,
        agent,
        80,
        weight,
        (20, 309, 20, 309, 900),
        sends_bad=False,
        stops=stops,
        whole_pieces=True,
        two_addresses=stops,
        pauses=True,
        unknown_left=TRANSMISSION_UNKNOWN,
    )


QBITTORRENT = _libtorrent("qbittorrent", "-qB5100-", "qBittorrent/5.1.0", 38)
QBITTORRENT_4 = _libtorrent("qbittorrent-4", "-qB4520-", "qBittorrent/4.5.2", 12)
DELUGE = _libtorrent("deluge", "-DE220s-", "Deluge/2.2.0 libtorrent/2.0.11.0", 8)
LIBTORRENT = _libtorrent("libtorrent", "-LT2110-", "libtorrent/2.1.1.0", 2)
TRANSMISSION_3 = _transmission("transmission-3", "-TR3000-", "Transmission/3.00", 10, stops=False)
TRANSMISSION_4 = _transmission("transmission-4", "-TR410B-", "Transmission/4.1.0-beta.2", 10, stops=True)
RTORRENT = Family(
    "rtorrent",
    "-lt0D80-",
    "rtorrent/0.9.8/0.13.8",
    None,
    9,
    (4, 10, 20, 40, 80, 160, 320),
    sends_bad=False,
    late_completed=True,
    raw_downloaded=True,
    unknown_left=None,
    eager=True,
)
ARIA2 = Family(
    "aria2",
    "A2-1-37-0-",
    "aria2/1.37.0",
    50,
    1.5,
    (120, 120),
    sends_bad=False,
    raw_downloaded=True,
    when_lonely=120,
    eager=True,
    unknown_left=LIBTORRENT_UNKNOWN,
)
CTORRENT = Family(
    "ctorrent",
    "-CD0303-",
    "Enhanced-CTorrent/dnh3.3.2",
    100,
    1,
    (15, 15, 15),
    sends_bad=False,
    raw_downloaded=True,
    unknown_left=None,
)
WEBTORRENT = Family(
    "webtorrent",
    "-WW0300-",
    "WebTorrent/3.0.21 (https://webtorrent.io)",
    50,
    1,
    (1800,),
    sends_bad=False,
    raw_downloaded=True,
)
BIGLYBT = Family("biglybt", "-BI3802-", "BiglyBT 3.8.0.2", 100, 6, (31, 40, 38), unknown_left=None)

FAMILIES = (
    QBITTORRENT,
    QBITTORRENT_4,
    DELUGE,
    LIBTORRENT,
    TRANSMISSION_3,
    TRANSMISSION_4,
    RTORRENT,
    ARIA2,
    CTORRENT,
    WEBTORRENT,
    BIGLYBT,
)

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def draw_family(draw: random.Random) -> Family:
    """Return a family, drawn by how common it is."""
    return draw.choices(FAMILIES, [family.weight for family in FAMILIES])[0]


def draw_peer_id(prefix: str, draw: random.Random) -> str:
    """Return a new peer_id of 20 printable characters."""
    return prefix + "".join(draw.choices(_ALPHABET, k=20 - len(prefix)))
