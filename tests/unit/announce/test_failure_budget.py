"""Failures that clients get because of others are few over any span of time, however few announces there are."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etracker_announce.tracker.failure_budget import MOST_PER_MINUTE, FailureBudget

START = 1_800_000_000


def failures(times: list[float], budget: FailureBudget) -> list[bool]:
    """Let each reply be a failure if it may."""
    sent = []
    for now in times:
        budget.count_reply(now)
        sent.append(budget.spend())
    return sent


@pytest.mark.promise(36)
@given(gaps=st.lists(st.sampled_from((0.0, 0.05, 1.0, 30.0, 3600.0)), min_size=1, max_size=600), data=st.data())
def test_failures_are_a_hundredth_of_the_replies_of_any_span(gaps: list[float], data: st.DataObject) -> None:
    times = [START + sum(gaps[:place]) for place in range(len(gaps))]
    sent = failures(times, FailureBudget())
    assert 100 * sum(sent) <= len(sent)
    first = data.draw(st.integers(0, len(sent) - 1))
    last = data.draw(st.integers(first, len(sent) - 1))
    assert sum(sent[first : last + 1]) <= 1 + (last + 1 - first) / 100
    replies, failed = Counter(time // 60 for time in times), Counter[float]()
    failed.update(time // 60 for time, one in zip(times, sent, strict=True) if one)
    assert all(number <= max(1, replies[minute] // 100) for minute, number in failed.items())


@pytest.mark.promise(36)
def test_a_tracker_with_one_announce_in_a_minute_sends_a_failure_after_a_hundred() -> None:
    sent = failures([START + 60.0 * number for number in range(250)], FailureBudget())
    assert [place for place, one in enumerate(sent) if one] == [99, 199]


@pytest.mark.promise(36)
def test_a_busy_minute_has_two_hundred_failures_at_most() -> None:
    sent = failures([START + number / 1000 for number in range(59_000)], FailureBudget())
    assert sum(sent) == MOST_PER_MINUTE


def test_a_failure_that_wasnt_sent_after_all_can_be_sent_later() -> None:
    budget = FailureBudget()
    assert failures([START] * 100, budget)[-1]
    budget.give_back()
    assert budget.spend()
    assert not budget.spend()
