"""Operations of one's own that are called otherwise than the class they are made from."""

from __future__ import annotations

from migsync.refactor.squash.squash import ask_squash
from migsync.worker.protocol import SquashSpec
from tests.proof.projects import ITEM, Site, migration

FILL = """\
from django.db import migrations


class Fill(migrations.RunPython):
    def __init__(self, model, *, value=0):
        super().__init__(lambda apps, editor: None, migrations.RunPython.noop)
        self.model, self.value = model, value
"""


def test_a_subclass_with_arguments_of_its_own_is_written_as_it_was_called(tmp_path):
    inner = "migrations.SeparateDatabaseAndState(database_operations=[Fill('inner')])"
    head = "from shop.operations import Fill"
    site = Site(tmp_path).settings("shop").write({"shop/operations.py": FILL})
    site.app(
        "shop",
        "",
        {
            "0001_initial": migration(ITEM),
            "0002_fill": migration("Fill('item', value=3)", after=[("shop", "0001_initial")], head=head),
            "0003_inner": migration(inner, after=[("shop", "0002_fill")], head=head),
        },
    )
    request = SquashSpec("shop", ("0002_fill", "0003_inner"), "0002_squashed_0003_inner")
    (answer,) = ask_squash(site.project, [request])
    assert not answer.blocked, answer.notes
    text = "".join(answer.text.split())
    assert "shop.operations.Fill(model='item',value=3,)" in text
    assert "shop.operations.Fill(model='inner',)" in text
