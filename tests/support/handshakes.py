"""The first message between peers: whether a client answers one from a certain address."""

import socket

from tests.support.clients import Client
from tests.support.tracker import Address

PROTOCOL = b"\x13BitTorrent protocol"
HANDSHAKE_BYTES = 68
SECONDS = 5.0
_PEER_ID = b"-LT2110-abcdefghijkl"


def answers(client: Client, source: Address, info_hash: bytes) -> bool:
    """Return whether a client answers the handshake of a peer at this address."""
    hello = PROTOCOL + bytes(8) + info_hash + _PEER_ID
    try:
        with socket.create_connection((str(client.address), client.port), SECONDS, (str(source), 0)) as connection:
            connection.sendall(hello)
            answer = connection.recv(HANDSHAKE_BYTES)
    except ConnectionError:
        return False
    return answer.startswith(PROTOCOL)
