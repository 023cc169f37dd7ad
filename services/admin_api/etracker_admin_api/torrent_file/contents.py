"""Recognises files that were mistaken for torrents, so that a refusal can say what to do instead."""

import re

_CHOOSE = "Choose the .torrent file, which describes it and is small."
_AGAIN = "Download the torrent again"

_KINDS = tuple(
    (re.compile(pattern, re.DOTALL | re.IGNORECASE), sentence)
    for pattern, sentence in (
        (rb"\Z", f"The file is empty. {_AGAIN}, and wait until the download has finished."),
        (
            rb"(?:\xef\xbb\xbf\s*|\s+)d[0-9]+:",
            f"The torrent has a byte order mark or blanks before its beginning: it was saved as text. {_AGAIN}.",
        ),
        (
            rb"(?:\xef\xbb\xbf)?\s*magnet:",
            (
                "The file contains a magnet link, not a torrent. Open the link in a BitTorrent client, and upload the"
                " torrent that the client saves; or add the infohash alone."
            ),
        ),
        (
            rb"(?:\xef\xbb\xbf)?\s*(?:<!--.{0,4000}?-->\s*)?<(?:!doctype\s+html|html|head|body|title|meta|script)\b",
            (
                "The file is a web page, not a torrent: the site may have wanted you to sign in first."
                f" {_AGAIN} from a browser in which you are signed in."
            ),
        ),
        (rb"(?:\xef\xbb\xbf)?\s*<\?xml\b", f"The file is an XML document, not a torrent. {_AGAIN}."),
        (
            rb"(?:\xef\xbb\xbf)?\s*[{\[]\s*[\"{\[\]}]",
            f"The file is JSON, not a torrent: a site's error, perhaps. {_AGAIN}.",
        ),
        (
            rb"(?:\xef\xbb\xbf)?\s*(?:https?|ftp|udp)://",
            "The file contains a web address, not a torrent. Download what is at that address, and upload that.",
        ),
        (
            rb"\s*(?:[0-9a-f]{40}|[0-9a-f]{64}|[a-z2-7]{32})\s*\Z",
            "The file contains an infohash, not a torrent. Upload the torrent, or add the infohash alone.",
        ),
        (
            rb"\x1f\x8b|PK\x03\x04|Rar!|7z\xbc\xaf|\xfd7zXZ|BZh[1-9]|\x28\xb5\x2f\xfd|.{257}ustar",
            "The file is an archive, or is compressed. Unpack it, and upload the torrent that is in it.",
        ),
        (
            rb"\x1aE\xdf\xa3|.{4}ftyp|RIFF.{4}AVI |\x00\x00\x01[\xb3\xba]|FLV\x01|\x30\x26\xb2\x75|G.{187}G.{187}G",
            f"The file is a video, not a torrent. {_CHOOSE}",
        ),
        (
            rb"ID3|fLaC|OggS|RIFF.{4}WAVE|FORM.{4}AIF|\xff[\xf2\xf3\xfa\xfb]",
            f"The file is a sound file, not a torrent. {_CHOOSE}",
        ),
        (
            rb"\x89PNG|\xff\xd8\xff|GIF8|RIFF.{4}WEBP|BM.{4}\x00\x00\x00\x00",
            f"The file is a picture, not a torrent. {_CHOOSE}",
        ),
        (rb"%PDF-", f"The file is a PDF document, not a torrent. {_CHOOSE}"),
        (rb"MZ|\x7fELF|\xcf\xfa\xed\xfe", f"The file is a program, not a torrent. {_CHOOSE}"),
        (rb".{32769}CD001", f"The file is a disc image, not a torrent. {_CHOOSE}"),
        (rb"\x00+\Z", f"The file contains only zero bytes: it wasn't downloaded completely. {_AGAIN}."),
        (rb"(?:[il]|[0-9]{1,9}:)", f"The file isn't a torrent: it doesn't begin with a dictionary. {_AGAIN}."),
    )
)
_OTHER = (
    "The file isn't a torrent: it contains something else. Choose a file that a BitTorrent client saved as .torrent."
)
"""For every file whose first bytes don't show what it is: a guess would mislead."""


def describe_contents(data: bytes) -> str:
    """Describe a file that doesn't begin like a torrent, and say what to do."""
    return next((sentence for pattern, sentence in _KINDS if pattern.match(data)), _OTHER)


def describe_without_info(keys: frozenset[bytes]) -> str:
    """Describe a bencoded dictionary that has no info dictionary, and say what to do."""
    if keys & {b"magnet-uri", b"magnet-info"}:
        return (
            "The file is a magnet link that a client saved before it had the torrent. Wait until the client has fetched"
            " the torrent, and save it again."
        )
    if b"file-format" in keys or keys & {b"info-hash", b"info-hash2", b"qBt-savePath", b"progress"}:
        return "The file is a client's record of its progress, not a torrent. Have the client save the .torrent file."
    return 'The file isn\'t a torrent: it has no key "info". Choose the .torrent file, or create the torrent again.'
