"""Whatever git makes of two branches with rewrites: at most three printed commands later, `migrate` goes on."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.pitfalls.two_branches import Discarded, Life
from tests.profiles import THOROUGH

SEEDS = (240, 124, 132, 145, 332, 245)
"""A fork after a revert, a retired name, a conflict of rewrites, a branch that is moved, records that are behind, and a
squash that was not picked."""
MANY = (*range(200, 250), 310, 311, 325)


def _seeds() -> list[int]:
    return [*SEEDS, *(seed for seed in MANY if seed not in SEEDS)] if THOROUGH else [*SEEDS]


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
