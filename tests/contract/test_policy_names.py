"""Everything that lists selection policies lists those of ``PolicyName``, in documents too."""

import re
from pathlib import Path

from etracker_announce.domain.policies import POLICIES
from etracker_shared.agreements.policies import DEFAULT_POLICY, PolicyName
from lab import page

DOCUMENTS = Path(__file__).parents[2] / "docs"


def names_in(column: str) -> list[str]:
    return re.findall(r"`(\w+)`", column)


def test_announce_and_the_lab_have_every_policy() -> None:
    assert list(POLICIES) == list(page.POLICIES) == list(PolicyName)


def test_the_operators_page_has_every_policy_and_the_default_first() -> None:
    section = (DOCUMENTS / "operations.md").read_text().partition("## Choosing a policy")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    named = [name for row in rows for name in names_in(row)]
    assert named[0] == DEFAULT_POLICY
    assert sorted(named) == sorted(PolicyName)


def test_the_page_about_equilibrium_compares_every_policy() -> None:
    rows = re.findall(r"^- `(\w+)`:", (DOCUMENTS / "equilibrium.md").read_text(), re.MULTILINE)
    assert set(PolicyName) <= set(rows)
