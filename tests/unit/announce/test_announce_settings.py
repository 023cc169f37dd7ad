"""What an operator can set about announces, and the sentence a wrong value gets."""

import pytest
from pydantic import ValidationError

from etracker_announce.domain.policies import POLICIES, EquilibriumParameters
from etracker_announce.settings import AnnounceSettings
from etracker_shared.plumbing.settings import load_settings


@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_can_be_chosen(policy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETRACKER_POLICY", policy)
    assert AnnounceSettings().policy == policy


def test_equilibrium_is_the_default_policy_with_its_own_defaults() -> None:
    settings = AnnounceSettings()
    assert (settings.policy, settings.equilibrium) == ("equilibrium", EquilibriumParameters())


def test_parameters_of_equilibrium_are_set_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = {
        "PHI": "0.5",
        "TAU_BOUNDS": "10 60.5",
        "INTERVAL_BOUNDS": "5, 30",
        "SEEDERS": "1 2 3 4 all",
        "LEECHERS": "7",
    }
    for name, value in wanted.items():
        monkeypatch.setenv(f"ETRACKER_EQUILIBRIUM_{name}", value)
    assert load_settings(AnnounceSettings).equilibrium == EquilibriumParameters(
        phi=0.5, tau_bounds=(10.0, 60.5), interval_bounds=(5, 30), seeders=(1, 2, 3, 4, None), leechers=7
    )


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("ETRACKER_POLICY", "fair", "ETRACKER_POLICY is wrong: it must be one of random, announces,"),
        ("ETRACKER_EQUILIBRIUM_PHI", "2", "ETRACKER_EQUILIBRIUM is wrong: phi must be more than 0 and at most 1."),
        ("ETRACKER_EQUILIBRIUM_PHI", "soft", "ETRACKER_EQUILIBRIUM_PHI is wrong: Input should be a valid number"),
        ("ETRACKER_EQUILIBRIUM_TAU_BOUNDS", "60 30", "ETRACKER_EQUILIBRIUM is wrong: tau_bounds and interval_bounds"),
        ("ETRACKER_EQUILIBRIUM_TAU_BOUNDS", "60", "ETRACKER_EQUILIBRIUM_TAU_BOUNDS is wrong: "),
        ("ETRACKER_EQUILIBRIUM_SEEDERS", "1 2 3", "ETRACKER_EQUILIBRIUM_SEEDERS"),
        ("ETRACKER_EQUILIBRIUM_FEWEST", "0", "must be at least 1, or the swarm falls apart"),
        ("ETRACKER_EQUILIBRIUM_PACE", "inf", "pace, tau_unknown and tau_bounds must be finite numbers."),
        ("ETRACKER_EQUILIBRIUM_TAU_UNKNOWN", "inf", "must be finite numbers."),
        ("ETRACKER_EQUILIBRIUM_TAU_UNKNOWN", "nan", "must be finite numbers."),
        ("ETRACKER_EQUILIBRIUM_TAU_BOUNDS", "120 inf", "must be finite numbers."),
        ("ETRACKER_EQUILIBRIUM_SEEDERS", "all 1 1 1 1", "a higher tier must not be guaranteed fewer seeders."),
        ("ETRACKER_EQUILIBRIUM_SEEDERS", "1 3 2 20 all", "a higher tier must not be guaranteed fewer seeders."),
        (
            "ETRACKER_EQUILIBRIUM_PHII",
            "0.5",
            "there is no ETRACKER_EQUILIBRIUM_PHII, the nearest is ETRACKER_EQUILIBRIUM_PHI.",
        ),
    ],
)
def test_a_wrong_value_is_refused_with_a_sentence(
    variable: str,
    value: str,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SystemExit) as ended:
        load_settings(AnnounceSettings)
    assert ended.value.code == 78
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize("value", ["203.0.113.5 203.0.113.6", "tracker.example.org", "203.0.113.0/24"])
def test_an_external_address_is_one_of_each_family(value: str) -> None:
    with pytest.raises(ValidationError):
        AnnounceSettings.model_validate({"external_ip": value})
