"""Databases that were damaged: ``migsync repair``, what it prints, ``migrate``: as a fresh one, or it is said why not.

Two judges look at the end: ``migsync verify``, and Django's ``inspectdb`` on it and on a fresh database.
"""

from __future__ import annotations

import random
import re
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import NewDatabase
from tests.databases import ENGINES, Database
from tests.pitfalls.project import Project
from tests.profiles import THOROUGH, examples
from tests.verify.lives import DAMAGES, Life, begin

LIVES = examples(4, 334)
"""For each engine. Those of all engines have all damages."""
ROUNDS = 3
"""So often what is printed is typed."""
IN_DOUBT = frozenset({"record-in-doubt", "half-applied", "record-not-closed"})
"""What says that a database is not whole in the end, and what is missing."""

Models = Mapping[str, Sequence[str]]


def typed(life: Life, findings: Sequence[Mapping[str, object]]) -> bool:
    """Type what is printed; whether there was something."""
    facts = [each.get("facts", {}) for each in findings]
    if any(each["code"] in ("perhaps-ran", "unknown-record") for each in findings):
        # The other branch is gone for good: its record is removed, as the message says.
        assert life.project.migsync("apply", "--prune", "shop.0099_branch", "--noinput").status == 0
        return True
    if life.renamed and any(each.get("others") for each in facts):
        life.execute(f"ALTER TABLE other RENAME TO {life.renamed}")
        life.renamed = ""
        return True
    statements = 0
    for each in facts:
        ways = [each[way] for way in ("statements", "undo") if each.get(way)]
        for statement in life.rng.choice(ways or [[]]):
            life.execute(statement)
            statements += 1
    return statements > 0


def mend(life: Life) -> tuple[set[str], str]:
    """What a person does who reads; the codes of what is found in the end, and what is shown."""
    for _ in range(ROUNDS):
        told = life.project.migsync("repair", "--accept", "--dry-run", "--format", "json")
        findings = [each for plan in told.json["plans"] for each in plan["findings"]]
        ended = life.project.migsync("repair", "--accept", "--noinput")
        if not typed(life, findings):
            break
    return {each["code"] for each in findings}, f"{ended.out}{ended.err}"


def models(project: Project) -> Models:
    """What `inspectdb` makes of the tables, the columns of each in order of their names."""
    [ended] = project.manage_all(["inspectdb"])
    classes = re.findall(r"class (Shop\w+)\(models\.Model\):\n(.*?)\n\n", ended.out, re.DOTALL)
    return {name: sorted(text.splitlines()) for name, text in classes}


def fresh(life: Life, database: Database) -> Models:
    """The same of an empty database, migrated."""
    project = replace(life.project, root=life.project.root.with_name("fresh"), databases={"default": database})
    shutil.copytree(life.project.root, project.root)
    project.write_settings()
    [ended] = project.manage_all(["migrate"])
    assert ended.status == 0, ended.err
    return models(project)


def distance(found: Models, wanted: Models) -> int:
    """How many lines differ. A table that nobody knows does no harm."""
    return sum(len(set(found.get(name, ())) ^ set(lines)) for name, lines in wanted.items())


def live(life: Life, new: Callable[[], Database]) -> tuple[str, int]:
    """How it ended, and how many lines are not as in a fresh database."""
    codes, shown = mend(life)
    migrated = life.project.manage_all(["migrate"])[0]
    verified = life.project.migsync("verify")
    wanted = fresh(life, new())
    left = distance(models(life.project), wanted)
    if migrated.status == 0 and verified.status == 0:
        assert not left, f"{left} lines are otherwise than in a fresh database\n{shown}"
        return "mended", left
    reasons = codes & IN_DOUBT
    assert reasons, f"{sorted(codes)}\n{shown}\n{migrated.err}\n{verified.out}"
    return f"refused: {', '.join(sorted(reasons))}", left


def one(seed: int, place: Path, new: Callable[[], Database]) -> tuple[str, str]:
    """The damage and the end of the life with this seed."""
    damage = DAMAGES[seed % len(DAMAGES)]
    life = begin(place / "project", new(), random.Random(seed))
    damage(life)
    ended, left = live(life, new)
    if ended != "mended":
        # The same one once more, without any help.
        other = begin(place / "alone" / "project", new(), random.Random(seed))
        damage(other)
        other.project.manage_all(["migrate"])
        alone = distance(models(other.project), fresh(other, new()))
        assert left <= alone, f"{left} lines are otherwise than in a fresh database, and {alone} without repair"
    return damage.__name__, ended


@pytest.mark.parametrize("engine", ENGINES)
def test_a_damaged_database_is_mended_or_the_reason_is_said(
    engine: str, new_database: NewDatabase, tmp_path: Path
) -> None:
    found = Counter[tuple[str, str]]()
    failures = []
    first = random.SystemRandom().randrange(10**6) if THOROUGH else ENGINES.index(engine) * LIVES
    for seed in range(first, first + LIVES):
        damage = DAMAGES[seed % len(DAMAGES)].__name__
        try:
            damage, ended = one(seed, tmp_path / str(seed), lambda: new_database(engine))
        except Exception as error:
            failures.append(f"seed {seed}, {damage}: {error!r}")
            ended = "failed"
        print(f"seed {seed}, {damage}: {ended}", flush=True)
        found[damage, ended] += 1
    print(*(f"{count} {name}: {ended}" for (name, ended), count in sorted(found.items())), sep="\n")
    assert not failures, "\n\n".join(failures)
