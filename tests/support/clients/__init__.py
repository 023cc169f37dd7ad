"""Drivers of real, unmodified BitTorrent clients that find peers through the tracker only.

Every driver is a :class:`~tests.support.clients.base.Client`; :data:`ALL` is the ring of the end-to-end
test. DHT, PEX, LSD, uTP and port mapping are off in all of them.
"""

from tests.support.clients.aria2 import Aria2
from tests.support.clients.base import Client, Status
from tests.support.clients.deluge import Deluge
from tests.support.clients.libtorrent import Libtorrent
from tests.support.clients.qbittorrent import QBittorrent
from tests.support.clients.rtorrent import RTorrent
from tests.support.clients.transmission import Transmission

ALL: tuple[type[Client], ...] = (Transmission, QBittorrent, Aria2, RTorrent, Deluge, Libtorrent)

__all__ = [
    "ALL",
    "Aria2",
    "Client",
    "Deluge",
    "Libtorrent",
    "QBittorrent",
    "RTorrent",
    "Status",
    "Transmission",
]
