"""Recovery codes: whatever is typed wrong, once, is told from a code that doesn't exist."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from etracker_admin_api.errors import MistypedCodeError
from etracker_admin_api.keys.recovery_codes import ALPHABET, LENGTH, format_code, hash_code, new_recovery_code

codes = st.text(ALPHABET, min_size=LENGTH, max_size=LENGTH).map(format_code)
places = st.integers(0, LENGTH)


def plain(code: str) -> list[str]:
    return list(code.replace("-", ""))


def test_a_code_is_five_groups_of_five_without_look_alikes() -> None:
    code = new_recovery_code()
    assert [len(group) for group in code.split("-")] == [5] * 5
    assert not set(code) & set("ILOU")
    assert new_recovery_code() != code


@given(codes, st.data())
def test_a_code_may_be_typed_in_any_way(code: str, data: st.DataObject) -> None:
    typed = "".join(
        data.draw(st.sampled_from([one, one.lower()])) + data.draw(st.sampled_from(["", " "])) for one in code
    )
    assert hash_code(typed) == hash_code(code)
    assert hash_code(code.replace("0", "O").replace("1", "l")) == hash_code(code)


@given(codes, places, st.sampled_from(ALPHABET))
def test_one_wrong_character_is_noticed(code: str, place: int, wrong: str) -> None:
    characters = plain(code)
    assume(characters[place] != wrong)
    characters[place] = wrong
    with pytest.raises(MistypedCodeError):
        hash_code("".join(characters))


@given(codes, places, places)
def test_two_characters_that_changed_places_are_noticed(code: str, one: int, other: int) -> None:
    characters = plain(code)
    assume(characters[one] != characters[other])
    characters[one], characters[other] = characters[other], characters[one]
    with pytest.raises(MistypedCodeError):
        hash_code("".join(characters))


@given(st.text())
def test_nothing_else_is_a_code(typed: str) -> None:
    with pytest.raises(MistypedCodeError, match=r"\.$"):
        hash_code(typed)
