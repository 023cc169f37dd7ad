"""Infohashes as callers write them."""

import base64
import binascii
import re

from etracker_admin_api.domain.errors import InfoHashError
from etracker_shared.identity import InfoHash

_HEX = re.compile(r"[0-9a-fA-F]{40}(?:[0-9a-fA-F]{24})?")
_BASE64 = re.compile(r"[0-9A-Za-z+/_-]{27}=?")


def parse_info_hash(text: str) -> InfoHash:
    """Parse an infohash: base64 (28 characters, as the original's API wants it) or hex (40, or 64 for v2).

    A whole v2 infohash is cut to its first 20 bytes, as BEP 52 announces it. URL-safe base64 and a
    missing ``=`` are read too; the lengths tell base64 from hex.

    Raises:
        InfoHashError: it is neither.
    """
    text = text.strip()
    if _HEX.fullmatch(text):
        return InfoHash(bytes.fromhex(text)[:20])
    if _BASE64.fullmatch(text):
        try:
            return InfoHash(base64.urlsafe_b64decode(text.rstrip("=").translate(_URL_SAFE) + "="))
        except binascii.Error:
            pass
    raise InfoHashError("The info_hash isn't 20 bytes in base64 (28 characters) or hex (40 digits, 64 for v2).")


def to_base64(info_hash: InfoHash) -> str:
    """Write an infohash as the API does."""
    return base64.b64encode(info_hash).decode()


_URL_SAFE = str.maketrans("+/", "-_")
