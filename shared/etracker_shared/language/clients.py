"""Which client a User-Agent and a peer_id name.

Programs based on libtorrent send their own names or libtorrent's, and some send a name in a User-Agent but
libtorrent's default peer_id, so all of them count as one family.
"""

import re
from functools import lru_cache

_PREFIX_BYTES = 8
_MOST_PAIRS = 4096
_LONGEST = 64

_LIBTORRENT = "libtorrent"
_BY_PEER_ID = {
    b"TR": "transmission",
    b"UT": "utorrent",
    b"UM": "utorrent",
    b"UE": "utorrent",
    b"UW": "utorrent",
    b"BT": "utorrent",
    b"AZ": "azureus",
    b"BI": "azureus",
    b"qB": _LIBTORRENT,
    b"DE": _LIBTORRENT,
    b"LT": _LIBTORRENT,
    b"lt": "rtorrent",
    b"WW": "webtorrent",
    b"WD": "webtorrent",
    b"CD": "ctorrent",
    b"KT": "ktorrent",
}
"""By the two letters of a peer_id of the form ``-XXdddd-``."""
_BY_NAME = {
    b"transmission": "transmission",
    b"utorrent": "utorrent",
    b"bittorrent": "utorrent",
    b"azureus": "azureus",
    b"vuze": "azureus",
    b"biglybt": "azureus",
    b"qbittorrent": _LIBTORRENT,
    b"deluge": _LIBTORRENT,
    b"libtorrent": _LIBTORRENT,
    b"rtorrent": "rtorrent",
    b"webtorrent": "webtorrent",
    b"enhanced-ctorrent": "ctorrent",
    b"ctorrent": "ctorrent",
    b"ktorrent": "ktorrent",
    b"aria2": "aria2",
}
"""By the first word of a User-Agent in lower case, without its version."""
_NAME = re.compile(rb"[a-z][a-z0-9-]*")


def is_foreign(user_agent: bytes, peer_id: bytes) -> bool:
    """Return whether a User-Agent names another family of clients than a peer_id of 20 bytes.

    A name that isn't known, or that isn't there, is never foreign.
    """
    return bool(user_agent) and _differ(user_agent[:_LONGEST], peer_id[:_PREFIX_BYTES])


@lru_cache(_MOST_PAIRS)
def _differ(user_agent: bytes, prefix: bytes) -> bool:
    named, found = _of_user_agent(user_agent), _of_peer_id(prefix)
    if named == "ktorrent" or found == "ktorrent":
        return False  # from version 5 on it can be built on libtorrent
    # rakshasa's library is called libtorrent too.
    both = {named, found}
    return None not in both and len(both) == 2 and both != {_LIBTORRENT, "rtorrent"}


def _of_user_agent(user_agent: bytes) -> str | None:
    name = _NAME.match(user_agent.lower())
    return _BY_NAME.get(name[0]) if name else None


def _of_peer_id(prefix: bytes) -> str | None:
    if prefix.startswith(b"A2-"):
        return "aria2"
    return _BY_PEER_ID.get(prefix[1:3]) if prefix[:1] == b"-" and prefix[7:8] in {b"-", b"s", b"B"} else None
