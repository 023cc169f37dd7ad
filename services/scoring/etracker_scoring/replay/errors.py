"""What stops a replay or an export.

ReplayError
├── FileRefusedError    a file that can't be read or written, or whose format is wrong
├── UnsortedLogError    a log that isn't in order of time; it is sorted, and read again
├── DatabaseError       Postgres isn't available
└── NoFactsError        the tracker has kept no facts that could be exported
UnreadableLineError     one line of a file; a replay counts it and goes on
"""


class ReplayError(Exception):
    """A replay or an export can't go on; the message is for the operator."""


class FileRefusedError(ReplayError):
    """A file can't be read or written, or its format is wrong."""


class UnsortedLogError(ReplayError):
    """A log isn't in order of time."""


class DatabaseError(ReplayError):
    """Postgres isn't available, or refuses."""


class NoFactsError(ReplayError):
    """The tracker has kept no facts."""


class UnreadableLineError(ValueError):
    """A line can't be read. The message names the field but not its value, which may be a key."""
