"""The account that a child runs under, and how a child ends when we die.

Postgres refuses to run as root. When we are root, it runs as ``nobody``. This account may not be allowed to enter the
directories of the programs and the data, for example in a checkout under ``/root``. The child then gets a view of its
own with just these paths (``view.py``). Where we may not mount, as in most containers, it keeps one capability
instead, with which it can pass through any directory.
"""

import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from etracker_stack.errors import UnreachableError
from etracker_stack.linux import (
    CAP_DAC_OVERRIDE,
    CAP_DAC_READ_SEARCH,
    PR_SET_PDEATHSIG,
    PR_SET_SECUREBITS,
    SECBIT_NO_SETUID_FIXUP,
    Libc,
)
from etracker_stack.view import closed_directory, enter_view

UNPRIVILEGED_ACCOUNT = "nobody"


@dataclass(frozen=True)
class Account:
    """An account to run a child under.

    ``view``: the paths in closed directories that it sees. ``capability``: the number of the capability that it keeps.
    """

    uid: int
    gid: int
    view: tuple[Path, ...] = ()
    capability: int | None = None


def postgres_account() -> Account | None:
    """Return the account that owns Postgres' files; None means our own."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam(UNPRIVILEGED_ACCOUNT)
    return Account(entry.pw_uid, entry.pw_gid)


def reaching(account: Account | None, *paths: Path) -> Account | None:
    """Return the account with the means to reach these paths, which must be resolved and exist.

    Raises:
        UnreachableError: neither a view nor a capability works here.
    """
    if account is None:
        return None
    for candidate in _candidates(account, paths):
        if _reaches(candidate, paths):
            return candidate
    raise UnreachableError(_complaint(account, paths))


def prepare_child(death_signal: signal.Signals, account: Account | None = None) -> Callable[[], None]:
    """Return what a child does between fork and exec: change to the account, and arrange to die when we die."""
    libc = Libc() if sys.platform == "linux" else None
    parent = os.getpid()

    def prepare() -> None:
        if account is not None:
            _become(account, libc)
        if libc is not None:
            libc.prctl(PR_SET_PDEATHSIG, int(death_signal))
            if os.getppid() != parent:  # our parent died before the line above
                os._exit(1)

    return prepare


def _candidates(account: Account, paths: tuple[Path, ...]) -> Iterator[Account]:
    yield account
    if sys.platform == "linux":
        yield replace(account, view=paths)
        yield replace(account, capability=CAP_DAC_READ_SEARCH)
        yield replace(account, capability=CAP_DAC_OVERRIDE)


def _reaches(account: Account, paths: tuple[Path, ...]) -> bool:
    """Try to reach them: there is no other way to find out what a container or a security module forbids."""
    become = prepare_child(signal.SIGKILL, account)

    def check() -> None:
        become()
        if not all(os.access(path, os.R_OK) for path in paths):
            raise PermissionError

    try:
        subprocess.run(["/bin/sh", "-c", ":"], preexec_fn=check, cwd="/", check=True)
    except (subprocess.SubprocessError, OSError):
        return False
    return True


def _become(account: Account, libc: Libc | None) -> None:
    os.chdir("/")  # the current directory may be inside a closed one
    if libc is not None and account.view:
        enter_view(account.view, libc)
    if libc is not None and account.capability is not None:
        # Keep capabilities when the account changes, and make access(2), which initdb calls, respect them.
        libc.prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP)
    os.setgroups([])
    os.setgid(account.gid)
    os.setuid(account.uid)
    if libc is not None and account.capability is not None:
        libc.keep_capability(account.capability)


def _complaint(account: Account, paths: tuple[Path, ...]) -> str:
    closed = next((directory for path in paths if (directory := closed_directory(path))), None)
    if closed is None or not _reaches(account, ()):
        return (
            f"Postgres doesn't run as root, and the account {UNPRIVILEGED_ACCOUNT} can't be used here: "
            "run etracker as an ordinary user."
        )
    return (
        f"Postgres doesn't run as root, and the account {UNPRIVILEGED_ACCOUNT} may not enter {closed}: run etracker "
        "as an ordinary user, or move its directory and ETRACKER_DATA_DIR to a place that everybody may enter."
    )
