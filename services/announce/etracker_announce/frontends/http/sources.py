"""The address a request comes from: the socket's, or the one in ``X-Forwarded-For`` if a trusted proxy sent it."""

from collections.abc import Callable
from functools import lru_cache
from socket import AF_INET, inet_pton

from etracker_announce.domain.addresses import Source, describe_source
from etracker_shared.language.addresses import Network, client_address, is_trusted, parse_address

CACHED_SOURCES = 65536
CACHED_PROXIES = 1024
MAX_CACHED_CHARACTERS = 128
"""The longest header that is cached: headers may have any length that their senders choose."""

SourceFinder = Callable[[str, str], Source]
"""Returns the source, given the socket's address and the ``X-Forwarded-For`` header ("" if none)."""

ProxyRecognizer = Callable[[str], bool]
"""Returns whether a socket's address is a trusted proxy's."""


def proxy_recognizer(trusted: tuple[Network, ...]) -> ProxyRecognizer:
    """Build the function that recognizes trusted proxies. It raises ValueError for a socket without an address."""

    @lru_cache(maxsize=CACHED_PROXIES)
    def is_proxy(socket_address: str) -> bool:
        return is_trusted(parse_address(socket_address), trusted)

    return is_proxy


def source_finder(trusted: tuple[Network, ...]) -> SourceFinder:
    """Build the function that finds a request's source.

    Nearly all requests come over IPv4, directly or through one proxy: these take a microsecond. Parsing anything else
    is slow, so some of it is cached.

    The function raises ValueError for a socket without an address.
    """
    is_proxy = proxy_recognizer(trusted)

    @lru_cache(maxsize=CACHED_SOURCES)
    def parse_source(socket_address: str, forwarded_for: str) -> Source:
        return describe_source(client_address(socket_address, forwarded_for, trusted).packed)

    def find_source(socket_address: str, forwarded_for: str) -> Source:
        believed = forwarded_for if forwarded_for and is_proxy(socket_address) else ""
        try:
            return describe_source(inet_pton(AF_INET, believed or socket_address))
        except (OSError, ValueError):  # several hops, a port, IPv6, or rubbish
            parse = parse_source if len(believed) <= MAX_CACHED_CHARACTERS else parse_source.__wrapped__
            return parse(socket_address, believed)

    return find_source
