"""Under which account a child runs, and how it ends when we die.

Postgres refuses to run as root. Started as root we give it the account ``nobody``. When that account
can't reach the program or the data (a checkout under ``/root``), the child keeps one capability that
lets it pass directories, and nothing else of root's power.
"""

import ctypes
import os
import pwd
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from etracker_stack.errors import UnreachableError

UNPRIVILEGED_ACCOUNT = "nobody"

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAPBSET_READ = 23
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_DAC_OVERRIDE = 1
_CAP_DAC_READ_SEARCH = 2


@dataclass(frozen=True)
class Account:
    """An account to run a child under. ``capability`` is the number of the one it keeps."""

    uid: int
    gid: int
    capability: int | None = None


def account_for_postgres(*paths: Path) -> Account | None:
    """Return the account under which Postgres reaches all of ``paths``; None means our own.

    Raises:
        UnreachableError: we are root and can't lend the account the right to pass a directory.
    """
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam(UNPRIVILEGED_ACCOUNT)
    closed = next((path for path in map(_closed_ancestor, paths) if path), None)
    if closed is None:
        return Account(entry.pw_uid, entry.pw_gid)
    for capability in (_CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE):
        if sys.platform == "linux" and _libc().prctl(_PR_CAPBSET_READ, capability, 0, 0, 0) == 1:
            return Account(entry.pw_uid, entry.pw_gid, capability)
    raise UnreachableError(
        f"Postgres doesn't run as root, and the account {UNPRIVILEGED_ACCOUNT} can't pass {closed}: "
        "run etracker as a normal user or from a directory that everybody may pass."
    )


def prepare_child(death_signal: signal.Signals, account: Account | None = None) -> Callable[[], None]:
    """Return what a child does between fork and exec: take the account, and die when we die."""
    libc = _libc() if sys.platform == "linux" else None
    parent = os.getpid()

    def prepare() -> None:
        if account is not None:
            _become(account, libc)
        if libc is not None:
            libc.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
            if os.getppid() != parent:  # we died before the line above
                os._exit(1)

    return prepare


def _become(account: Account, libc: ctypes.CDLL | None) -> None:
    keep = account.capability
    if libc is not None and keep is not None:
        libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(account.gid)
    os.setuid(account.uid)
    if libc is not None and keep is not None:
        mask = 1 << keep
        header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
        sets = (ctypes.c_uint32 * 6)(mask, mask, mask)  # effective, permitted, inheritable; the upper halves are 0
        libc.capset(header, sets)
        libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, keep, 0, 0)


def _closed_ancestor(path: Path) -> Path | None:
    """Return the outermost directory above ``path`` that others may not pass."""
    ancestors = list(path.resolve().parents)
    return next((ancestor for ancestor in reversed(ancestors) if not ancestor.stat().st_mode & 0o001), None)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
