"""A new field whose index is taken away in the same file has none to begin with."""

from __future__ import annotations

import pytest
from django.db import migrations, models

from migsync.worker.compose.deferred import with_indexes_in_time

SLUG = models.SlugField(default="a")
TEXT = models.TextField(default="b")
INDEXED = models.SlugField(default="b", max_length=20)
ITEM = migrations.CreateModel("Item", [("id", models.AutoField(primary_key=True)), ("name", SLUG)])
ADD = migrations.AddField("item", "name", SLUG, preserve_default=False)
RENAMES = [migrations.RenameField("item", "name", "title"), migrations.RenameModel("Item", "Thing")]


@pytest.mark.parametrize("first", [ITEM, ADD])
@pytest.mark.parametrize(
    ("later", "kept"),
    [
        ([migrations.AlterField("item", "name", TEXT)], False),
        ([*RENAMES, migrations.AlterField("thing", "title", TEXT)], False),
        ([migrations.AlterField("item", "name", models.SlugField(unique=True))], False),
        ([migrations.AlterField("item", "name", INDEXED)], True),
        ([migrations.AlterField("item", "name", INDEXED), migrations.AlterField("item", "name", TEXT)], False),
        ([migrations.RemoveField("item", "name")], True),
        ([], True),
    ],
)
def test_index_of_a_new_field(first, later, kept):
    changed, *others = with_indexes_in_time([first, *later])
    assert others == later
    assert (changed is first) == kept
    field = changed.field if first is ADD else dict(changed.fields)["name"]
    assert field.db_index == kept
    assert SLUG.db_index
    assert getattr(changed, "preserve_default", None) == getattr(first, "preserve_default", None)
