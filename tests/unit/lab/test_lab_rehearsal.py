import json
from dataclasses import asdict
from pathlib import Path

import pytest

from etracker_shared.agreements.policies import PolicyName
from lab.measures import Estimate
from lab.real.__main__ import PARAMETERS
from lab.regimes import Behaviour
from lab.rehearsal import RANKED, SCALED, SLOWER, TORRENT_BYTES, Ranking, Real, draw_rehearsal, read_real

SIMULATED = {
    PolicyName.RANDOM: Estimate(1.0, 0.9, 1.1),
    PolicyName.RATIO: Estimate(1.5, 1.4, 1.6),
    PolicyName.EQUILIBRIUM: Estimate(1.9, 1.8, 2.0),
}


def test_everybody_of_the_rehearsal_has_the_same_line_and_only_leechers_arrive_one_after_the_other() -> None:
    population = draw_rehearsal(1)
    assert len(set(population.up.tolist())) == len(set(population.down.tolist())) == 1
    leechers = population.arrival[population.behaviour != Behaviour.SEED]
    assert sorted(leechers.tolist()) == [SLOWER * 0.2 * place for place in range(8)]


def test_time_of_the_rehearsal_is_that_of_the_real_experiment_times_forty() -> None:
    assert TORRENT_BYTES / SCALED.pace == SLOWER * 30


def test_real_numbers_are_medians_over_runs(tmp_path: Path) -> None:
    path = tmp_path / "equilibrium-real.json"
    runs = [{"fr_over_c": value} for value in (1.0, 3.0, 2.0)]
    path.write_text(json.dumps({"parameters": {"phi": 0.3}, "runs": dict.fromkeys(RANKED, runs)}))
    assert read_real(path) == Real(dict.fromkeys(RANKED, 2.0), {"phi": 0.3})


def test_real_runs_by_parameters_of_the_simulation_differ_in_none_however_fast_their_time_runs() -> None:
    parameters = json.loads(json.dumps(asdict(PARAMETERS)))
    assert Real({}, parameters).differing == {}
    assert Real({}, {**parameters, "phi": 0.3}).differing == {"phi": (0.3, SCALED.phi)}
    assert SCALED.pace == PARAMETERS.pace
    assert SCALED.interval_bounds == tuple(SLOWER * seconds for seconds in PARAMETERS.interval_bounds)


@pytest.mark.parametrize(("ratio", "agrees"), [(1.3, True), (0.9, False)])
def test_a_ranking_is_confirmed_if_both_put_the_policies_into_one_order(ratio: float, agrees: bool) -> None:
    real = Real(dict(zip(RANKED, (1.0, ratio, 1.7), strict=True)), {})
    assert Ranking(SIMULATED, real).agrees is agrees


def test_a_ranking_without_real_clients_is_not_confirmed() -> None:
    assert not Ranking(SIMULATED, None).agrees
