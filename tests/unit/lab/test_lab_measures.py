import math

import pytest

from lab.measures import Run, compare, compare_attacked, estimate, student_t


@pytest.mark.parametrize(("degrees", "point"), [(3, 3.182), (7, 2.365), (23, 2.069), (100, 1.984)])
def test_students_t_is_that_of_the_tables(degrees: int, point: float) -> None:
    assert student_t(degrees) == pytest.approx(point, rel=0.015)


def test_an_estimate_is_the_geometric_mean_with_an_interval_around_it() -> None:
    found = estimate([1.0, 4.0, 2.0, 2.0])
    assert found.value == pytest.approx(2.0)
    assert found.low < 2.0 < found.high
    assert found.low * found.high == pytest.approx(4.0)


def run(contributors: float, fr_over_c: float) -> Run:
    return Run(fr_over_c, contributors, 2 * contributors, 3 * contributors, 1, 0.5, {"altruist": contributors})


def test_times_are_compared_within_pairs() -> None:
    plain = [run(100.0, 1.0), run(1000.0, 1.0)]
    found = compare([run(90.0, 1.5), run(900.0, 1.5)], plain)
    assert found["contributors"] == found["mean"] == found["newcomers"] == pytest.approx(0.9)
    assert found["fr_over_c"] == pytest.approx(1.5)
    assert found["stranded"] == 2
    assert found["ci"]["mean"] == pytest.approx([0.9, 0.9])  # type: ignore[index]


def test_an_attack_is_compared_with_the_same_runs_without() -> None:
    found = compare_attacked([run(1.0, 1.8), run(1.0, 2.7)], [run(1.0, 2.0), run(1.0, 3.0)])
    assert found["change"] == pytest.approx(0.9)
    assert found["fr_over_c"] == pytest.approx(math.sqrt(1.8 * 2.7), abs=1e-4)
    assert found["attackers"] == found["contributors"] == pytest.approx(1.0)
