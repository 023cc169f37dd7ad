"""Infohashes as people paste them: hex, base32 or base64, of v1 or v2, alone or in a magnet link."""

import base64
import re
from urllib.parse import unquote

from etracker_admin_api.errors import SearchError

_MAGNET = re.compile(r"magnet:|xt=urn:bt", re.IGNORECASE)
_TOPIC = re.compile(r"urn:bt(?:ih|mh):([0-9a-z]+)", re.IGNORECASE)
_MULTIHASH = re.compile(r"1220(?=[0-9a-f]{64}$)")
"""What precedes a v2 infohash in a magnet link: SHA-256, 32 bytes."""

_HEX = re.compile(r"[0-9a-f]{8,64}")
_BASE32 = re.compile(r"[a-z2-7]{32}|[a-z2-7]{52}(?:={4})?|[a-z2-7]{55}=?", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/]{27}=")
_HEX_DIGITS = 40
"""A swarm is identified by 20 bytes: for v2, the first 20 of the infohash."""


def is_magnet(text: str) -> bool:
    """Return whether a text is or contains a magnet link."""
    return _MAGNET.search(unquote(text)) is not None


def read_magnet(text: str) -> tuple[str, ...]:
    """Return the infohashes of a magnet link in hex; a hybrid torrent's has two.

    Raises:
        SearchError: it has none.
    """
    found = [info_hash for topic in _TOPIC.findall(unquote(text)) for info_hash in read_info_hashes(topic)]
    whole = tuple(dict.fromkeys(info_hash for info_hash in found if len(info_hash) == _HEX_DIGITS))
    if not whole:
        raise SearchError("The magnet link contains no infohash.")
    return whole


def read_info_hashes(text: str) -> tuple[str, ...]:
    """Return, in hex, the infohashes or starts of infohashes that a text may represent; usually one or none."""
    digits = _MULTIHASH.sub("", text.lower().removeprefix("urn:").removeprefix("btih:").removeprefix("btmh:"))
    found = [digits] if _HEX.fullmatch(digits) else []
    if _BASE32.fullmatch(digits):
        unpadded = digits.upper().rstrip("=")
        found.append(_MULTIHASH.sub("", base64.b32decode(unpadded + "=" * (-len(unpadded) % 8)).hex()))
    if _BASE64.fullmatch(text):
        found.append(base64.b64decode(text).hex())
    return tuple(info_hash[:_HEX_DIGITS] for info_hash in found)
