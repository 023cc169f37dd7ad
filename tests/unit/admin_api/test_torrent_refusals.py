"""The kind: the refusal of a file says what the file is, which part of it is wrong, and what to do."""

import gzip
from typing import Any

import pytest
from fastbencode import bencode

from etracker_admin_api.errors import TorrentError
from etracker_admin_api.torrent_file.parsing import parse_torrent
from tests.support.torrent_files import folder_info, many_info, torrent, v1_info, v2_torrent

TORRENT = torrent(v1_info())
MAGNET = b"magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567&dn=a+film"
PAGE = b"<!DOCTYPE html>\n<html><head><title>Log in</title></head></html>"
CHOOSE, AGAIN = "Choose the .torrent file", "Download the torrent again"

OTHER_FILES = {
    "empty": (b"", "is empty", AGAIN),
    "web page": (PAGE, "web page", "signed in"),
    "web page after blanks": (b"\xef\xbb\xbf\r\n  <HTML lang=en>", "web page", "signed in"),
    "web page after a comment": (b"<!-- nginx --><html>", "web page", "signed in"),
    "XML": (b'<?xml version="1.0"?><error/>', "XML", AGAIN),
    "JSON": (b'{"error": "not found"}', "JSON", AGAIN),
    "magnet link": (MAGNET, "magnet link", "the client saves"),
    "magnet link in a text file": (b"\xef\xbb\xbf" + MAGNET + b"\r\n", "magnet link", "the client saves"),
    "address": (b"https://site.test/a.torrent\n", "web address", "Download what is at that address"),
    "infohash": (b"0123456789abcdef0123456789abcdef01234567\n", "infohash", "add the infohash alone"),
    "zip": (b"PK\x03\x04" + bytes(100), "archive", "Unpack it"),
    "rar": (b"Rar!\x1a\x07\x01\x00", "archive", "Unpack it"),
    "compressed torrent": (gzip.compress(TORRENT), "compressed", "Unpack it"),
    "Matroska": (b"\x1a\x45\xdf\xa3" + bytes(100), "a video", CHOOSE),
    "MP4": (b"\0\0\0\x20ftypisom", "a video", CHOOSE),
    "AVI": (b"RIFF\0\0\0\0AVI LIST", "a video", CHOOSE),
    "MPEG transport stream": ((b"G" + bytes(187)) * 4, "a video", CHOOSE),
    "MP3": (b"ID3\x04\0", "a sound file", CHOOSE),
    "FLAC": (b"fLaC\0", "a sound file", CHOOSE),
    "picture": (b"\x89PNG\r\n\x1a\n", "a picture", CHOOSE),
    "PDF": (b"%PDF-1.7", "a PDF document", CHOOSE),
    "program": (b"MZ\x90\0", "a program", CHOOSE),
    "disc image": (bytes(32769) + b"CD001", "a disc image", CHOOSE),
    "zeros": (bytes(5000), "only zero bytes", AGAIN),
    "saved as text": (b"\xef\xbb\xbf" + TORRENT, "byte order mark", AGAIN),
    "a list": (b"li1ee", "doesn't begin with a dictionary", AGAIN),
    "text": (b"Dear operator,", "isn't a torrent", "Choose a file"),
    "no info": (bencode({b"announce": b"http://x.test/"}), 'no key "info"', CHOOSE),
    "a client's magnet link": (bencode({b"magnet-uri": MAGNET}), "magnet link", "save it again"),
    "a client's progress": (bencode({b"file-format": b"libtorrent resume file"}), "progress", "save the .torrent file"),
    "cut short": (TORRENT[:-20], f"incomplete: it ends after {len(TORRENT) - 20} bytes", "Download it again"),
    "cut short in a number": (b"d4:infod6:lengthi12", "incomplete", "Download it again"),
    "damaged": (b"d4:infod4:name3:abc6:lengthxxx", "malformed at byte 27", "Download it again"),
}


@pytest.mark.parametrize(("data", "fact", "advice"), OTHER_FILES.values(), ids=OTHER_FILES)
def test_the_refusal_of_a_file_that_is_no_torrent_says_what_it_is_and_what_to_do(
    data: bytes, fact: str, advice: str
) -> None:
    sentence = refusal(data)
    assert fact in sentence
    assert advice in sentence


LONG = b"x" * 300
MANY = [([b"folder", b"file %d" % at], 1) for at in range(20_000)]
FILES = MANY[:20]
A = {b"length": 5, b"path": [b"a"]}


def layers_gone() -> dict[bytes, Any]:
    made = v2_torrent({b"a": b"a", b"long": b"l" * 100_000})
    return {**made, b"piece layers": {}}


@pytest.mark.parametrize(
    ("made", "names"),
    [
        ({b"info": folder_info(*MANY, ([b"folder", LONG], 1))}, ['"folder/xxxx', '"path"', "longer than 255 letters"]),
        (
            {b"info": folder_info(*FILES, ([b"folder", b"a\nb"], 1))},
            ['"folder/a\\u000ab"', '"path"', "control characters"],
        ),
        ({b"info": folder_info(*FILES, FILES[7])}, ['"folder/file 7"']),
        ({b"info": folder_info(*FILES, ([b"folder"], 1))}, ['"folder" is both']),
        ({b"info": folder_info(*FILES, (FILES[5][0], -1))}, ['"folder/file 5"', '"length"', "negative"]),
        ({b"info": many_info(A, {b"length": 5})}, ['File 2 in the key "files"', "no path"]),
        ({b"info": many_info(A, {b"path": [b"b"]})}, ['"length" of "b" is missing']),
        ({b"info": many_info(A, {b"path": [b"b"], b"length": b"5"}, pieces=b"")}, ['"length" of "b" isn\'t a number']),
        ({b"info": many_info(A, {b"path": [b"b"], b"length": 5, b"attr": 1}, pieces=b"")}, ['"attr" of "b"']),
        (
            {b"info": many_info(A, {b"path": [b"b"], b"attr": b"l", b"symlink path": [b".."]})},
            ['"symlink path" of "b"'],
        ),
        ({b"info": v1_info(name="gpj.\u202eexe".encode())}, ['"gpj.\\u202eexe"', '"name"', "reorder text"]),
        ({b"info": v1_info(**{"name.utf-8": b"../a"})}, ['"../a"', '"name.utf-8"', "outside"]),
        ({b"info": v1_info(pieces=bytes(100))}, ['"pieces" has 100 bytes', "100000 bytes need 80"]),
        (v2_torrent({b"a": b"a"}, {b"b": {b"length": 5}}), ['"pieces root" of "b"']),
        (v2_torrent({b"a": b"a", b"..": b"b"}), ['".."', '"file tree"']),
        (layers_gone(), ['"piece layers" of "long" lacks']),
    ],
    ids=lambda made: made[0] if isinstance(made, list) else "",
)
def test_a_refusal_names_the_file_and_the_key(made: dict[bytes, Any], names: list[str]) -> None:
    sentence = refusal(bencode(made))
    assert [name for name in names if name not in sentence] == []
    assert "reate the torrent again" in sentence


def refusal(data: bytes) -> str:
    with pytest.raises(TorrentError) as raised:
        parse_torrent(data)
    sentence = str(raised.value)
    assert sentence.isprintable()
    assert sentence.endswith(".")
    assert len(sentence) < 500
    return sentence
