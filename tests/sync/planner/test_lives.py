"""Random lives of files and databases: what a plan says is true, whatever people did to the files.

A failure prints the life, step by step, as short as a simple search makes it. `migsync` is asked as a survey asks, with
files and databases that are values; ``lives.py`` knows what really ran.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence

import pytest

from migsync.history import App
from migsync.rewrites.record import Record
from migsync.sync.plan import Plan
from tests.history.judge import judge
from tests.profiles import THOROUGH, examples
from tests.sync.planner.lives import STEPS, Life, Step, to_run
from tests.sync.planner.verdicts import (
    GIT,
    GUARDED,
    NOTHING,
    PARTLY,
    SEEN,
    Judge,
    Source,
    Violation,
    history_of,
    known_rows,
    migrations,
)

SOURCES = (GUARDED, PARTLY, SEEN, GIT, NOTHING)
OFTEN = ("migrate", "migrate", "migrate", "commit", "commit", "add", "add", "reset", "rename")


ONE, WHOLE = (0, 0, 0), (0, 1, 3)
RENAMED_BETWEEN = (("commit", *ONE), ("rename", *ONE), ("migrate", 1, 1, 0), ("migrate", 0, 1, 2))
RESET_BETWEEN = (
    *(("add", *ONE), ("commit", *ONE), ("migrate", 0, 1, 0), ("reset", *ONE), ("commit", *ONE), ("migrate", 1, 0, 0)),
)
MENDED: Mapping[str, tuple[Sequence[Step], int, Source]] = {
    "a record under a name that a rewrite gives is not doubted where it is known that its file is what ran": (
        RENAMED_BETWEEN,
        2,
        GUARDED,
    ),
    "where names were exchanged, what ran in another database is known, so that its names are not doubted": (
        (
            *(("add", *ONE), ("commit", *ONE), ("add", *ONE), ("add", 0, 1, 0), ("exchange", 0, 2, 1)),
            *(("migrate", 0, 1, 0), ("delete", *ONE), ("migrate", 1, 1, 2), ("exchange", 0, 2, 0)),
        ),
        2,
        GUARDED,
    ),
    "a record that a run has renamed is not doubted where a rewrite for another database gives the same name": (
        (
            *(("add", *ONE), ("add", *ONE), ("add", 0, 1, 0), ("migrate", 0, 1, 1), ("add", 0, 2, 0)),
            *(("rename", 0, 3, 0), ("migrate", 1, 6, 1), ("add", 0, 43, 0), ("exchange", 0, 3, 0)),
        ),
        2,
        GUARDED,
    ),
    "a file was edited in what no database sees, and speaks for a position as it did before": (
        (
            *(("add", *ONE), ("migrate", 1, 1, 1), ("reset", *ONE), ("commit", *ONE), ("migrate", *ONE)),
            ("reword", *ONE),
        ),
        2,
        GUARDED,
    ),
    "git held another version when it ran than the one that was united with the next file": (
        (
            *(("add", *ONE), ("migrate", 0, 1, 1), ("add", 0, 1, 0), ("alter", *ONE), ("commit", *ONE)),
            ("unite", 0, 0, 1),
        ),
        1,
        GIT,
    ),
    "the file of a migration was deleted that had altered a column": (
        (("add", *ONE), ("migrate", *WHOLE), ("delete", 0, 0, 1)),
        1,
        GUARDED,
    ),
    "git had another version when it ran than the one that was renamed": (
        (
            *(("add", *ONE), ("migrate", 0, 1, 1), ("add", 0, 1, 0), ("reset", 0, 0, 1), ("add", 0, 1, 0)),
            *(("commit", *ONE), ("commit", *ONE), ("migrate", 0, 1, 0), ("rename", 0, 2, 0)),
        ),
        1,
        GIT,
    ),
    "git knows what ran under names that a rewrite for another database would give": (
        (
            *(("add", 0, 0, 2), ("add", 0, 1, 2), ("commit", *ONE), ("behind", 0, 2, 0), ("exchange", 0, 2, 0)),
            *(("commit", *ONE), ("migrate", 0, 1, 0), ("exchange", 0, 0, 1), ("migrate", 1, 0, 1)),
        ),
        2,
        GIT,
    ),
    "names were exchanged, and of some rows only the name is known": (
        (
            *(("add", 0, 1, 0), ("add", 0, 2, 2), ("migrate", 0, 1, 1), ("cycle", *ONE), ("add", *ONE)),
            *(("migrate", 0, 1, 1), ("cycle", 0, 1, 0)),
        ),
        1,
        PARTLY,
    ),
    "a file was made anew once more, and speaks for a position by its tables": (
        (*RESET_BETWEEN, ("reset", 0, 1, 0)),
        2,
        GIT,
    ),
    "one file is the heir of a record by its operations, and of others by their tables": (
        (
            *(("add", *ONE), ("migrate", 0, 1, 1), ("shift", 0, 2, 0), ("commit", *ONE), ("reset", *ONE)),
            *(("add", 0, 1, 0), ("commit", *ONE), ("migrate", 0, 1, 0), ("rename", 0, 2, 0)),
        ),
        1,
        GIT,
    ),
    "a table is removed later, and `migrate` fails before that": (
        (("add", 0, 0, 55), ("add", 0, 1, 0), ("migrate", *ONE), ("grow", 0, 30, 2), ("unite", 0, 1, 1)),
        1,
        GUARDED,
    ),
    "what the journal says of a name counts where another rewrite uses the name": (
        (
            *(("add", *ONE), ("add", 0, 1, 0), ("migrate", 1, 1, 1), ("rename", 0, 2, 0), ("migrate", 0, 0, 1)),
            *(("delete", *ONE), ("exchange", 0, 0, 1)),
        ),
        2,
        GUARDED,
    ),
    "names only changed places, and speak for nothing in another database": (
        (
            *(("add", 7, 10, 52), ("add", 8, 6, 22), ("migrate", 7, 53, 1), ("rename", 9, 45, 56)),
            *(("migrate", 8, 13, 59), ("delete", 2, 36, 31), ("migrate", 10, 45, 19), ("exchange", 10, 27, 26)),
        ),
        2,
        GUARDED,
    ),
    "what is in a recorded file is not likely to be in another one": (
        (
            *(("add", *ONE), ("add", 0, 1, 0), ("migrate", 0, 1, 1), ("shift", 0, 2, 0), ("add", 0, 3, 0)),
            *(("unite", *ONE), ("commit", *ONE), ("add", *ONE), ("cycle", *ONE)),
        ),
        1,
        GIT,
    ),
    "a name that stays in a reset, in a database that has gone through it": (
        (
            *(("add", *ONE), ("add", 0, 1, 52), ("add", 0, 3, 0), ("migrate", 0, 1, 1), ("migrate", 1, 1, 1)),
            *(("behind", 0, 2, 0), ("commit", *ONE), ("migrate", 0, 1, 0), ("reset", *ONE)),
        ),
        2,
        GIT,
    ),
    "what another database proves of a name that stays here is a question": (
        (
            *(("add", *ONE), ("add", 0, 1, 2), ("add", 0, 2, 2), ("migrate", 1, 1, 1), ("add", 0, 3, 2)),
            *(
                ("shrink", 0, 0, 2),
                ("unshift", 0, 0, 1),
                ("migrate", 0, 1, 1),
                ("return", 0, 3, 0),
                ("rename", 0, 9, 0),
            ),
        ),
        2,
        GUARDED,
    ),
    "code was left out of a file that ran, which speaks for a position all the same": (
        (("add", *ONE), ("migrate", 0, 1, 1), ("reset", 0, 0, 1), ("migrate", 1, 0, 1), ("reset", *ONE)),
        2,
        GUARDED,
    ),
    "before a rewrite and after it the file is what ran": (
        (("add", 0, 0, 29), ("migrate", 0, 1, 1), ("migrate", 1, 0, 0), ("reset", 0, 1, 0)),
        2,
        GUARDED,
    ),
    "code moved from a file that keeps its name to one that gets another name": (
        (
            *(("add", 0, 1, 0), ("add", 0, 2, 0), ("migrate", 0, 1, 1), ("add", 0, 3, 0), ("rename", *ONE)),
            *(("move", 0, 1, 3), ("move", 0, 3, 0)),
        ),
        1,
        GUARDED,
    ),
    "what is only presumed of a name does not excuse records that `migrate` refuses": (
        (
            *(("add", *ONE), ("add", *ONE), ("commit", *ONE), ("add", *ONE), ("migrate", 0, 0, 1), ("add", 0, 1, 0)),
            *(("unite", *ONE), ("migrate", 1, 0, 0), ("add", 0, 3, 0), ("branch", 0, 2, 0), ("migrate", 0, 0, 1)),
            ("exchange", 0, 1, 0),
        ),
        2,
        SEEN,
    ),
    "a rewrite for another database answers for nothing where it changes nothing": (
        (
            *(("add", *ONE), ("commit", *ONE), ("add", 0, 1, 0), ("migrate", *ONE), ("cycle", *ONE)),
            *(("commit", *ONE), ("migrate", 1, 1, 0), ("reset", *ONE)),
        ),
        2,
        GIT,
    ),
    "a name is used again for something else": (
        (("migrate", 0, 1, 0), ("add", *ONE), ("exchange", 0, 1, 0)),
        1,
        GIT,
    ),
    "git is asked where every name has a file": (
        (("add", *ONE), ("commit", *ONE), ("migrate", *WHOLE), ("grow", 0, 0, 1)),
        1,
        GIT,
    ),
    "a name is followed by what ran under it, not by what it meant later": (
        (
            *(("add", *ONE), ("migrate", *ONE), ("reset", *ONE), ("add", *ONE), ("commit", *ONE)),
            *(("migrate", 0, 1, 0), ("rename", 0, 1, 0)),
        ),
        1,
        GIT,
    ),
    "one database was migrated before files were reset, another one after it": (RESET_BETWEEN, 2, GIT),
    "a column was added to an edited file, and its table was renamed later": (
        (("migrate", *ONE), ("alter", *ONE), ("add", 0, 0, 33), ("commit", *ONE), ("migrate", 0, 1, 0)),
        1,
        GUARDED,
    ),
    "a row that keeps its name while others are united with it": (
        (("add", *ONE), ("migrate", *WHOLE), ("unite", 0, 0, 1)),
        1,
        GUARDED,
    ),
    "an operation is taken out that had deleted a table": (
        (("add", 0, 0, 14), ("migrate", *WHOLE), ("shrink", 0, 0, 1)),
        1,
        GUARDED,
    ),
    "a database that was behind at a reset, and a column that is altered later": (
        (("add", 0, 0, 2), ("migrate", *ONE), ("reset", *ONE), ("add", *ONE)),
        1,
        GUARDED,
    ),
    "a rewrite that one database proves does not fit another one, where something else ran": (
        (
            *(("add", 0, 0, 1), ("add", 0, 0, 55), ("add", 0, 1, 44), ("migrate", 1, 0, 0), ("reset", *ONE)),
            *(("reset", 0, 1, 0), ("migrate", 0, 0, 1), ("rename", *ONE)),
        ),
        2,
        GUARDED,
    ),
    "git held another version when it ran than the one that was united": (
        (
            *(("add", 0, 1, 2), ("add", 0, 2, 0), ("migrate", *ONE), ("add", 0, 3, 0), ("add", 0, 49, 0)),
            *(("branch", *ONE), ("replace", 0, 2, 0), ("commit", *ONE), ("migrate", 0, 1, 0), ("reset", *ONE)),
        ),
        1,
        GIT,
    ),
    "a record of which only the name is known did not make what is known to be made by another": (
        (
            *(("add", *ONE), ("add", 0, 1, 0), ("add", 0, 2, 0), ("exchange", 0, 1, 0), ("shift", 0, 3, 1)),
            *(("commit", *ONE), ("migrate", 1, 51, 0), ("reset", *ONE)),
        ),
        2,
        PARTLY,
    ),
    "a name that a rewrite has given away is not missing where its files were made anew": (
        (
            *(("add", 0, 0, 2), ("add", 0, 1, 21), ("commit", *ONE), ("migrate", 0, 1, 0), ("reset", *ONE)),
            *(("add", 0, 2, 0), ("migrate", 0, 1, 2), ("return", 0, 3, 1)),
        ),
        1,
        GIT,
    ),
    "the name of an index is taken by a table that was renamed later": (
        (("add", 0, 0, 33), ("migrate", 1, 0, 0), ("reset", *ONE), ("add", 0, 0, 46), ("swap", 0, 1, 0)),
        1,
        GUARDED,
    ),
    "names were exchanged so that a column is altered in another order than it was": (
        (
            *(("add", 0, 1, 0), ("add", *ONE), ("add", 0, 2, 0), ("commit", *ONE), ("migrate", 0, 1, 0)),
            *(("rename", 0, 3, 0), ("add", 0, 35, 2), ("swap", 0, 3, 1)),
        ),
        1,
        GUARDED,
    ),
    "what ran under a name that is known does not wait for what its file depends on": (
        (
            *(("add", 0, 0, 2), ("add", 0, 1, 0), ("migrate", 0, 1, 1), ("shrink", 0, 0, 2), ("move", 0, 0, 1)),
            ("exchange", 0, 0, 2),
        ),
        1,
        PARTLY,
    ),
    "what is known by name comes before what needs it": (
        (
            *(("add", 0, 0, 2), ("add", 0, 1, 0), ("add", 0, 2, 2), ("migrate", 0, 1, 1), ("add", 0, 3, 2)),
            *(("shrink", *ONE), ("exchange", 0, 0, 3)),
        ),
        1,
        PARTLY,
    ),
    "names were exchanged in a circle, and the last alteration is known": (
        (("add", 0, 0, 21), ("add", 0, 1, 0), ("add", 0, 2, 0), ("migrate", 1, 1, 1), ("cycle", 0, 3, 0)),
        2,
        PARTLY,
    ),
    "code that a rewrite leaves out ran all the same": (
        (
            *(("add", 0, 0, 50), ("migrate", *WHOLE), ("reset", 0, 0, 1), ("reset", *ONE), ("rename", 0, 1, 0)),
            ("return", 0, 0, 2),
        ),
        1,
        GUARDED,
    ),
    "a file ran again under its new name: its old record has become nothing else": (
        (
            *(("add", 0, 1, 0), ("add", 0, 0, 2), ("commit", *ONE), ("migrate", 1, 1, 0), ("migrate", 0, 1, 0)),
            *(("rename", 0, 2, 1), ("rename", 0, 3, 2), ("migrate", 0, 1, 2)),
        ),
        2,
        GIT,
    ),
    "a question about a file is none where that is recorded": (
        (
            *(("add", 0, 1, 2), ("add", 0, 0, 12), ("add", 0, 2, 1), ("migrate", 0, 18, 1), ("commit", *ONE)),
            *(("migrate", 1, 1, 0), ("unite", 0, 2, 1), ("behind", 0, 3, 0), ("migrate", 1, 1, 2)),
        ),
        2,
        PARTLY,
    ),
    "files were made anew, and one that ran twice is left over": (
        (
            *(("add", *ONE), ("commit", *ONE), ("migrate", 0, 1, 0), ("rename", 0, 1, 1), ("migrate", 0, 1, 2)),
            *(("commit", *ONE), ("reset", *ONE)),
        ),
        1,
        GIT,
    ),
    "code moved from a file that was split to one that is still to run": (
        (
            *(("add", *ONE), ("migrate", 0, 1, 1), ("add", 0, 1, 0), ("rename", 0, 2, 1), ("split", 0, 3, 1)),
            *(("add", 0, 48, 0), ("first", 0, 49, 1), ("move", 0, 1, 3)),
        ),
        1,
        GUARDED,
    ),
    "the columns of an index were renamed, and another index is missing": (
        (("add", 0, 0, 11), ("commit", *ONE), ("migrate", 0, 1, 0), ("add", 0, 1, 54), ("reset", *ONE)),
        1,
        GIT,
    ),
    "the file of today cannot have run where another record has made its table": (
        (
            *(("add", 0, 45, 0), ("commit", *ONE), ("alter", *ONE), ("reset", *ONE), ("rename", 0, 45, 0)),
            ("migrate", 0, 1, 0),
        ),
        1,
        GIT,
    ),
    "the files of a later commit cannot have run where another record has made their table": (
        (
            *(("add", 0, 53, 0), ("add", 0, 5, 0), ("migrate", 0, 1, 1), ("reset", *ONE), ("rename", 0, 23, 0)),
            *(("add", 0, 35, 20), ("commit", *ONE), ("reset", *ONE), ("rename", *ONE)),
        ),
        1,
        GIT,
    ),
    "what ran under a united name tells more than what ran under one that is gone": (
        (
            *(("add", *ONE), ("add", 0, 1, 8), ("commit", *ONE), ("unite", 0, 0, 1), ("migrate", 1, 1, 2)),
            *(("shrink", 0, 0, 1), ("commit", *ONE), ("migrate", 0, 1, 1)),
        ),
        2,
        GUARDED,
    ),
    "records that a rewrite for another database would double have been through it": (
        (
            *(("migrate", 1, 0, 0), ("add", *ONE), ("add", 0, 1, 0), ("exchange", 0, 1, 0), ("migrate", 0, 1, 1)),
            ("rename", 0, 2, 2),
        ),
        2,
        PARTLY,
    ),
    "the time of a rewrite that was made just now does not make a name doubtful": (
        (
            *(("add", *ONE), ("add", 0, 1, 0), ("cycle", *ONE), ("add", 0, 2, 0), ("migrate", 1, 0, 0)),
            *(("migrate", 0, 1, 1), ("rename", 0, 3, 3)),
        ),
        2,
        PARTLY,
    ),
    "a database of which it is open what its records mean shows nothing for another one": (
        (
            *(("add", *ONE), ("commit", *ONE), ("shift", 0, 1, 1), ("migrate", 0, 1, 2), ("reset", *ONE)),
            *(("migrate", 1, 0, 0), ("rename", *ONE), ("shrink", 0, 1, 0)),
        ),
        2,
        GIT,
    ),
    "a file is not recorded as well where its record gets another name": (
        (
            *(("add", *ONE), ("add", 0, 1, 0), ("branch", 0, 3, 0), ("first", 0, 2, 0), ("commit", *ONE)),
            *(("migrate", 0, 1, 0), ("unshift", 0, 0, 18), ("rename", 0, 13, 3)),
        ),
        1,
        GIT,
    ),
}
"""Lives that went wrong once: their steps, the number of databases, and what was known."""


def life_of(seed: int) -> tuple[list[Step], int, int]:
    """A life by its seed: its steps, and how many apps and databases there are."""
    rng = random.Random(seed)
    kinds = rng.sample(STEPS, 5) + list(OFTEN) if seed % 2 else [*STEPS, *OFTEN]
    beginning = ["add", "add", *rng.sample(["add", "commit", "migrate", "add"], rng.randint(1, 4))]
    named = [*beginning, *rng.choices(kinds, k=rng.randint(2, 14))]
    steps = [(kind, rng.randrange(12), rng.randrange(60), rng.randrange(60)) for kind in named]
    return steps, 1 + (seed % 5 == 0), 1 + (seed % 3 == 0)


def violations(steps: Sequence[Step], apps: int, databases: int, source: Source) -> list[Violation]:
    return list(Judge(Life.of(steps, apps=apps, databases=databases), source).violations())


def shrink(steps: Sequence[Step], apps: int, databases: int, source: Source, kind: str) -> list[Step]:
    """The same violation with as few steps and as small numbers as a simple search finds."""

    def still(tried: Sequence[Step]) -> bool:
        return any(each.kind == kind for each in violations(tried, apps, databases, source))

    steps = list(steps)
    size = len(steps)
    while size:
        place = 0
        while place < len(steps):
            shorter = steps[:place] + steps[place + size :]
            if still(shorter):
                steps = shorter
            else:
                place += size
        size //= 2
    for place in range(len(steps)):
        for part in (1, 2, 3):
            for smaller in range(min(4, int(steps[place][part]))):
                step: list[str | int] = list(steps[place])
                step[part] = smaller
                tried = [*steps[:place], tuple(step), *steps[place + 1 :]]
                if still(tried):  # type: ignore[arg-type]
                    steps = tried  # type: ignore[assignment]
                    break
    return steps


def story(steps: Sequence[Step], apps: int, databases: int, source: Source) -> str:
    """A life that went wrong, as a person reads it."""
    life = Life.of(steps, apps=apps, databases=databases)
    rows = [f"database {n}: {[str(row.key) for row in each.rows]}" for n, each in enumerate(life.databases)]
    found = [f"{each.kind}: {each.text}" for each in Judge(life, source).violations()]
    return "\n".join([f"{steps}, {apps} apps, {databases} databases", *life.taken, *rows, *found])


def seeds(source: Source, quick: int, thorough: int) -> range:
    """The same few on every run, or many from a start that is printed."""
    start = random.SystemRandom().randrange(2**40) if THOROUGH else 0
    print(f"\nlives {start}, {start + 1}, … with {source.name}")
    return range(start, start + examples(quick, thorough))


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_what_a_plan_says_is_true(source: Source) -> None:
    for seed in seeds(source, 40, 1000):
        steps, apps, databases = life_of(seed)
        for found in violations(steps, apps, databases, source):
            steps = shrink(steps, apps, databases, source, found.kind)
            pytest.fail(f"life {seed}: {found.kind}\n{story(steps, apps, databases, source)}")


@pytest.mark.parametrize("name", MENDED)
def test_what_went_wrong_once(name: str) -> None:
    steps, databases, source = MENDED[name]
    assert violations(steps, 1, databases, source) == [], story(steps, 1, databases, source)


def test_lives_have_everything_in_them() -> None:
    """Else the promises above would be cheap."""
    found: Counter[str] = Counter()
    for seed in range(60):
        steps, apps, databases = life_of(seed)
        life = Life.of(steps, apps=apps, databases=databases)
        found.update(each.partition(" ")[0] for each in life.taken)
        for plan in Judge(life, GUARDED).survey.plans:
            found["blocked" if plan.blocked else "changed" if plan.changes else "quiet"] += 1
            found.update({finding.code for finding in plan.findings})
    rare = {"commit", "branch"}
    assert {kind for kind in STEPS if not found[kind]} <= rare, found
    assert min(found[each] for each in ("blocked", "changed", "quiet", "never-ran", "runs-twice", "ran-elsewhere")) > 0


def test_django_runs_what_a_life_runs() -> None:
    """The model's idea of ``migrate`` is Django's own."""
    for seed in range(examples(40, 500)):
        steps, apps, databases = life_of(seed)
        life = Life.of(steps, apps=apps, databases=databases)
        places = [App(app, f"/project/{app}/migrations") for app in life.apps]
        for database in life.databases:
            recorded = frozenset(row.key for row in database.rows)
            verdict = judge(migrations(life.files), places, {}, recorded)
            mine = to_run(life.files, recorded)
            assert (mine is None) == bool(verdict.inconsistent or verdict.conflicts), seed
            assert mine is None or tuple(mine) == verdict.pending, seed
            assert mine is None or tuple(mine) == history_of(life).state(recorded).pending, seed


def test_what_the_guard_wrote_is_as_good_as_git() -> None:
    """Where what ran was committed when it ran, a database that the guard has watched needs no git.

    The plans are the same, and so is whether they are blocked. Only a question may be asked with one of the two: git
    knows what was beside a file.
    """
    compared = 0
    for seed in range(examples(60, 900)):
        steps, apps, databases = life_of(seed)
        life = Life.of(steps, apps=apps, databases=databases)
        if not all(len(known_rows(life, each, GIT, 0)) == len(each.rows) for each in life.databases):
            continue
        guarded, of_git = (outcomes(Judge(life, source).survey.plans) for source in (GUARDED, GIT))
        compared += len(guarded)
        for one, other in zip(guarded, of_git, strict=True):
            assert "asked" in (one, other) or one == other, story(steps, apps, databases, GUARDED)
    assert compared > 10


def outcomes(plans: Sequence[Plan]) -> list[object]:
    """For each plan the rows afterwards, or that it is blocked or asks."""
    return [
        "asked" if any(finding.code == "open-pair" for finding in plan.findings) else plan.blocked or rows_after(plan)
        for plan in plans
    ]


def rows_after(plan: Plan) -> list[Record | None]:
    return [change.after for change in plan.changes]
