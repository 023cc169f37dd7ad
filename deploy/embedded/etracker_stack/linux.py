"""Linux system calls for which Python 3.11 has no function."""

import ctypes
import os

PR_SET_PDEATHSIG = 1
PR_SET_SECUREBITS = 28
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
SECBIT_NO_SETUID_FIXUP = 1 << 2

CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2

CLONE_NEWNS = 0x20000
MS_NOSUID, MS_NODEV, MS_NOEXEC = 0x2, 0x4, 0x8
MS_BIND, MS_REC, MS_SLAVE = 0x1000, 0x4000, 0x80000

_CAPABILITY_VERSION_3 = 0x20080522


class Libc:
    """System calls in a forked child; the object is created before the fork. Each call raises OSError if it fails."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)

    def prctl(self, option: int, *arguments: int) -> None:
        """Change something about this process; missing arguments are 0."""
        padded = (*arguments, 0, 0, 0, 0)[:4]
        self._check(self._libc.prctl(option, *map(ctypes.c_ulong, padded)))

    def keep_capability(self, capability: int) -> None:
        """Give up every capability but this one, and keep it when another program is executed."""
        mask = 1 << capability
        header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
        sets = (ctypes.c_uint32 * 6)(mask, mask, mask)  # effective, permitted, inheritable; the upper halves are 0
        self._check(self._libc.capset(header, sets))
        self.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability)

    def unshare(self, flags: int) -> None:
        """Move to new namespaces."""
        self._check(self._libc.unshare(flags))

    def mount(self, source: str, target: str, kind: str, flags: int, options: str = "") -> None:
        """Mount a filesystem, or change a mount."""
        texts = [os.fsencode(text) for text in (source, target, kind)]
        self._check(self._libc.mount(*texts, ctypes.c_ulong(flags), os.fsencode(options)))

    def _check(self, result: int) -> None:
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
