"""What cannot be carried is told with its place, what it means and what to do; never a traceback or a wrong file."""

from __future__ import annotations

import pytest

from migsync.refactor.squash.squash import ask_squash
from migsync.worker.protocol import SquashSpec
from tests.proof.projects import Site
from tests.worker.compose.stories import INITIAL, MODELS
from tests.worker.compose.test_copies import HEAD, migration, of

MADE = f"""\
{HEAD}
def made(word):
    def inner(apps, schema_editor):
        return word
    return inner
"""
BY_PATH = f"""\
from django.utils.deconstruct import deconstructible
{HEAD}
@deconstructible(path='by_path.migrations.0002_m.Check')
class Check:
    def __call__(self, value): pass
"""
CASES = {
    "in_a_loop": (
        MADE,
        "*[migrations.RunPython(made(word)) for word in ['a', 'b']],",
        "",
        ("the function made.<locals>.inner is created when", 4),
    ),
    "own_class": (
        f"{HEAD}def forwards(apps, schema_editor): return Migration.word\n",
        "migrations.RunPython(forwards),",
        "word = 'a'",
        ("code that has to be copied into the new file uses Migration", 5),
    ),
    "own_apply": (
        HEAD,
        "",
        "def apply(self, state, schema_editor, collect_sql=False): return state",
        ("The class of 0002_m overrides apply.", 4),
    ),
    "by_path": (
        BY_PATH,
        "migrations.AlterField('note', 'text', models.CharField(max_length=200, validators=[Check()])),",
        "",
        ("Django would import a value of an operation from by_path.migrations.0002_m", 0),
    ),
    "not_written": (
        f"import threading\n{HEAD}",
        "migrations.AlterField('note', 'text', models.CharField(max_length=200, default=[threading.Lock()])),",
        "",
        ("Django cannot write an operation of not_written.0001_squashed into a file: Cannot serialize: <unlocked", 0),
    ),
    "by_name": (
        f"{HEAD}from . import first\ndef forwards(apps, schema_editor): first.forwards(apps)\n",
        "migrations.RunPython(forwards),",
        "",
        ("code that has to be copied into the new file imports the migration by_name.migrations.first", 2),
    ),
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("refusals")).settings(*CASES)
    for app, (top, operations, body, _) in CASES.items():
        files = of(app, migration(2, top, operations, body))
        first = {
            "first": INITIAL.replace("[]", f"[('{app}', '0001_initial')]", 1).partition("migrations.Cr")[0] + "]\n"
        }
        site.app(app, MODELS, {"0001_initial": INITIAL, **(first if app == "by_name" else {})})
        (site.root / app / "migrations" / "0002_m.py").write_bytes(files["0002_m"])
    requests = [SquashSpec(app, ("0001_initial", "0002_m"), "0001_squashed") for app in CASES]
    return dict(zip(CASES, ask_squash(site.project, requests), strict=True))


@pytest.mark.parametrize("app", CASES)
def test_refused(answers, app):
    found, line = CASES[app][-1]
    answer = answers[app]
    assert answer.blocked
    assert answer.text == ""
    (note,) = [note for note in answer.notes if note.blocks]
    assert found in note.found
    assert note.line == line
    assert note.meaning
    assert note.hint
    assert not line or note.file.endswith("0002_m.py")
