"""What operations use goes with them into the new file, as it was written, and does there what it did."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest

from tests.worker.compose.stories import squash

HEAD = """\
from django.db import migrations, models
"""


def migration(number: int, top: str, operations: str, body: str = "", encoding: str = "utf-8") -> bytes:
    before = "0001_initial" if number == 2 else f"{number - 1:04}_m"
    lines = "".join(f"        {line}\n" for line in dedent(operations).splitlines())
    inner = "".join(f"    {line}\n" if line else "\n" for line in dedent(body).splitlines())
    return (
        f"{dedent(top)}\n\nclass Migration(migrations.Migration):\n"
        f"    dependencies = [(APP, '{before}')]\n{inner}    operations = [\n{lines}    ]\n"
    ).encode(encoding)


def of(app: str, *files: bytes, **helpers: str) -> dict[str, bytes]:
    named = {f"{number:04}_m": content for number, content in enumerate(files, 2)}
    named |= {name: text.encode() for name, text in helpers.items()}
    return {name: content.replace(b"APP", repr(app).encode()) for name, content in named.items()}


ONE_NAME = of(
    "one_name",
    migration(
        2,
        f"""\
{HEAD}

BATCH = 2
NAMES = ["a",  'b']   # as they came


def _batch(names):
    return "+".join(names[:BATCH])


# Says the names.
def forwards(apps, schema_editor):
    apps.get_model(APP, 'Note').objects.create(text=_batch(NAMES))
""",
        "migrations.RunPython(forwards, migrations.RunPython.noop),",
    ),
    migration(
        3,
        f"""\
{HEAD}

BATCH = 1
NAMES = ["a",  'b']   # as they came


def _batch(names):
    return "+".join(names[:BATCH])


def forwards(apps, schema_editor):
    forwards_0003 = NAMES; forwards = "NAMES"   # a local of that name
    apps.get_model(APP, 'Note').objects.create(text=_batch(forwards_0003) + forwards)
""",
        "migrations.RunPython(code=forwards, atomic=False, hints={'a': 1}),",
    ),
)
"""Two functions of one name; a constant that differs, so does what uses it though it is one text; one that is equal."""

IMPORTS = of(
    "imports",
    migration(
        2,
        f"""\
# -*- coding: latin-1 -*-
from __future__ import annotations
{HEAD}import datetime as dt, os.path
from datetime import date as day
from . import _words as w
from ._words import (
    greeting,  # polite
)
from ._many import *
try:
    from nowhere_at_all import speed
except ImportError:
    speed = 'slow'

def forwards(apps, schema_editor):
  '''Größe: not as black has it'''
  text = [os.path.join('a', 'b'), dt.date(2020,1,1).isoformat(), day(2021,1,1).isoformat()]
  text += [w.bye, greeting, many, speed]
  apps.get_model(APP, 'Note').objects.create(text=' '.join(text))
""",
        "migrations.RunPython(forwards),",
        encoding="latin-1",
    ),
    migration(
        3,
        f"""\
{HEAD}
import datetime
from datetime import datetime as day

def other(apps, schema_editor):
    apps.get_model(APP, 'Note').objects.create(text=day(2022,1,1,tzinfo=datetime.timezone.utc).isoformat())
""",
        "migrations.RunPython(other),",
    ),
    _words="bye = 'bye'\ngreeting = 'hello'\n",
    _many="many = 'many'\nnone = None\n",
)

CALLABLES = of(
    "callables",
    migration(
        2,
        f"""\
from functools import partial, lru_cache, wraps
{HEAD}
def logged(function):
    def inner(apps, schema_editor):
        apps.get_model(APP, 'Note').objects.create(text='logged')
        return function(apps, schema_editor)
    return inner

class Filler:
    'Says a word.'
    count: int = 0

    def __init__(self, word):
        self.word = word

    def __call__(self, apps, schema_editor):
        apps.get_model(APP, 'Note').objects.create(text=f"{{self.word}} {{Filler.count}}")

    @staticmethod
    def static(apps, schema_editor):
        Filler('static')(apps, schema_editor)

    @classmethod
    def of_class(cls, apps, schema_editor):
        cls('class')(apps, schema_editor)

    def bound(self, apps, schema_editor):
        self(apps, schema_editor)

