"""What the cases share: a file before and after an edit, and the edit that most of them make."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest

from migsync.edits import CannotEdit, MigrationEdit, edit_migration
from migsync.history import Key, parse_migration

B, C = Key("shop", "0002_b"), Key("shop", "0003_b")
MERGE, X, Y = Key("shop", "0005_merge"), Key("shop", "0004_x"), Key("shop", "0004_y")
GONE = Key("shop", "0006_gone")

RENAMES = MigrationEdit("shop", {B: (C,), MERGE: (X, Y), GONE: ()})
PATH = "shop/migrations/0009_z.py"

FILE = """\
# Made by hand.
from django.conf import settings
from django.db import migrations
{above}

class Migration(migrations.Migration):
    # What comes first:
{body}

    operations = [migrations.RunSQL("select '0002_b' from shop")]  # shop.0002_b
"""


def file(body: str, above: str = "") -> str:
    return FILE.format(above=dedent(above).strip("\n"), body=indent(dedent(body).strip("\n"), "    "))


def edited(source: bytes, edit: MigrationEdit = RENAMES) -> bytes:
    return edit_migration(source, PATH, edit)


def check_noop(body: str, above: str = "", edit: MigrationEdit = RENAMES) -> None:
    source = file(body, above).encode()
    assert edited(source, edit) == source


def check_transformed(
    before: str, after: str, edit: MigrationEdit = RENAMES, *, above: str = "", above_after: str | None = None
) -> None:
    old = file(before, above).encode()
    new = file(after, above if above_after is None else above_after).encode()
    assert edited(old, edit).decode() == new.decode()
    assert edited(new, MigrationEdit(edit.app, parents=edit.parents)) == new
    assert parse_migration(new, Key("shop", "0009_z")).digest == parse_migration(old, Key("shop", "0009_z")).digest


def check_refused(body: str, above: str = "", *, text: str, found: str, edit: MigrationEdit = RENAMES) -> None:
    """The edit is refused, and the line that the error names holds `text`."""
    source = file(body, above)
    with pytest.raises(CannotEdit) as caught:
        edited(source.encode(), edit)
    assert caught.value.found.startswith(f"{PATH}:{caught.value.line}: ")
    assert text in source.splitlines()[caught.value.line - 1]
    assert found in caught.value.found
    assert caught.value.meaning
    assert caught.value.hint
