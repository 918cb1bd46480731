"""Whatever git makes of two branches with rewrites: at most three printed commands later, `migrate` goes on."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.pitfalls.two_branches import Discarded, Life
from tests.profiles import THOROUGH

SEEDS = (240, 124, 132, 145, 332)
"""A fork after a revert, a retired name, a conflict of rewrites, a branch that is moved, records that are behind."""
KNOWN_FAULTS = {
    234: "A fourth command, since one database has to go back after the other one was brought up to date.",
    241: "Commands that change files plan databases without the rewrite that git proves.",
    245: "A cherry-picked file names what only commits knew that were not picked.",
    310: "As 241: fix-conflicts is refused for records of which plan proves what they are called now.",
    325: "A revert gives an app its old label back, and the database must be told its position each time.",
}
MANY = (*range(200, 250), 311)


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
