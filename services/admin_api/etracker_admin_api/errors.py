"""Every error that one part of the admin API raises for another to handle. ``http/problems.py`` has their responses.

::

    AdminApiError
    ├── RefusedError                  the request isn't accepted; the message says why in one sentence
    │   ├── InfoHashError
    │   ├── CursorError
    │   ├── SearchError
    │   ├── UnfitNameError
    │   ├── BanError
    │   ├── PeerIdError
    │   ├── DecisionError
    │   ├── CorrectionError
    │   ├── MistypedCodeError
    │   └── TorrentError
    │       └── TorrentTooLargeError
    ├── UnfitPartError                part of a path in a torrent; only within ``torrent_file``
    ├── RestrictedOffError            there are no operators
    ├── WrongKeyError                 an API key or announce key that doesn't work
    ├── KeyConflictError              the state of an announce key doesn't allow it; the message says why
    ├── AppealConflictError           the state of an anomaly or an appeal doesn't allow it; the message says why
    ├── UnknownTorrentError           no such torrent, or its file hasn't been uploaded
    ├── SlowBodyError                 a request body arrives too slowly
    ├── WaitError                     one key or address did something too often
    │   ├── TooManyWrongKeysError
    │   └── TooManyDownloadsError
    └── UnavailableError              try again in a moment
        ├── RedisUnavailableError
        ├── ScoringUnavailableError
        ├── RoomFullError
        └── FileChangedError

    PostgresUnavailableError          of all services; try again in a moment
    └── PostgresFullError
"""

from etracker_shared.language.outages import PostgresUnavailableError


class AdminApiError(Exception):
    """The root of the tree."""


class RefusedError(AdminApiError):
    """The caller's input isn't accepted; the message says why in one sentence."""


class InfoHashError(RefusedError):
    """An infohash that is neither base64 nor hex of 20 bytes."""


class CursorError(RefusedError):
    """A cursor that doesn't come from this list."""


class SearchError(RefusedError):
    """A search that can't be answered."""


class UnfitNameError(RefusedError):
    """A name or a reason that isn't one clean line of text."""


class BanError(RefusedError):
    """Something that can't be banned."""


class PeerIdError(RefusedError):
    """A text that isn't the start of a peer_id."""


class DecisionError(RefusedError):
    """A decision about an anomaly that can't be carried out."""


class CorrectionError(RefusedError):
    """A correction that would leave a statistic outside its bounds."""


class MistypedCodeError(RefusedError):
    """A recovery code with a typing error: no such code can exist."""


class TorrentError(RefusedError):
    """A torrent file that isn't accepted."""


class TorrentTooLargeError(TorrentError):
    """A torrent file larger than the limit."""


class UnfitPartError(AdminApiError):
    """A name in a torrent that isn't accepted; the message continues a sentence that begins with the name."""


class RestrictedOffError(AdminApiError):
    """The first operator has no key, so there are no operators."""


class WrongKeyError(AdminApiError):
    """The key isn't registered, is revoked or is disabled."""


class KeyConflictError(AdminApiError):
    """The state of an announce key doesn't allow what its holder wants; the message says why."""


class AppealConflictError(AdminApiError):
    """The state of an anomaly or of an appeal doesn't allow it; the message says why."""


class UnknownTorrentError(AdminApiError):
    """The infohash isn't tracked, or (``tracked``) it is, but its torrent file hasn't been uploaded."""

    def __init__(self, *, tracked: bool) -> None:
        super().__init__()
        self.tracked = tracked


class SlowBodyError(AdminApiError):
    """A request body arrives too slowly."""


class WaitError(AdminApiError):
    """A key or an address did something too often: it may try again after ``wait_seconds``."""

    def __init__(self, wait_seconds: int) -> None:
        super().__init__()
        self.wait_seconds = wait_seconds


class TooManyWrongKeysError(WaitError):
    """The key is wrong, and so were too many other keys from the same address."""


class TooManyDownloadsError(WaitError):
    """A key or an address has used up its share of downloads."""


class UnavailableError(AdminApiError):
    """Something that the request needs isn't available at the moment."""


class PostgresFullError(PostgresUnavailableError):
    """Postgres' disk is full: existing data can be read, nothing can be changed."""


class RedisUnavailableError(UnavailableError):
    """Redis is down or too slow."""


class ScoringUnavailableError(UnavailableError):
    """Scoring is down or too slow, or can't reach Postgres."""


class RoomFullError(UnavailableError):
    """No slot for a large request body became available in time."""


class FileChangedError(UnavailableError):
    """A torrent file was replaced or removed while it was being read."""
