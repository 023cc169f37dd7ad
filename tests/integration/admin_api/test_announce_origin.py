"""Announce URLs lead to the port that the operator chose."""

import pytest

from etracker_admin_api.settings import AdminSettings
from etracker_shared.plumbing.settings import AnnounceUrls
from tests.support.admin_api import serving


@pytest.mark.parametrize(
    ("urls", "origin"),
    [(AnnounceUrls.DIRECT, "http://tracker.test:3001"), (AnnounceUrls.GATEWAY, "http://tracker.test:3000")],
)
async def test_new_keys_and_pages_name_the_same_port(
    admin_settings: AdminSettings, urls: AnnounceUrls, origin: str
) -> None:
    settings, headers = admin_settings.model_copy(update={"announce_urls": urls}), {"Host": "tracker.test:3000"}
    async with serving(settings) as client:
        new = (await client.post("/api/v1/keys", headers=headers)).json()
        assert new["announce_url"] == f"{origin}/{new['announce_key']}/announce"
        assert (await client.get("/api/v1/announce_origin", headers=headers)).json() == {"announce_origin": origin}
