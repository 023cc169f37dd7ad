"""Lua scripts for Redis, from the files of a package.

Two things in a script are replaced when it is loaded, so that a call costs Redis no more than literals would:
``redis_keys.NAME`` by the value of this constant in :mod:`~etracker_shared.agreements.redis_keys`, and a line
``-- include FILE`` by the content of this file of the same package.
"""

import hashlib
import re
from importlib import resources

from etracker_shared.agreements import redis_keys

_INCLUDE = re.compile(rb"^ *-- include (\w+\.lua)$", re.MULTILINE)
_CONSTANT = re.compile(rb"\bredis_keys\.(\w+)")


class Script:
    """A script's text, and the SHA-1 by which Redis knows it.

    Raises:
        AttributeError: it uses a constant that ``redis_keys`` doesn't have.
    """

    def __init__(self, package: str, file: str) -> None:
        included = _INCLUDE.sub(lambda line: _read(package, line[1].decode()), _read(package, file))
        self.source = _CONSTANT.sub(lambda word: _literal(word[1].decode()), included)
        self.sha = hashlib.sha1(self.source, usedforsecurity=False).hexdigest().encode()


def _read(package: str, file: str) -> bytes:
    return (resources.files(package) / file).read_bytes()


def _literal(name: str) -> bytes:
    value = getattr(redis_keys, name)
    if isinstance(value, int):
        return b"%d" % value
    return b"'%s'" % b"".join(b"\\%03d" % byte for byte in value)
