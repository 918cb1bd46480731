"""What a process keeps from target to target changes no plan, and goes with the files that it was made from."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from migsync.companion.project_files import ProjectFiles
from migsync.project import find_project
from migsync.sync import kept_plans
from migsync.sync.kept_plans import KeptPlans
from migsync.sync.survey import Survey, survey_target
from migsync.sync.target import open_target
from tests.cli.entries import NEW, OLD, Project, database, project
from tests.databases import Database

if TYPE_CHECKING:
    import pytest

__all__ = ["database", "project"]


def files_of(project: Project) -> ProjectFiles:
    files = ProjectFiles()
    files.project = find_project(root=project.root)
    return files


def planned(files: ProjectFiles, *, anew: bool = False) -> Survey:
    """The survey of the one target; `anew`, with nothing that is kept."""
    [config] = files.project.targets()
    read, schemas, kept = files.read()
    kept = KeptPlans(read.history, kept.versions) if anew else kept
    with open_target(config) as target:
        return survey_target(read, schemas, kept, target)


def test_a_plan_that_is_kept_is_the_one_that_would_be_made(project: Project, database: Database) -> None:
    files, chance = files_of(project), random.Random(16)
    made = 0
    for _ in range(40):
        database.execute("DELETE FROM django_migrations")
        names = chance.choice([OLD, OLD, NEW, OLD[:-1], [*OLD, "0009_lost"], [OLD[0], OLD[0]], []])
        day = chance.randrange(1, 28)
        # Also the same names with their times in another order.
        times = [f"2026-01-{day:02} 10:00:{second:02}" for second in range(len(names))]
        if chance.random() < 0.3:
            chance.shuffle(times)
        for number, (name, applied) in enumerate(zip(names, times, strict=True), start=1):
            database.execute(f"INSERT INTO django_migrations VALUES ({number}, 'shop', '{name}', '{applied}')")
        found, alone = planned(files), planned(files, anew=True)
        assert (found.plans, found.findings, found.fresh) == (alone.plans, alone.findings, alone.fresh)
        assert [dict(plan.fingerprints) for plan in found.plans] == [dict(plan.fingerprints) for plan in alone.plans]
        made += len(found.plans)
    assert 0 < len(files.kept.plans) < made


def test_what_is_kept_goes_with_the_files(project: Project) -> None:
    files = files_of(project)
    planned(files)
    before = files.kept
    planned(files)
    assert files.kept is before
    directory = project.root / "shop" / "migrations"
    (directory / f"{NEW[-1]}.py").rename(directory / "0009_other.py")
    [plan] = planned(files).plans
    assert files.kept is not before
    assert [change.after.name for change in plan.changes if change.after] == ["0009_other"]


def test_no_more_is_kept_than_the_limit(project: Project, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_plans, "LIMIT", 2)
    files, sizes = files_of(project), []
    for _ in range(5):
        database.execute("UPDATE django_migrations SET id = id + 100")
        planned(files)
        sizes.append(len(files.kept.plans))
    assert sizes == [1, 2, 1, 2, 1]
