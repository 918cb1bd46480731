"""Products that their own ``migrate`` has built: ``migsync verify`` finds nothing; then it finds what is damaged.

    MIGSYNC_TEST_SITES=DIRECTORY MIGSYNC_TEST_PROFILE=thorough python -m pytest -s tests/real/test_verified_products.py

Only in the thorough profile: it takes minutes for each product and engine. pretix is found as
tests/real/test_projects.py says, and is skipped where it is not there; it does not run on MariaDB.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import NewDatabase
from tests.databases import ENGINES, Database
from tests.profiles import THOROUGH
from tests.real.damages import Damaged, Place, damage_tables, write_addition
from tests.real.project import WAGTAIL, WAGTAIL_AND_OSCAR, Kind, RealProject, make_project
from tests.real.sites import kinds

pytestmark = [pytest.mark.real, pytest.mark.skipif(not THOROUGH, reason="only in the thorough profile")]

ROUNDS = 25
ROWS = 5
PRODUCTS: dict[str, Kind] = {"wagtail": WAGTAIL, "wagtail and oscar": WAGTAIL_AND_OSCAR, "pretix": kinds()["pretix"]}
TRIED = [
    (product, engine) for product in PRODUCTS for engine in ENGINES if not (product == "pretix" and engine == "mysql")
]

Part = tuple[str, str, str]
Result = dict[str, Any]


class Seen:
    """What one ``migsync verify`` said."""

    def __init__(self, project: RealProject) -> None:
        status, self.said = project.answer("verify", "--format", "json")
        assert status in (0, 1), self.said
        [self.database] = json.loads(self.said[self.said.index("{") :])["databases"]
        assert self.database["state"] == "verified", self.said[-4000:]
        self.migrations: dict[str, Result] = {each["migration"]: each for each in self.database["migrations"]}

    @property
    def states(self) -> dict[str, str]:
        return {key: each["state"] for key, each in self.migrations.items()}

    @property
    def parts(self) -> dict[Part, list[str]]:
        """What differs from the records, and of which migrations."""
        found: dict[Part, list[str]] = {}
        for key, each in self.migrations.items():
            for part in each["differences"] if each["recorded"] else ():
                found.setdefault((part["kind"], part["table"], part["name"]), []).append(key)
        return found

    def facts(self, code: str) -> list[dict[str, Any]]:
        return [each["facts"] for each in self.database["findings"] if each["code"] == code]


@pytest.mark.parametrize(("product", "engine"), TRIED)
def test_what_migrate_has_built_and_what_is_damaged(
    product: str, engine: str, new_database: NewDatabase, tmp_path: Path
) -> None:
    kind = PRODUCTS[product]
    if not Path(kind.python).exists():
        pytest.skip(f"no {product}: see tests/real/test_projects.py")
    seed = random.SystemRandom().randrange(10**6)
    print(f"\n{product}, {engine}, seed {seed}")
    rng = random.Random(seed)
    root = tmp_path / "project"
    root.mkdir()
    database = new_database(engine)
    project = make_project(root, {"default": database}, kind)
    project.manage("migrate", "--noinput", "--skip-checks")

    whole = Seen(project)
    assert set(whole.states.values()) <= {"present", "no trace"}, {
        key: each for key, each in whole.migrations.items() if each["differences"] or each["state"] == "cannot be told"
    }
    assert whole.database["agrees"]
    print(f"  {len(whole.states)} migrations are there")

    _rows_lost(project, database, rng, whole)
    _rows_added(project, database, rng, whole)

    place, before = Place(database, rng), whole
    for _ in range(ROUNDS):
        done = damage_tables(place)
        now = Seen(project)
        _check_tables(before, now, done)
        print(*(f"  found: {each.what}" for each in done), sep="\n")
        before = now


def _check_tables(before: Seen, now: Seen, done: list[Damaged]) -> None:
    """Each damage is named, and nothing that was not damaged."""
    new = now.parts.keys() - before.parts.keys()
    assert before.parts.keys() <= now.parts.keys()
    tables = {each.table for each in done}
    for damaged in done:
        for kind, table, name in damaged.parts:
            assert any(part[:2] == (kind, table) and name in ("", part[2]) for part in new), (damaged, new)
        if damaged.extra:
            assert any(damaged.extra in facts["tables"] for facts in now.facts("made-by-no-migration")), damaged
    assert not {part for part in new if part[1] not in tables}, (done, new)


def _rows_lost(project: RealProject, database: Database, rng: random.Random, whole: Seen) -> None:
    """What is there without its record is named, and nothing that is recorded is said to differ."""
    rows = database.dump()
    for _ in range(ROUNDS):
        lost = rng.sample(rows, ROWS)
        for number, *_ in lost:
            database.execute(f"DELETE FROM django_migrations WHERE id = {number}")
        now = Seen(project)
        keys = [f"{app}.{name}" for _, app, name, _ in lost if f"{app}.{name}" in whole.migrations]
        there = {key for facts in now.facts("there-already") for key in facts["migrations"]}
        database.insert((int(number), *row) for number, *row in lost)  # type: ignore[misc]
        assert not now.parts, now.parts
        assert {key for key in keys if now.states[key] == "present"} == there, (keys, there)
        # Of the others no table shows a trace any more; the order of the records may still tell.
        assert {now.states[key] for key in keys} <= {"present", "no trace"}, (keys, now.states)
        gaps = [key for key in keys if now.states[key] == "no trace"]
        told = {facts["other"] for facts in now.facts("inconsistent-history")}
        print(f"  records lost: {', '.join(keys)}; without a trace: {gaps}, of these told {told}")
    assert Seen(project).states == whole.states


def _rows_added(project: RealProject, database: Database, rng: random.Random, whole: Seen) -> None:
    """A record of what never ran, and one without a file."""
    last = {app: name for _, app, name, _ in database.dump() if (project.history / app / f"{name}.py").exists()}
    leaves = {app: name for app, name in last.items() if f"{app}.{name}" in whole.migrations}
    # Where a file is gone, its whole app is in doubt.
    app, other = rng.sample(sorted(leaves), 2)
    added = f"{app}.{write_addition(project.history, app, leaves[app])}"
    assert Seen(project).database["agrees"], "what is pending is no damage"
    _record(database, *added.split("."))
    _record(database, other, "9998_unknown")
    now = Seen(project)
    assert now.facts("not-in-database")[0]["migrations"] == [added]
    assert [facts["migration"] for facts in now.facts("not-verified")] == [f"{other}.9998_unknown"]
    assert {key for keys in now.parts.values() for key in keys} == {added}
    print(f"  found: records added: {added}, {other}.9998_unknown")
    database.execute("DELETE FROM django_migrations WHERE name LIKE '999%'")
    (project.history / app / "9999_addition.py").unlink()


def _record(database: Database, app: str, name: str) -> None:
    values = f"'{app}', '{name}', '2026-01-01 00:00:00'"
    database.execute(f"INSERT INTO django_migrations (app, name, applied) VALUES ({values})")
