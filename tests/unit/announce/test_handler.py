"""What the HTTP front end makes of the tracker's values, and of requests that it can't parse."""

import pytest
from structlog.testing import capture_logs

from etracker_announce.domain.errors import Reason
from tests.support.announce import query
from tests.support.announce_ports import HASH, KEY, PEER, Scripted, ask

INVALID_KEY = b"Invalid announce key, get a new one at localhost"
ANNOUNCE = query(HASH, PEER)


@pytest.mark.promise(9, 13, 19)
@pytest.mark.parametrize(
    ("path", "failure"),
    [
        (f"/{KEY.decode()}/announce", b"This is a BitTorrent tracker"),
        (f"/{KEY.decode()}/announce?port=x&{ANNOUNCE}", b"port must be a number"),
        (f"/{KEY.decode()}/scrape", b"A scrape must name its torrents"),
        ("/bad%20key/announce", INVALID_KEY),
        ("/bad%20key/scrape", INVALID_KEY),
        ("//bad%20key//announce/?" + ANNOUNCE, INVALID_KEY),
    ],
)
async def test_a_request_that_cant_be_parsed_gets_the_text_of_its_reason(path: str, failure: bytes) -> None:
    """An invalid key is the first thing to say."""
    answer = await ask(Scripted(), path)
    assert answer.get(b"failure reason", b"").startswith(failure)
    assert answer[b"min interval"] <= answer[b"interval"]
    assert 1620 <= answer[b"interval"] <= 1980


@pytest.mark.promise(13)
async def test_a_temporary_refusal_has_a_text_and_a_short_interval() -> None:
    scripted = Scripted(secret=None)
    answer = await ask(scripted, f"/{KEY.decode()}/announce?{ANNOUNCE}")
    assert answer[b"failure reason"] == b"The tracker is just starting, try again soon"
    assert 270 <= answer[b"interval"] <= 330
    assert scripted.count("answers_total", kind="announce", answer=Reason.STARTING) == 1


@pytest.mark.promise(25)
async def test_a_bug_of_the_front_end_is_an_internal_error_too() -> None:
    scripted = Scripted()
    scripted.allowlist.torrent = scripted.allowlist.torrent._replace(snatches="not a number")  # type: ignore[arg-type]
    with capture_logs() as logs:
        answer = await ask(scripted, f"/{KEY.decode()}/announce?{ANNOUNCE}")
    assert answer[b"failure reason"] == b"Internal error of the tracker, try again later"
    assert [entry["event"] for entry in logs] == ["internal_error"]
    assert KEY.decode() not in str(logs[0]["kind"])


@pytest.mark.promise(21)
async def test_a_trusted_proxy_says_whose_announce_it_is() -> None:
    scripted = Scripted()
    answer = await ask(scripted, f"/{KEY.decode()}/announce?{ANNOUNCE}", "198.51.100.7")
    assert answer[b"external ip"] == bytes([198, 51, 100, 7])
    assert scripted.swarms.steps[0][0].endpoint[:4] == bytes([198, 51, 100, 7])
