import base64
import re
from contextlib import suppress
from ipaddress import ip_network
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from etracker_admin_api.errors import InfoHashError, UnfitNameError
from etracker_admin_api.http.announce_urls import announce_origin, announce_url, public_origin
from etracker_admin_api.http.infohashes import parse_info_hash, to_base64
from etracker_admin_api.settings import AdminSettings
from etracker_admin_api.torrent_file.names import check_name
from etracker_admin_api.torrents.files.responses import attachment
from etracker_shared.language.identity import InfoHash


@given(st.binary(min_size=20, max_size=20))
def test_an_infohash_is_read_in_every_common_form(raw: bytes) -> None:
    written = to_base64(InfoHash(raw))
    assert written == base64.b64encode(raw).decode()
    for text in (written, written.rstrip("="), base64.urlsafe_b64encode(raw).decode(), raw.hex(), raw.hex().upper()):
        assert parse_info_hash(f" {text}\n") == raw


@given(st.binary(min_size=32, max_size=32))
def test_a_whole_v2_infohash_is_read_as_it_is_announced(raw: bytes) -> None:
    assert parse_info_hash(raw.hex()) == raw[:20]


@given(st.text())
def test_any_text_is_an_infohash_of_20_bytes_or_a_typed_error(text: str) -> None:
    with suppress(InfoHashError):
        assert len(parse_info_hash(text)) == 20


@given(st.text())
def test_a_name_is_one_storable_line_or_refused(name: str) -> None:
    try:
        checked = check_name(name)
    except UnfitNameError:
        return
    assert len(checked.encode()) <= 1024
    assert "\0" not in checked
    assert len(checked.splitlines()) <= 1


@pytest.mark.parametrize(
    ("setting", "scheme", "host", "origin"),
    [
        ("", "http", "192.0.2.1:3000", "http://192.0.2.1:3000"),
        ("localhost", "http", "192.0.2.1:3000", "http://192.0.2.1:3000"),
        ("", "https", "tracker.test", "https://tracker.test"),
        ("", "http", "[2001:db8::1]:3000", "http://[2001:db8::1]:3000"),
        ("", "http", 'evil"><script>', "http://localhost"),
        ("", "http", "", "http://localhost"),
        ("", "http", "a.test/path", "http://localhost"),
        ("tracker.test", "https", "tracker.test", "https://tracker.test"),
        ("tracker.test", "http", "other.test:3000", "http://tracker.test:3000"),
        ("tracker.test:8080", "http", "other.test:3000", "http://tracker.test:8080"),
        ("https://tracker.test", "http", "127.0.0.1:3000", "https://tracker.test"),
    ],
)
def test_the_announce_url_starts_where_the_caller_reaches_the_tracker(
    setting: str, scheme: str, host: str, origin: str
) -> None:
    assert announce_url(public_origin(setting, scheme, host), "0123") == f"{origin}/0123/announce"


@pytest.mark.parametrize(
    ("origin", "direct"),
    [
        ("http://192.0.2.1:3000", "http://192.0.2.1:3001"),
        ("http://tracker.test", "http://tracker.test:3001"),
        ("http://[2001:db8::1]:3000", "http://[2001:db8::1]:3001"),
        ("https://tracker.test", "https://tracker.test"),
        ("https://tracker.test:8443", "https://tracker.test:8443"),
    ],
)
def test_the_announce_url_names_the_public_port_of_announce_on_plain_http_only(origin: str, direct: str) -> None:
    assert announce_origin(origin, 3001) == direct
    assert announce_origin(origin, None) == origin


@pytest.mark.parametrize(
    ("urls", "port", "named"),
    [("direct", 3001, 3001), ("direct", 3005, 3005), ("gateway", 3001, None), ("direct", 0, None)],
)
def test_operators_choose_the_port_in_announce_urls(urls: str, port: int, named: int | None) -> None:
    settings = AdminSettings.model_validate({"announce_urls": urls, "announce_port": port})
    assert settings.direct_port == named


@pytest.mark.parametrize(
    ("url", "replicas", "observed"),
    [
        ("http://announce_public:8090", 1, {"announce": "http://announce_public:8090"}),
        (
            "http://announce_public:8090",
            2,
            {"announce-1": "http://announce_public:8090", "announce-2": "http://announce_public:8091"},
        ),
        ("http://a:1 http://b:2", 3, {"announce-1": "http://a:1", "announce-2": "http://b:2"}),
    ],
)
def test_every_replica_of_announce_is_observed(url: str, replicas: int, observed: dict[str, str]) -> None:
    settings = AdminSettings.model_validate({"announce_url": url, "announce_replicas": replicas})
    assert {name: at for name, at in settings.services.items() if name.startswith("announce")} == observed


PLAIN = re.compile(r'attachment; filename="([^"]+\.torrent)"; filename\*=UTF-8\'\'([^;"]+\.torrent)')


@given(st.text(max_size=255))
def test_no_file_name_breaks_out_of_its_header_and_each_keeps_its_ending(name: str) -> None:
    try:
        check_name(name)
    except UnfitNameError:
        return
    header = attachment(name)
    header.encode("ascii")
    assert header.isprintable()
    assert PLAIN.fullmatch(header)


@pytest.mark.parametrize(
    ("name", "plain", "full"),
    [
        ("naïve 日", "naive", "naïve 日"),
        ("电影", "download", "电影"),
        ("Фильм", "download", "Фильм"),
        ("فيلم", "download", "فيلم"),
        ("Фильм (2020)", "(2020)", "Фильм (2020)"),
        ("🎬", "download", "🎬"),
        ("", "download", "download"),
        ("...", "download", "..."),
        ("AC/DC", "AC_DC", "AC_DC"),
        ("a\\b", "a_b", "a_b"),
        ("x" * 255, "x" * 100, "x" * 240),
        ("名" * 100, "download", "名" * 80),
    ],
)
def test_the_file_name_of_a_download_is_plain_for_some_programs_and_in_any_script_for_others(
    name: str, plain: str, full: str
) -> None:
    found = PLAIN.fullmatch(attachment(name))
    assert found is not None
    assert (found[1], unquote(found[2])) == (f"{plain}.torrent", f"{full}.torrent")


@pytest.mark.parametrize(
    "wrong",
    [
        {"trusted_proxies": "10.0.0.0/8, somewhere"},
        {"key_limit": "many"},
        {"frontend_hostname": "a b"},
        {"frontend_hostname": "ftp://tracker.test"},
        {"frontend_hostname": "tracker.test/path"},
    ],
)
def test_a_wrong_setting_is_refused_at_start(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        AdminSettings.model_validate(wrong)


def test_trusted_proxies_are_networks() -> None:
    settings = AdminSettings(trusted_proxies="10.0.0.0/8,2001:db8::1")
    assert settings.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("2001:db8::1/128"))
