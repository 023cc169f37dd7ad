"""What can be wrong with what a caller sent. Each message is one sentence for that caller.

::

    RefusedError
    ├── InfoHashError       an infohash that is none
    ├── CursorError         a cursor that no list gave
    ├── SearchError         a search nobody can answer
    ├── UnfitNameError      a name nobody should have to display
    └── TorrentError        a torrent file that isn't accepted
        └── TorrentTooLargeError
"""


class RefusedError(ValueError):
    """The caller's input isn't accepted; the message says why in one sentence."""


class InfoHashError(RefusedError):
    """An infohash that is neither base64 nor hex of 20 bytes."""


class CursorError(RefusedError):
    """A cursor that no list gave, or another one."""


class SearchError(RefusedError):
    """A search that can't be answered."""


class UnfitNameError(RefusedError):
    """A name that is no clean line of text."""


class TorrentError(RefusedError):
    """A torrent file that isn't accepted."""


class TorrentTooLargeError(TorrentError):
    """A torrent file beyond the limit."""
