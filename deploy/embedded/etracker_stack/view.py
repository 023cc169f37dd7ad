"""Shows an unprivileged child the paths it needs in directories that only root may enter, and nothing else.

The child gets a separate mount namespace. An empty filesystem covers each closed directory, and the
needed paths are mounted in their places on top of it. Nothing changes for other processes, and the child
needs no capability.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from etracker_stack.linux import CLONE_NEWNS, MS_BIND, MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_REC, MS_SLAVE, Libc


def closed_directory(path: Path) -> Path | None:
    """Return the outermost directory above ``path`` that others may not enter."""
    return next((parent for parent in reversed(path.resolve().parents) if not parent.stat().st_mode & 0o001), None)


def enter_view(paths: Iterable[Path], libc: Libc) -> None:
    """Move this process into a mount namespace in which every user can reach these resolved paths.

    Raises:
        OSError: we may not mount here.
    """
    closed = {path: directory for path in paths if (directory := closed_directory(path))}
    libc.unshare(CLONE_NEWNS)
    libc.mount("none", "/", "", MS_REC | MS_SLAVE)
    opened = {path: os.open(path, os.O_PATH | os.O_CLOEXEC) for path in closed}
    for directory in set(closed.values()):
        libc.mount("tmpfs", str(directory), "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=711,size=1m")
    for path, handle in opened.items():
        _make_place(path, like=handle)
        libc.mount(f"/proc/self/fd/{handle}", str(path), "", MS_BIND | MS_REC)
        os.close(handle)


def _make_place(path: Path, like: int) -> None:
    """Create an empty file or directory to mount on, and its parent directories."""
    for parent in reversed(path.parents):
        if not parent.exists():
            parent.mkdir()
            parent.chmod(0o711)  # whatever the umask
    if os.path.isdir(f"/proc/self/fd/{like}"):  # noqa: PTH112 - pathlib would resolve the link to a covered path
        path.mkdir(exist_ok=True)
    else:
        path.touch()
