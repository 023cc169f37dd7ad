"""Every parameter of scores and tiers is a setting, and a bad one is refused at start with a sentence."""

from dataclasses import fields

import pytest

from etracker_scoring.scores.formula import ScoreParameters
from etracker_scoring.settings import ScoreSettings, ScoringSettings, WorkerSettings
from etracker_shared.plumbing.settings import load_settings

ROLES: list[type[ScoreSettings]] = [ScoringSettings, WorkerSettings]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", [parameter.name for parameter in fields(ScoreParameters)])
def test_both_roles_read_every_parameter_from_its_variable(
    role: type[ScoreSettings], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    default = getattr(ScoreParameters(), name)
    if name.endswith("_share"):
        monkeypatch.setenv("ETRACKER_SCORE_RECENT_SHARE", "0.3")
        monkeypatch.setenv("ETRACKER_SCORE_AVERAGE_SHARE", "0.2")
        monkeypatch.setenv("ETRACKER_SCORE_LENGTH_SHARE", "0.5")
    else:
        monkeypatch.setenv(f"ETRACKER_SCORE_{name.upper()}", str(type(default)(default + 1) if default > 1 else 0.75))
    assert getattr(load_settings(role).score, name) != default


@pytest.mark.parametrize(
    ("assignment", "sentence"),
    [
        ("RECENT_HALF_LIFE_DAYS=0", "recent_half_life_days must be more than 0"),
        ("STRONG_SCORE=70", "steady_score, strong_score and long_term_score must rise"),
        ("RECENT_SHARE=0.9", "recent_share, average_share and length_share must add up to 1"),
        (
            "RECENT_HALFLIFE=3",
            "there is no ETRACKER_SCORE_RECENT_HALFLIFE, the nearest is ETRACKER_SCORE_RECENT_HALF_LIFE_DAYS.",
        ),
        ("QQ=3", "there is no ETRACKER_SCORE_QQ, the nearest is ETRACKER_SCORE_"),
        ("DEBT_HOURS=a day", "ETRACKER_SCORE_DEBT_HOURS is wrong: Input should be a valid number"),
    ],
)
@pytest.mark.parametrize("role", ROLES)
def test_a_bad_parameter_is_refused_at_start_with_a_sentence(
    role: type[ScoreSettings],
    assignment: str,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(f"ETRACKER_SCORE_{assignment.partition('=')[0]}", assignment.partition("=")[2])
    with pytest.raises(SystemExit) as ended:
        load_settings(role)
    assert ended.value.code == 78
    assert sentence in capsys.readouterr().err