def say(apps, schema_editor, text): apps.get_model(APP, 'Note').objects.create(text=text)

def saying(text):
    return lambda apps, schema_editor: say(apps, schema_editor, text)

@logged
def decorated(apps, schema_editor):
    say(apps, schema_editor, 'decorated')

filler = Filler('filler')
short = lambda apps, schema_editor: say(apps, schema_editor, 'short')
""",
        """\
migrations.RunPython(filler),
migrations.RunPython(Filler('in place')),
migrations.RunPython(Filler.static, Filler.of_class),
migrations.RunPython(Filler.of_class),
migrations.RunPython(filler.bound),
migrations.RunPython(partial(say, text='partial')),
migrations.RunPython(decorated),
migrations.RunPython(short, lambda apps, schema_editor: None),
migrations.RunPython(
    lambda apps, schema_editor: say(
        apps, schema_editor, 'lambda'),
),
migrations.RunPython(of_migration),
migrations.RunPython(first),
migrations.SeparateDatabaseAndState(database_operations=[migrations.RunPython(second)]),
""",
        body="""\
prefix = 'made'

def of_migration(apps, schema_editor):
    '''Text
    on two lines'''
    say(apps, schema_editor, 'of the migration')

first, second = saying(f'{prefix} 1'), saying(prefix + ' 2')

""",
    ),
)

MODEL_PARTS = of(
    "model_parts",
    migration(
        2,
        f"""\
from django.core.exceptions import ValidationError
from django.db.models import CharField as Base
from django.utils.deconstruct import deconstructible
{HEAD}
def default():
    return 'said by default'

def check(value):
    raise ValidationError(value)

@deconstructible
class AtMost:
    def __init__(self, most): self.most = most
    def __call__(self, value): check(value)
    def __eq__(self, other): return self.most == other.most

class Field(Base):
    pass

class Manager(models.Manager):
    use_in_migrations = True
    def say(self): self.create()

class Say(migrations.RunSQL):
    def __init__(self, text):
        self.text = text
        super().__init__(f"INSERT INTO model_parts_note (text) VALUES ('{{text}}')")

    def deconstruct(self):
        return 'Say', [], {{'text': self.text}}

class Word(migrations.RunPython):
    def __init__(self, word, end=''):
        super().__init__(lambda apps, schema_editor: apps.get_model(APP, 'Note').objects.create(text=word + end))

def forwards(apps, schema_editor):
    apps.get_model(APP, 'Note').objects.say()
""",
        """\
migrations.AlterField('note', 'text', Field(max_length=200, default=default, validators=[check, AtMost(3)])),
migrations.AlterModelManagers('note', [('objects', Manager())]),
migrations.RunPython(forwards),
Say('by an operation of its own'),
migrations.SeparateDatabaseAndState([Word('word', end='!')]),
""",
    ),
    migration(
        3,
        HEAD,
        """\
migrations.AlterField('note', 'text', models.CharField(max_length=200)),
migrations.AlterModelManagers('note', []),
""",
    ),
)

COMMENTS = of(
    "comments",
    migration(
        2,
        f"""\
'''Why there are rows.'''
{HEAD}
import sys
sys.path.append(sys.path.pop())
""",
        """\
# First the rows.
# In one go.
migrations.RunSQL("INSERT INTO comments_note (text) VALUES ('# no comment')"),  # rows
# The length.
migrations.AlterField('note', 'text', models.CharField(max_length=150)),
""",
    ),
    migration(
        3,
        HEAD,
        """\
migrations.AlterField('note', 'text', models.CharField(max_length=200)),
migrations.RunSQL("INSERT INTO comments_note (text) VALUES ('gone')", elidable=True),
""",
    ),
    migration(4, HEAD, "*([migrations.RunSQL('SELECT 1')] if models else []),"),
    migration(5, HEAD, "migrations.RunSQL('SELECT 1' if models else 'SELECT 2'),"),
)

TOGETHER = of(
    "together",
    migration(
        2,
        HEAD,
        """\
