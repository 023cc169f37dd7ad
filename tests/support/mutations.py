"""Hostile requests: random bytes, and valid requests mutated as faulty clients and attackers mutate them."""

import random

_JUNK = (
    b"%", b"%0", b"%zz",
    b"%00", b"%ff", b"\x00", b"\xff\xfe", b"\r\n", b"&", b"&&", b"=", b"==", b"?", b"??", b"#", b"//",
    b"../",
    b"..%2f", b"'", b'"', b";--", b"<script>", b"${jndi:}", b"{}", b"%n%s", b"\xf0\x9f\x92\xa9", b"-1",
    b"99999999999999999999999999", b"9223372036854775808", b"1e9", b"NaN", b"0x10", b"+", b"%2b", b" ",
)  # fmt: skip


def random_bytes(rng: random.Random) -> bytes:
    """Return up to 2 kB of random bytes."""
    return rng.randbytes(rng.randrange(2048))


def mutate(request: bytes, rng: random.Random) -> bytes:
    """Change a request in one to four places."""
    mutations = (_flip, _cut, _insert, _repeat, _swap, _stretch)
    for _ in range(rng.randint(1, 4)):
        request = rng.choice(mutations)(request, rng)
    return request


def _at(request: bytes, rng: random.Random) -> int:
    return rng.randrange(len(request) + 1)


def _flip(request: bytes, rng: random.Random) -> bytes:
    at = _at(request, rng)
    return request[:at] + rng.randbytes(1) + request[at + 1 :]


def _cut(request: bytes, rng: random.Random) -> bytes:
    at = _at(request, rng)
    return request[:at] + request[at + rng.randrange(40) :]


def _insert(request: bytes, rng: random.Random) -> bytes:
    at = _at(request, rng)
    return request[:at] + rng.choice(_JUNK) + request[at:]


def _repeat(request: bytes, rng: random.Random) -> bytes:
    at = _at(request, rng)
    return request[:at] + request[at : at + rng.randrange(80)] * rng.randint(2, 4) + request[at:]


def _swap(request: bytes, rng: random.Random) -> bytes:
    first, second = sorted((_at(request, rng), _at(request, rng)))
    return request[second:] + request[first:second] + request[:first]


def _stretch(request: bytes, rng: random.Random) -> bytes:
    at = _at(request, rng)
    return request[:at] + rng.choice(_JUNK) * rng.choice((10, 300, 5000)) + request[at:]
