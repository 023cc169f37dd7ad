"""PROTOCOL 19: texts are an API."""

import pytest

from etracker_announce.domain.errors import Reason
from etracker_announce.frontends.http.failures import (
    FORBIDDEN,
    MAX_TEXT_BYTES,
    TEXTS,
    forbidden_words,
    one_line,
    text_of,
)
from etracker_announce.settings import MAX_HOSTNAME_BYTES

MEANT = {Reason.UNREGISTERED_TORRENT: ["unregistered"]}


@pytest.mark.parametrize("reason", Reason)
def test_no_text_says_what_clients_act_upon_unless_it_is_meant(reason: Reason) -> None:
    """PROTOCOL 19."""
    assert forbidden_words(text_of(reason, "tracker.example").decode()) == MEANT.get(reason, [])


@pytest.mark.parametrize("reason", Reason)
def test_every_text_is_one_short_line_of_ascii(reason: Reason) -> None:
    """PROTOCOL 12."""
    text = text_of(reason, "h" * MAX_HOSTNAME_BYTES)
    assert text.isascii()
    assert text.decode().isprintable()
    assert len(text) <= MAX_TEXT_BYTES


def test_the_two_texts_that_others_rely_on() -> None:
    """PROTOCOL 19 and 20."""
    assert text_of(Reason.INVALID_KEY, "t.example") == b"Invalid announce key, get a new one at t.example"
    assert text_of(Reason.UNREGISTERED_TORRENT, "") == b"Unregistered torrent"
    assert text_of(Reason.TOO_LONG, "") == b"GET string too long"
    assert set(TEXTS) | {Reason.INVALID_KEY} == set(Reason)


def test_the_words_to_avoid_are_those_of_the_protocol_notes() -> None:
    """PROTOCOL 19."""
    assert len(FORBIDDEN) == 23
    assert forbidden_words("Downtown.Trumpet") == ["trump", "down"]


def test_a_notice_is_cut_to_one_short_line() -> None:
    """PROTOCOL 12."""
    assert one_line("Hello\r\n  w\u00f6rld\x00") == b"Hello w?rld"
    assert len(one_line("x" * 300)) == MAX_TEXT_BYTES
