"""The text for each reason of a refusal. Texts are an API.

Clients and the tools around them act on words in these texts, up to deleting the user's data. So only the
text that is meant to have that effect contains one of :data:`FORBIDDEN`. Transmission 3.00 cuts texts off
after 127 bytes, and BiglyBT after the first line.
"""

from etracker_announce.domain.errors import Reason

MAX_TEXT_BYTES = 127

FORBIDDEN = (
    "unregistered",
    "not registered",
    "not found",
    "not exist",
    "unknown",
    "uploaded",
    "upgraded",
    "dead",
    "dupe",
    "nuked",
    "trump",
    "retitled",
    "truncated",
    "deleted",
    "banned",
    "down",
    "maintenance",
    "timeout",
    "refused",
    "forbidden",
    "bad request",
    "offline",
    "not authorized",
)
"""Words on which clients and automation tools act."""

_INVALID_KEY = "Invalid announce key, get a new one at "

TEXTS = {
    Reason.NO_PARAMETERS: "This is a BitTorrent tracker: put its address into a torrent client, not into a browser",
    Reason.MISPLACED: "The tracker URL must end in /announce: with a key /KEY/announce, without one /announce",
    Reason.TOO_LONG: "GET string too long",
    Reason.INFO_HASH: "info_hash must be 20 bytes",
    Reason.SEVERAL_INFO_HASHES: "An announce is for exactly one info_hash",
    Reason.PEER_ID: "peer_id must be 20 bytes",
    Reason.PORT: "port must be a number from 1 to 65535",
    Reason.SCRAPE_OF_EVERYTHING: "A scrape must name its torrents by info_hash",
    Reason.UNREGISTERED_TORRENT: "Unregistered torrent",
    Reason.TOO_MANY_NEW_TORRENTS: "Too many new torrents from your network within an hour, try again later",
    Reason.BANNED_NETWORK: "This tracker does not serve clients at your address, ask its operator why",
    Reason.BANNED_CLIENT: "This tracker does not serve your client or its version, ask its operator why",
    Reason.BANNED_TORRENT: "This tracker does not serve this torrent any more, ask its operator why",
    Reason.WASTES_BANDWIDTH: "Your client fetches the same data again and again, so it gets no peers",
    Reason.BLOCK_PEER: "A peer that you were given fetches the same data again and again",
    Reason.SWARMS_UNAVAILABLE: "The tracker can't reach its peer lists right now, try again soon",
    Reason.SWARMS_FULL: "The tracker has no room for more peers right now, try again soon",
    Reason.ALLOWLIST_UNAVAILABLE: "The tracker can't look this torrent up right now, try again soon",
    Reason.STARTING: "The tracker is just starting, try again soon",
    Reason.INTERNAL: "Internal error of the tracker, try again later",
}
"""All texts except that of :attr:`Reason.INVALID_KEY`, which names the operator's host.

Most replies that a message explains have its text instead, see :mod:`~etracker_announce.frontends.http.messages`.
"""


def text_of(reason: Reason, host: str) -> bytes:
    """Return the text for a reason. ``host``: where new keys are available."""
    text = _INVALID_KEY + host if reason is Reason.INVALID_KEY else TEXTS[reason]
    return text.encode("ascii")


def forbidden_words(text: str) -> list[str]:
    """Return the forbidden words in a text."""
    lowered = text.lower()
    return [word for word in FORBIDDEN if word in lowered]


def one_line(text: str) -> bytes:
    """Reduce a text to what every client can show: one line of ASCII, at most 127 bytes."""
    line = " ".join(text.split()).encode("ascii", "replace")
    return bytes(byte for byte in line if 0x20 <= byte < 0x7F)[:MAX_TEXT_BYTES]