migrations.CreateModel('Pair', [('id', models.AutoField(primary_key=True)), ('a', models.IntegerField())]),
migrations.AddField('pair', 'b', models.IntegerField()),
migrations.AlterUniqueTogether('pair', {('a', 'b'), ('b', 'id')}),
migrations.RunSQL("INSERT INTO together_note (text) VALUES ('between')"),
migrations.AlterUniqueTogether('pair', {('b', 'id')}),
migrations.RunSQL("INSERT INTO together_note (text) SELECT sql FROM sqlite_master WHERE name = 'together_pair'"),
migrations.DeleteModel('Pair'),
""",
    ),
)

APPS = {
    "together": TOGETHER,
    "one_name": ONE_NAME,
    "imports": IMPORTS,
    "callables": CALLABLES,
    "model_parts": MODEL_PARTS,
    "comments": COMMENTS,
}


@pytest.fixture(scope="module")
def squashed(tmp_path_factory):
    return squash(tmp_path_factory.mktemp("stories"), APPS)


def text(squashed, app):
    found = squashed.answers[app].text
    ast.parse(found)
    return found


class TestWhatTheyDid:
    def test_two_functions_of_one_name(self, squashed):
        assert squashed.notes["one_name"] == ["a+b", "aNAMES"]

    def test_imports(self, squashed):
        assert squashed.notes["imports"] == [
            "a/b 2020-01-01 2021-01-01 bye hello many slow",
            "2022-01-01T00:00:00+00:00",
        ]

    def test_callables(self, squashed):
        expected = ["filler 0", "in place 0", "static 0", "class 0", "filler 0", "partial", "logged", "decorated"]
        expected += ["short", "lambda", "of the migration", "made 1", "made 2"]
        assert squashed.notes["callables"] == expected

    def test_parts_of_models_and_operations_of_their_own(self, squashed):
        assert squashed.notes["model_parts"] == ["said by default", "by an operation of its own", "word!"]

    def test_what_django_makes_last_is_not_taken_away_before(self, squashed):
        assert squashed.notes["together"][0] == "between"
        assert "unique_together': {('b', 'id')}" in squashed.answers["together"].text


class TestHowTheyAreWritten:
    def test_source_is_kept_byte_for_byte_but_for_names(self, squashed):
        made = text(squashed, "one_name")
        assert """NAMES = ["a",  'b']   # as they came\n""" in made
        assert made.count("NAMES = [") == 1, "equal, and never changed: one for both"
        assert "\n\n\n# Says the names.\ndef forwards(apps, schema_editor):\n" in made
        assert 'def _batch_0003(names):\n    return "+".join(names[:BATCH_0003])\n' in made
        # forwards_0003 is taken by a variable.
        assert "def forwards_0003_2(apps, schema_editor):\n" in made
        assert '    forwards_0003 = NAMES; forwards = "NAMES"   # a local of that name\n' in made
        assert "text=_batch_0003(forwards_0003) + forwards)" in made

    def test_options_of_operations_are_kept(self, squashed):
        made = text(squashed, "one_name")
        assert "reverse_code=migrations.RunPython.noop," in made
        assert "            atomic=False,\n            hints={'a': 1},\n" in made

    def test_imports_are_merged_with_those_of_django(self, squashed):
        made = text(squashed, "imports")
        head = made.partition("\n\n\n")[0]
        assert head == dedent(
            """\
            from __future__ import annotations

            import datetime
            import datetime as dt
            import os.path
            from datetime import date as day, datetime as day_0003
            from django.db import migrations, models
            from imports.migrations._many import many
            from . import _words as w
            from ._words import greeting"""
        )
        assert "  '''Größe: not as black has it'''\n" in made

    def test_comments_stay_with_their_operations_or_are_told_at_the_top(self, squashed):
        made = text(squashed, "comments")
        assert made.startswith("# Comments that stood in other files, and have no place below:\n")
        assert "#   0002_m, line 1: Why there are rows.\n" in made
        assert ": The length.\n" in made
        above = "        # First the rows.\n        # In one go.\n        # rows\n        migrations.RunSQL(\n"
        assert above in made
        (elided,) = squashed.answers["comments"].elided
        assert elided == (("comments", "0003_m"), "RunSQL INSERT INTO comments_note (text) VALUES ('gone')")
        told = [(note.code, note.found) for note in squashed.answers["comments"].notes]
        for name in ("0004_m", "0005_m"):
            assert ("made-operations", f"The operations of {name} are computed when the file is imported.") in told
        assert ("side-effect", "0002_m runs this when it is imported: sys.path.append(sys.path.pop())") in told
