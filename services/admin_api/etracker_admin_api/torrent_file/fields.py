"""Fields of bencoded dictionaries, read as the type they must have.

``of`` is the path of the file that the dictionary describes. Without a path, the dictionary is the info dictionary or
the torrent itself.
"""

from collections.abc import Sequence
from typing import NoReturn

from etracker_admin_api.errors import TorrentError, UnfitPartError
from etracker_admin_api.torrent_file.bencoding import Dictionary
from etracker_admin_api.torrent_file.names import parse_part, quote, quote_path

Path = tuple[str, ...]

MAX_FILE_BYTES = (2**30 - 1) * 16 * 1024 - 1
"""libtorrent opens no torrent with a larger file."""
MAX_TOTAL_BYTES = 2**48 - 1
MAX_FILES = 100_000
MAX_PATH_DEPTH = 64
_RENAME = "Rename it, and create the torrent again."
CREATE_AGAIN = "Create the torrent again, with another program if this one made it so."


def refuse(key: str, fact: str, of: Path = ()) -> NoReturn:
    """Refuse the torrent because of one key.

    Raises:
        TorrentError: always.
    """
    owner = f" of {quote_path(of)}" if of else ""
    raise TorrentError(f'The key "{key}"{owner} {fact}. {CREATE_AGAIN}')


def dictionary(holder: Dictionary, key: str, of: Path = ()) -> Dictionary:
    """Return a dictionary.

    Raises:
        TorrentError: it's missing, or isn't a dictionary.
    """
    value = holder.get(key.encode())
    if not isinstance(value, dict):
        refuse(key, "is missing" if value is None else "isn't a dictionary", of)
    return value


def string(holder: Dictionary, key: str, of: Path = ()) -> bytes:
    """Return a byte string.

    Raises:
        TorrentError: it's missing, or isn't a string.
    """
    value = holder.get(key.encode())
    if not isinstance(value, bytes):
        refuse(key, "is missing" if value is None else "isn't a string", of)
    return value


def number(holder: Dictionary, key: str, of: Path = ()) -> int:
    """Return an integer.

    Raises:
        TorrentError: it's missing, or isn't an integer.
    """
    value = holder.get(key.encode())
    if not isinstance(value, int):
        refuse(key, "is missing" if value is None else "isn't a number", of)
    return value


def length(holder: Dictionary, of: Path) -> int:
    """Return the number of bytes of a file.

    Raises:
        TorrentError: it's missing, or isn't a length that a file can have.
    """
    value = number(holder, "length", of)
    if value < 0:
        refuse("length", "is negative", of)
    if value > MAX_FILE_BYTES:
        raise TorrentError(f"The file {quote_path(of)} is larger than the 16 TiB that clients take. Split it.")
    return value


def attributes(holder: Dictionary, of: Path) -> bytes:
    """Return the letters of ``attr``. Source: BEP 47.

    Raises:
        TorrentError: it isn't a string.
    """
    return string(holder, "attr", of) if b"attr" in holder else b""


def name(info: Dictionary) -> str:
    """Return the torrent's name as clients show it: ``name.utf-8`` takes precedence over ``name``.

    Raises:
        TorrentError: there is none, or one of them isn't accepted.
    """
    names = [_name(info, key) for key in ("name.utf-8", "name") if key.encode() in info]
    if not names:
        refuse("name", "is missing")
    return names[0]


def path(holder: Dictionary, number_in_list: int) -> Path:
    """Return a file's path as clients show it: ``path.utf-8`` takes precedence over ``path``.

    Raises:
        TorrentError: there is none, or one of them isn't accepted.
    """
    paths = [parts(holder[key], key.decode()) for key in (b"path.utf-8", b"path") if key in holder]
    if not paths:
        raise TorrentError(f'File {number_in_list} in the key "files" has no path. {CREATE_AGAIN}')
    return paths[0]


def parts(value: object, key: str, of: Path = ()) -> Path:
    """Return a relative path.

    Raises:
        TorrentError: it isn't a path, or one of its parts isn't accepted.
    """
    if not isinstance(value, list) or not value:
        refuse(key, "isn't a list" if not isinstance(value, list) else "is empty", of)
    if len(value) > MAX_PATH_DEPTH:
        raise TorrentError(
            f"The path {quote_path(value)} has more than {MAX_PATH_DEPTH} parts. Use fewer levels of folders."
        )
    try:
        return tuple(map(parse_part, value))
    except UnfitPartError as error:
        raise unfit_path(value, key, error, of) from None


def unfit_path(value: Sequence[object], key: str, error: UnfitPartError, of: Path = ()) -> TorrentError:
    """Return the error for a path that isn't accepted."""
    owner = f" of {quote_path(of)}" if of else ""
    return TorrentError(f'The path {quote_path(value)} in the key "{key}"{owner} has a part that {error}. {_RENAME}')


def _name(info: Dictionary, key: str) -> str:
    value = info[key.encode()]
    try:
        return parse_part(value, may_be_pad=False)
    except UnfitPartError as error:
        given = f" {quote(value)}" if isinstance(value, bytes) and value else ""
        raise TorrentError(f'The torrent\'s name{given} in the key "{key}" {error}. {_RENAME}') from None
