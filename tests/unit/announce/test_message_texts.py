"""What offenders and recipients of wasters are told fits into every client, whatever the host name's length."""

import pytest

from etracker_announce.domain.answers import Message, MessageKind
from etracker_announce.frontends.http.failures import MAX_TEXT_BYTES, forbidden_words
from etracker_announce.frontends.http.messages import text_of_message
from etracker_announce.settings import MAX_HOSTNAME_BYTES
from etracker_shared.agreements.block_lists import make_token

TOKEN = make_token(b"secret", b"somebody")
OVER4 = bytes((203, 0, 113, 7)) + (51413).to_bytes(2, "big")
OVER6 = bytes.fromhex("20010db81111222233334444555566661a0b")
MESSAGES = [
    *(Message(kind) for kind in MessageKind if kind is not MessageKind.BLOCK_PEER),
    Message(MessageKind.BLOCK_PEER, OVER4, TOKEN),
    Message(MessageKind.BLOCK_PEER, OVER6, TOKEN),
]


@pytest.mark.parametrize("message", MESSAGES, ids=str)
@pytest.mark.parametrize("length", [*range(1, MAX_HOSTNAME_BYTES + 1, 7), MAX_HOSTNAME_BYTES])
def test_every_message_is_one_short_line_that_no_tool_acts_upon(message: Message, length: int) -> None:
    text = text_of_message(message, "x" * length).decode("ascii")
    assert text.isprintable()
    assert len(text) <= MAX_TEXT_BYTES
    assert not forbidden_words(text)


def test_the_texts_name_the_peer_the_block_list_and_where_to_appeal() -> None:
    texts = {message: text_of_message(message, "tracker.example").decode() for message in MESSAGES}
    assert texts[MESSAGES[-2]] == (
        f"etracker: block peer 203.0.113.7:51413, it fetches the same data again. tracker.example/b/{TOKEN}"
    )
    assert "[2001:db8:1111:2222:3333:4444:5555:6666]:6667" in texts[MESSAGES[-1]]
    assert texts[MESSAGES[-1]].endswith(f"tracker.example/b/{TOKEN}")
    assert [texts[message] for message in MESSAGES[:-2]] == [
        f"etracker: your client {reason}. Update or replace it, or appeal: tracker.example/standing"
        for reason in (
            "reports traffic that cannot be real",
            "received more than it reports",
            "fetches the same data again and again",
        )
    ]


@pytest.mark.parametrize("host", ["https://tracker.example:8443", "https://tracker.example:8443/"])
def test_the_address_in_a_text_can_be_opened_as_it_is(host: str) -> None:
    for message in MESSAGES:
        url = text_of_message(message, host).decode().rpartition(" ")[2]
        path = f"/b/{TOKEN}" if message.token else "/standing"
        assert url == f"https://tracker.example:8443{path}"
