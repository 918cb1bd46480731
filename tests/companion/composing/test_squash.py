"""Ranges of a project's migrations, composed by its own Django."""

from __future__ import annotations

from migsync.companion.composing.asking import SquashRequest, ask_squash
from migsync.history import Key, parse_migration
from tests.companion.proof.projects import ITEM, Site, add_field, alter_field, migration

MODELS = """\
class Item(models.Model):
    name = models.CharField(max_length=30)
"""
NAME = add_field("item", "name", "CharField(max_length=20, default='')")
LONGER = alter_field("item", "name", "CharField(max_length=30)")
FIRST = ("shop", "0001_initial")


def shop(root, migrations) -> Site:
    return Site(root).settings("shop").app("shop", MODELS, migrations)


def read(answer, name="0002_squashed_0003_longer"):
    return parse_migration(answer.text.encode(), Key("shop", name))


class TestOneRange:
    def test_the_operations_are_merged_and_the_header_says_what_the_range_said(self, tmp_path):
        site = shop(
            tmp_path,
            {
                "0001_initial": migration(ITEM, initial=True),
                "0002_name": migration(NAME, after=[FIRST]),
                "0003_longer": migration(LONGER, after=[("shop", "0002_name")], run_before=[("blog", "0001_initial")]),
            },
        )
        request = SquashRequest("shop", ("0002_name", "0003_longer"), "0002_squashed_0003_longer", heading="One of two")
        (answer,) = ask_squash(site.project, [request])
        assert (answer.before, answer.after, answer.notes) == (2, 1, ())
        assert answer.text.startswith("# One of two\n\nfrom django.db import migrations, models\n\n\nclass Migration(")
        squash = read(answer)
        assert squash.dependencies == (Key(*FIRST),)
        assert squash.run_before == (Key("blog", "0001_initial"),)
        assert (squash.replaces, squash.initial, squash.atomic) == ((), None, True)
