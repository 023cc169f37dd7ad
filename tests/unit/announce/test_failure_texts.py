"""Texts are an API: clients and automation act on words in them."""

import pytest

from etracker_announce.domain.errors import Reason
from etracker_announce.frontends.http.failures import (
    MAX_TEXT_BYTES,
    TEXTS,
    forbidden_words,
    one_line,
    text_of,
)
from etracker_announce.settings import MAX_HOSTNAME_BYTES

MEANT = {Reason.UNREGISTERED_TORRENT: ["unregistered"]}


@pytest.mark.promise(19)
@pytest.mark.parametrize("reason", Reason)
def test_no_text_says_what_clients_act_upon_unless_it_is_meant(reason: Reason) -> None:
    assert forbidden_words(text_of(reason, "tracker.example").decode()) == MEANT.get(reason, [])


@pytest.mark.promise(12)
@pytest.mark.parametrize("reason", Reason)
def test_every_text_is_one_short_line_of_ascii(reason: Reason) -> None:
    text = text_of(reason, "h" * MAX_HOSTNAME_BYTES)
    assert text.isascii()
    assert text.decode().isprintable()
    assert len(text) <= MAX_TEXT_BYTES


@pytest.mark.promise(19, 20)
def test_the_two_texts_that_others_rely_on() -> None:
    assert text_of(Reason.INVALID_KEY, "t.example") == b"Invalid announce key, get a new one at t.example"
    assert text_of(Reason.UNREGISTERED_TORRENT, "") == b"Unregistered torrent"
    assert text_of(Reason.TOO_LONG, "") == b"GET string too long"
    assert set(TEXTS) | {Reason.INVALID_KEY} == set(Reason)


@pytest.mark.promise(19)
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Torrent not found", ["not found"]),
        ("UNREGISTERED TORRENT", ["unregistered"]),
        ("This torrent has been deleted", ["deleted"]),
        ("Dupe of another, retitled", ["dupe", "retitled"]),
        ("Tracker is down for maintenance", ["down", "maintenance"]),
        ("You are not authorized", ["not authorized"]),
        ("Downtown.Trumpet", ["trump", "down"]),
        ("The tracker is just starting, try again soon", []),
    ],
)
def test_words_on_which_clients_act_are_found_wherever_they_stand(text: str, words: list[str]) -> None:
    assert forbidden_words(text) == words


@pytest.mark.promise(12)
def test_a_notice_is_cut_to_one_short_line() -> None:
    assert one_line("Hello\r\n  w\u00f6rld\x00") == b"Hello w?rld"
    assert len(one_line("x" * 300)) == MAX_TEXT_BYTES
