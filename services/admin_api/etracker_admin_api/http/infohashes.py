"""Infohashes as callers write them: in bodies, queries and paths."""

import base64
import binascii
import re
from typing import Annotated

from fastapi import HTTPException, Path
from pydantic import BeforeValidator

from etracker_admin_api.errors import InfoHashError
from etracker_shared.language.identity import InfoHash

HEX = "[0-9a-fA-F]{40}|[0-9a-fA-F]{64}"
HEX_OR_BASE64 = f"{HEX}|[0-9A-Za-z+/_-]{{27}}=?"
HEX_EXAMPLE = "000102030405060708090a0b0c0d0e0f10111213"
BASE64_EXAMPLE = "AAECAwQFBgcICQoLDA0ODxAREhM="

InfoHashPath = Annotated[
    str,
    Path(
        pattern=f"^(?:{HEX})$",
        description="hex: any of the torrent's infohashes (40 digits), or a full v2 infohash (64)",
        examples=[HEX_EXAMPLE],
    ),
]

HexText = Annotated[str, BeforeValidator(lambda value: value.hex() if isinstance(value, bytes) else value)]
"""Bytes, written in hex."""

_HEX = re.compile(HEX)
_HEX_OR_BASE64 = re.compile(HEX_OR_BASE64)
_URL_SAFE = str.maketrans("+/", "-_")


def parse_info_hash(text: str) -> InfoHash:
    """Parse an infohash: base64 (28 characters, as in the original API) or hex (40 digits, or 64 for v2).

    A full v2 infohash is truncated to 20 bytes, as clients announce it (BEP 52). URL-safe base64 and a missing ``=``
    are accepted too; base64 and hex differ in length.

    Raises:
        InfoHashError: it is neither.
    """
    text = text.strip()
    if _HEX.fullmatch(text):
        return InfoHash(bytes.fromhex(text)[:20])
    if _HEX_OR_BASE64.fullmatch(text):
        try:
            return InfoHash(base64.urlsafe_b64decode(text.rstrip("=").translate(_URL_SAFE) + "="))
        except binascii.Error:
            pass
    raise InfoHashError("The info_hash must be 20 bytes in base64 (28 characters) or hex (40 digits, or 64 for v2).")


def to_base64(info_hash: InfoHash) -> str:
    """Encode an infohash as the original API does."""
    return base64.b64encode(info_hash).decode()


def not_tracked() -> HTTPException:
    """Return the error for an infohash that isn't tracked."""
    return HTTPException(404, "The infohash isn't tracked.")
