"""How PeerBanHelper reads a block list, by its source."""

import re
from ipaddress import ip_address

UNREADABLE = "127.123.123.123"


def read_as_peerbanhelper(body: str) -> set[str]:
    """Read a body by PeerBanHelper's rules.

    Lines end at a line feed. Blank ones and those that begin with ``#`` or ``//`` are skipped. A line with a comma is
    eMule's format if it has three fields and the third is a number without blanks; otherwise it is skipped. Any other
    line is an address up to a ``#`` or ``//``; if it can't be read, a dummy address takes its place.
    """
    found = set()
    for line in body.split("\n"):
        if not line.strip() or line.startswith(("#", "//")):
            continue
        if "," in line:
            fields = line.split(",")
            assert len(fields) < 3 or not re.fullmatch("[+-]?[0-9]+", fields[2]), "would be read as a range"
            continue
        try:
            found.add(str(ip_address(re.split("#|//", line)[0].strip())))
        except ValueError:
            found.add(UNREADABLE)
    return found
