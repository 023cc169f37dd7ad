"""What offenders and those that they harm are told: one line of ASCII that fits into what every client shows.

Each has a shorter form for long host names. No text contains anything that a client sent.
"""

from ipaddress import IPv6Address, ip_address

from etracker_announce.domain.answers import Message, MessageKind
from etracker_announce.frontends.http.failures import MAX_TEXT_BYTES

_PORT_BYTES = 2
_ABOUT_ITSELF = {
    MessageKind.STATISTICS: "your client reports traffic that cannot be real",
    MessageKind.HIDDEN_DOWNLOAD: "your client received more than it reports",
    MessageKind.WASTE: "your client fetches the same data again and again",
}


def text_of_message(message: Message, host: str) -> bytes:
    """Return the text of a message. ``host``: where the pages are."""
    host = host.rstrip("/")
    forms = _block_peer(message, host) if message.kind is MessageKind.BLOCK_PEER else _about_itself(message, host)
    return next(form for form in forms if len(form) <= MAX_TEXT_BYTES).encode("ascii")


def _about_itself(message: Message, host: str) -> tuple[str, ...]:
    reason = _ABOUT_ITSELF[message.kind]
    return (
        f"etracker: {reason}. Update or replace it, or appeal: {host}/standing",
        f"etracker: {reason}. Details: {host}/standing",
        f"{reason}: {host}/standing",
        f"etracker: appeal at {host}/standing",
    )


def _block_peer(message: Message, host: str) -> tuple[str, ...]:
    peer, block_list = _name(message.endpoint), f"{host}/b/{message.token}"
    return (
        f"etracker: block peer {peer}, it fetches the same data again. {block_list}",
        f"block peer {peer}. {block_list}",
        f"etracker: block peer {peer}, it fetches the same data again.",
    )


def _name(endpoint: bytes) -> str:
    address, port = ip_address(endpoint[:-_PORT_BYTES]), int.from_bytes(endpoint[-_PORT_BYTES:], "big")
    return f"[{address}]:{port}" if isinstance(address, IPv6Address) else f"{address}:{port}"
