"""Migrations whose class is not quite Django's: what becomes of its base class, its attributes and its comments."""

from __future__ import annotations

import pytest

from migsync.companion.composing.asking import SquashRequest, ask_squash
from migsync.companion.remaking.asking import RemakeRequest, ask_remake
from tests.companion.composing.stories import INITIAL, MODELS
from tests.companion.proof.projects import Site

SAFE = "from django.db import migrations\n\nclass Safe(migrations.Migration):\n    safe = 'before'\n"
OWN = "class Migration(Safe):\n    safe = 'after'"
PLAIN = "class Migration(migrations.Migration):"
HEAD = "from django.db import migrations, models\n"


def second(app: str) -> str:
    return (
        f"{HEAD}from config_safe import Safe\n\n\n{OWN}\n    WORDS = ['a']\n"
        f"    dependencies = [({app!r}, '0001_initial')]\n"
        "    operations = [migrations.RunSQL(word, '') for word in WORDS]\n"
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made = Site(tmp_path_factory.mktemp("classes")).settings("same", "mixed").write({"config_safe.py": SAFE})
    for app in ("same", "mixed"):
        first = INITIAL.replace(PLAIN, "class Migration(Safe):") if app == "same" else INITIAL
        first = first.replace(HEAD, f"{HEAD}from config_safe import Safe\n")
        made.app(app, MODELS, {"0001_initial": first, "0002_m": second(app)})
    return made


def told(notes) -> list[tuple[str, str, int]]:
    return [(note.code, note.severity, note.line) for note in notes if note.code != "made-operations"]


def test_a_base_class_that_all_have_is_the_squashs_too(site):
    same, mixed = ask_squash(
        site.project, [SquashRequest(app, ("0001_initial", "0002_m"), "0001_s") for app in ("same", "mixed")]
    )
    assert "import config_safe\nfrom django.db" in same.text
    assert "class Migration(config_safe.Safe):\n\n    initial = True" in same.text
    assert told(same.notes) == [("own-attributes", "warning", 6)]
    (note,) = [note for note in same.notes if note.code == "own-attributes"]
    assert note.found == "The class of 0002_m has safe, which Django does not know."
    assert note.file.endswith("0002_m.py")
    assert told(mixed.notes) == [("own-base-class", "error", 5), ("own-attributes", "warning", 6)]


def test_remade_migrations_have_the_base_class_that_all_had(site):
    remade = ask_remake(site.project, RemakeRequest(("same", "mixed"), "remade", {}))
    texts = {key.app: text for key, text in remade.files.items() if key.name.startswith("0001")}
    assert "class Migration(config_safe.Safe):" in texts["same"]
    assert "class Migration(migrations.Migration):" in texts["mixed"]
    found = {(note.app, note.name, *each) for note, each in zip(remade.notes, told(remade.notes), strict=True)}
    assert found == {
        ("same", "0002_m", "own-attributes", "warning", 6),
        ("mixed", "0002_m", "own-base-class", "warning", 5),
        ("mixed", "0002_m", "own-attributes", "warning", 6),
    }
