"""Block lists: the tokens that lead to them, the log behind them, and whom a verdict concerns."""

from hypothesis import given
from hypothesis import strategies as st

from etracker_shared.agreements.block_lists import (
    HANDED_SECONDS,
    TOKEN_CHARACTERS,
    Handed,
    accused_prefixes,
    make_token,
    name_session,
    pack_handed,
    parse_token,
    unpack_handed,
)

SECRET, OTHER_SECRET = b"s" * 32, b"t" * 32
NOW = 1_800_000_000
IDENTITIES = st.binary(min_size=8, max_size=8)
ENDPOINTS4, ENDPOINTS6 = st.binary(min_size=6, max_size=6), st.binary(min_size=18, max_size=18)
HOME, CAFE, OFFICE, TRAIN = (b"\x04" + bytes([number]) * 6 for number in range(4))


@given(IDENTITIES)
def test_a_token_leads_to_its_recipient_in_upper_and_lower_case(recipient: bytes) -> None:
    token = make_token(SECRET, recipient)
    assert len(token) == TOKEN_CHARACTERS
    assert parse_token(SECRET, token) == parse_token(SECRET, token.upper()) == recipient


@given(IDENTITIES, st.integers(0, TOKEN_CHARACTERS - 1), st.sampled_from("0z-aé"))
def test_a_changed_token_leads_nowhere(recipient: bytes, place: int, character: str) -> None:
    token = make_token(SECRET, recipient)
    changed = token[:place] + character + token[place + 1 :]
    assert parse_token(SECRET, changed) is None or changed == token
    assert parse_token(OTHER_SECRET, token) is None
    assert parse_token(SECRET, token[:-1]) is None


@given(st.text())
def test_any_text_can_be_parsed_as_a_token(text: str) -> None:
    assert parse_token(SECRET, text) is None


@given(IDENTITIES, IDENTITIES, ENDPOINTS4, ENDPOINTS6)
def test_what_was_handed_out_is_read_back_for_a_day(
    session: bytes, identity: bytes, endpoint4: bytes, endpoint6: bytes
) -> None:
    for endpoints in ((endpoint4,), (endpoint6,), (endpoint4, endpoint6)):
        fields = {session + identity: pack_handed(endpoints, NOW), session + identity + b"w": b"1234", b"n": b"12345"}
        read = list(unpack_handed(fields, NOW + HANDED_SECONDS - 1))
        assert read == [Handed(session, identity, endpoints, NOW)]
        assert list(unpack_handed(fields, NOW + HANDED_SECONDS)) == []


@given(st.dictionaries(st.binary(max_size=20), st.binary(max_size=30)))
def test_anything_may_be_in_the_hash(fields: dict[bytes, bytes]) -> None:
    assert all(len(handed.identity) == 8 for handed in unpack_handed(fields, NOW))


def test_the_same_client_is_another_session_in_another_torrent_and_deployment() -> None:
    key_hash, peer_id = b"k" * 16, b"p" * 20
    names = {
        name_session(secret, key_hash, info_hash, peer_id)
        for secret in (SECRET, OTHER_SECRET)
        for info_hash in (b"a" * 20, b"b" * 20)
    }
    assert len(names) == 4


def test_a_verdict_concerns_the_fewest_prefixes_that_gave_most_of_the_points() -> None:
    assert accused_prefixes({HOME: 10.0, CAFE: 90.0}) == {CAFE}
    assert accused_prefixes({HOME: 50.0, CAFE: 50.0}) == {HOME, CAFE}


def test_a_verdict_concerns_all_sessions_if_the_points_came_from_everywhere_or_nobody_knows_where() -> None:
    assert accused_prefixes({}) == frozenset()
    assert accused_prefixes(dict.fromkeys((HOME, CAFE, OFFICE, TRAIN, bytes(7), b"\x06" * 7), 1.0)) == frozenset()
