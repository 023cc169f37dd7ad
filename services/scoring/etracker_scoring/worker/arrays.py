"""Encodes the arrays of statements, which hold one column of many rows, all at once.

asyncpg asks several abstract classes about each element before it encodes it: two thirds of what passing a row costs.
It lets nobody replace the codec of an array through its public interface, so this uses the private one.
"""

from array import array
from collections.abc import Callable, Collection
from struct import Struct
from typing import Any

import asyncpg
import numpy as np

_HEADER = Struct(">iiIii")
"""Dimensions, whether there are NULLs, type of the elements, number of elements, index of the first."""
_LENGTH = Struct(">i")
_NULL = _LENGTH.pack(-1)

_NUMBERS = {"_int2": (1005, 21, "h"), "_int4": (1007, 23, "i"), "_int8": (1016, 20, "q"), "_float8": (1022, 701, "d")}
"""By name of the array's type: its OID, that of its elements, and their code in ``array`` and ``struct``."""
_BYTEA_ARRAY, _BYTEA = 1001, 17

Encode = Callable[[Collection[Any]], bytes]
Decode = Callable[[bytes], list[Any]]


def encode_columns_at_once(connection: asyncpg.Connection) -> None:
    """Replace the codecs of a connection for arrays of numbers and of bytes, which must have one dimension."""
    settings = connection._protocol.get_settings()  # type: ignore[attr-defined]  # noqa: SLF001 - see above
    for name, (oid, element, code) in _NUMBERS.items():
        settings.add_python_codec(
            oid, name, "pg_catalog", [], "scalar", _encode_numbers(element, code), _decode_numbers(code), "binary"
        )
    settings.add_python_codec(
        _BYTEA_ARRAY, "_bytea", "pg_catalog", [], "scalar", _encode_strings, _decode_strings, "binary"
    )


def _encode_numbers(element: int, code: str) -> Encode:
    one = Struct(f">i{code}")
    size = one.size - _LENGTH.size
    layout = np.dtype([("length", ">i4"), ("value", f">{'f' if code == 'd' else 'i'}{size}")])

    def encode(column: Collection[Any]) -> bytes:
        try:
            values = array(code, column)
        except TypeError:  # there is a NULL
            parts = [_NULL if value is None else one.pack(size, value) for value in column]
            return b"".join([_HEADER.pack(1, 1, element, len(parts), 1), *parts])
        encoded = np.empty(len(values), layout)
        encoded["length"], encoded["value"] = size, np.frombuffer(values, dtype=code)
        return _HEADER.pack(1, 0, element, len(values), 1) + encoded.tobytes()

    return encode


def _encode_strings(column: Collection[bytes | None]) -> bytes:
    parts = [_NULL if value is None else _LENGTH.pack(len(value)) + value for value in column]
    return b"".join([_HEADER.pack(1, 1, _BYTEA, len(parts), 1), *parts])


def _decode_numbers(code: str) -> Decode:
    one = Struct(f">{code}")
    return lambda data: [None if part is None else one.unpack(part)[0] for part in _decode_strings(data)]


def _decode_strings(data: bytes) -> list[bytes | None]:
    if int.from_bytes(data[:4], "big") == 0:  # an empty array has no dimension
        return []
    parts: list[bytes | None] = []
    at = _HEADER.size
    for _ in range(_HEADER.unpack_from(data)[3]):
        (length,) = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size
        parts.append(None if length < 0 else data[at : at + length])
        at += max(length, 0)
    return parts
