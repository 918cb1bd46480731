"""The ids of runs are on the disk before their runs begin, and leave nothing behind when all outcomes are known."""

from __future__ import annotations

from pathlib import Path

import pytest

from migsync.cli.recovery import PendingRuns
from migsync.cli.run_ids import TOGETHER, RunIds

pytestmark = pytest.mark.pure

ALIASES = [f"tenants:t{number:03}" for number in range(2 * TOGETHER + 1)]


@pytest.fixture
def pending(tmp_path: Path) -> PendingRuns:
    return PendingRuns(tmp_path / "x.pending")


def test_every_run_is_pending_from_its_beginning_to_its_end(pending: PendingRuns) -> None:
    ids = RunIds(pending, journaled=True)
    ids.expect(ALIASES)
    begun = {}
    for alias in ALIASES:
        begun[alias] = ids.begin(alias)
        assert (alias, begun[alias]) in [(run.alias, run.id) for run in pending.all() if run.journaled]
    assert len(set(begun.values())) == len(ALIASES)
    for run_id in begun.values():
        ids.end(run_id)
    assert pending.all() == []
    assert list(pending.directory.iterdir()) == []


def test_a_run_in_doubt_stays_and_those_that_never_began_go(pending: PendingRuns) -> None:
    ids = RunIds(pending, journaled=False)
    ids.expect(ALIASES)
    first, second = ids.begin(ALIASES[0]), ids.begin(ALIASES[1])
    ids.end(first)
    ids.doubt(ALIASES[1], second)
    ids.close()
    assert [(run.alias, run.id, run.journaled) for run in pending.all()] == [(ALIASES[1], second, False)]


def test_a_second_attempt_and_a_skipped_one_have_ids_of_their_own(pending: PendingRuns) -> None:
    ids = RunIds(pending, journaled=True)
    ids.expect(ALIASES)
    late = ids.begin(ALIASES[TOGETHER])  # those before it were not begun
    again = ids.begin(ALIASES[TOGETHER])
    skipped = ids.begin(ALIASES[0])
    assert len({late, again, skipped}) == 3
    assert {late, again, skipped} <= {run.id for run in pending.all()}
    for run_id in (late, again, skipped):
        ids.end(run_id)
    ids.close()
    assert pending.all() == []


def test_what_is_known_of_a_file_with_many_is_forgotten(pending: PendingRuns) -> None:
    ids = RunIds(pending, journaled=True)
    ids.expect(ALIASES[:3])
    ids.begin(ALIASES[0])
    runs = pending.all()  # as after a kill
    pending.forget({runs[0], runs[2]})
    assert pending.all() == [runs[1]]
    pending.forget({runs[1]})
    assert list(pending.directory.iterdir()) == []
