"""Whatever git makes of two branches with rewrites: at most three printed commands later, `migrate` goes on."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.pitfalls.two_branches import Discarded, Life
from tests.profiles import THOROUGH

SEEDS = (105, 124, 132, 145)
"""A fork, a name that main has retired, a conflict of rewrites, a branch that is moved."""
KNOWN_FAULTS = {
    56: "An app is in conflict, and its rewrite renamed another app too: git shows what that became, one command more.",
    102: "The same rewrite was made on both branches and reverted on one: the names of the other database are doubted.",
    110: "With a fork, what `rebase` says about `apply` comes too early.",
}
MANY = range(100, 150)


def _seeds() -> list[object]:
    known = [pytest.param(seed, marks=pytest.mark.xfail(reason=why)) for seed, why in KNOWN_FAULTS.items()]
    return [*SEEDS, *(seed for seed in MANY if seed not in {*SEEDS, *KNOWN_FAULTS}), *known] if THOROUGH else [*SEEDS]


@pytest.mark.parametrize("seed", _seeds())
def test_what_is_printed_leads_on(seed: int, tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    life = Life(root, random.Random(seed))
    try:
        life.live("main")
        life.live("mine")
        life.meet()
    except Discarded as error:
        pytest.skip(str(error))
    print("\n".join(life.log))
    life.follow()
    life.judge()
