"""Whatever is suggested keeps what Django makes of the project: random ones, through the pipeline and its proof."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from migsync.history import History, Key
from migsync.refactor.ground import Terms, survey_ground
from migsync.refactor.pipeline import make_draft
from migsync.refactor.squash.ranges import taken
from migsync.refactor.squash.safe_ranges import find_safe_ranges
from migsync.refactor.squash.squash import choose_range, choose_safe_ranges, compose_all, squash
from migsync.sync.survey import open_survey
from tests.profiles import examples
from tests.proof.projects import ID, Site, migration
from tests.refactor.projects import APPS, make_project

FUNCTION = "def change(apps, editor):\n    pass\n"
Field = tuple[Key, str, str]
"""The migration that adds a field, its model and its name."""


def operations(rng: random.Random, history: History, key: Key, fields: list[Field]) -> Iterator[str]:
    """Operations that may follow what comes before `key`; branches may well alter the same field."""
    before = history.ancestors([key]) - {key}
    number = list(history.migrations).index(key)
    known = [field for field in fields if field[0] in before and field[0].app == key.app]
    if not known or rng.random() < 0.2:
        yield f"migrations.CreateModel('M{number}', [{ID}, ('f', models.IntegerField(default=0))])"
        fields.append((key, f"M{number}", "f"))
        return
    _, model, field = rng.choice(known)
    for place in range(rng.randint(1, 3)):
        kind = rng.choice(["add", "alter", "alter", "code", "sql", "index", "link"])
        if kind == "add":
            yield f"migrations.AddField('{model}', 'f{number}_{place}', models.IntegerField(default={place}))"
            fields.append((key, model, f"f{number}_{place}"))
        elif kind == "alter":
            yield f"migrations.AlterField('{model}', '{field}', models.IntegerField(default={rng.randint(1, 9)}))"
        elif kind == "code":
            yield f"migrations.RunPython(change, migrations.RunPython.noop, elidable={rng.random() < 0.5})"
        elif kind == "sql":
            yield f"migrations.RunSQL('SELECT {number}', '')"
        elif kind == "index":
            index = f"models.Index(fields=['{field}'], name='i{number}_{place}')"
            yield f"migrations.AddIndex('{model}', {index})"
        else:
            there = [field for field in fields if field[0] in before]
            to = rng.choice(there)
            link = f"models.ForeignKey('{to[0].app}.{to[1]}', models.CASCADE, null=True, related_name='+')"
            yield f"migrations.AddField('{model}', 'l{number}_{place}', {link})"


def written(root: Path, seed: int, size: int) -> Site:
    rng = random.Random(seed)
    history = make_project(rng, size, merges=True, squashes=False).history
    site = Site(root).settings(*APPS)
    for app in APPS:
        site.app(app, "", {})
    fields: list[Field] = []
    for key in history.order:
        it = history.migrations[key]
        made = list(operations(rng, history, key, fields)) if it.operations else []
        more = {"run_before": list(map(tuple, it.run_before))} if it.run_before else {}
        text = migration(*made, after=[tuple(up) for up in it.dependencies], head=FUNCTION, **more)
        site.write({f"{key.app}/migrations/{key.name}.py": text})
    return site


@settings(
    max_examples=examples(2, 20),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.integers(0, 2**32), st.integers(30, 60))
def test_what_is_suggested_is_proven(seed: int, size: int) -> None:
    note(f"seed {seed}, {size} migrations")
    with tempfile.TemporaryDirectory() as directory:
        project = written(Path(directory).resolve(), seed, size).project
        with open_survey(project) as survey:
            ground = survey_ground(survey, ())
            history = survey.history
            used = taken(history, survey.rewrites, ground.applied.values())
            runs = find_safe_ranges(history)
            choices = [choose_safe_ranges(history, used)]
            if runs:
                run = random.Random(seed).choice(runs)
                choices.append(choose_range(history, used, run.app, run.names[0], run.names[-1]))
            for choice in choices:
                found, answers = compose_all(project, choice, optimize=True)
                draft = make_draft(ground, squash(history, found, answers), Terms(created="2026-11-21T12:00:00Z"))
                assert not draft.blocked, [finding.found for finding in draft.findings if finding.blocks]
                assert len(found.ranges) == len(choice.ranges)
                gone = sum(len(each.keys) - 1 for each in choice.ranges)
                assert len(history.migrations) - len(draft.history.migrations) == gone
