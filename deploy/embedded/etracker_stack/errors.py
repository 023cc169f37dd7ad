"""The errors of the stack, each with a message of one sentence.

StackError                 the message is the sentence that the console shows
├── ProgramMissingError    a program that the stack starts isn't installed
├── UnreachableError       Postgres' account can't reach its files
├── DataDirectoryError     the data directory is in use, broken, full or of another version
└── ChildError             a child didn't start, or crashed again and again
"""


class StackError(Exception):
    """The stack can't start or continue; the message is one sentence for the person who runs it."""


class ProgramMissingError(StackError):
    """A program that the stack needs isn't installed; the message says which."""


class UnreachableError(StackError):
    """The account that a child runs under can't reach a path; the message names it."""


class DataDirectoryError(StackError):
    """The data directory can't be used; the message says why and what to do."""


class ChildError(StackError):
    """A child didn't start, or crashed too often; the message names its log."""
