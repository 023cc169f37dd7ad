"""The address in the announce URL that ``make run`` prints."""

from typing import Any

import pytest

from etracker_stack.services import announce_address
from etracker_stack.settings import StackSettings


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        ({}, "http://localhost:3001"),
        ({"announce_port": 4001}, "http://localhost:4001"),
        ({"announce_port": 0}, "http://localhost:3000"),
        ({"announce_urls": "gateway"}, "http://localhost:3000"),
        ({"frontend_hostname": "tracker.lan"}, "http://tracker.lan:3001"),
        ({"frontend_hostname": "http://tracker.example.org"}, "http://tracker.example.org:3001"),
        ({"frontend_hostname": "tracker.example.org"}, "https://tracker.example.org"),
    ],
)
def test_the_printed_announce_url_names_the_public_port_on_plain_http(settings: dict[str, Any], address: str) -> None:
    assert announce_address(StackSettings.model_validate(settings)) == address
