"""Every database that is behind comes out the same, or is refused; and the rows that migrations leave are the same."""

from __future__ import annotations

import pytest

from migsync.companion.pipeline import history_after
from migsync.companion.proof.databases import Pair, prove_by_databases
from migsync.companion.proof.wishes import Outcome, Wishes
from migsync.history import read_history
from migsync.rewrites.order import Rewrites
from tests.companion.proof.projects import ITEM, Site, add_field, migration, rewrite

WISHES = Wishes((), (), data=True)
ROWS = """\
    from django.utils import timezone

    def fill(apps, editor):
        Item, Owner = apps.get_model("shop", "Item"), apps.get_model("shop", "Owner")
        {first}
        anne = Owner.objects.create(name="Anne", since=timezone.now())
        Item.objects.create(owner=anne)
    """
NUMBER = add_field("item", "number", "IntegerField(null=True)")
SKU = add_field("item", "sku", "CharField(max_length=20, null=True)")
INDEX = "migrations.AddIndex('item', models.Index(fields=['sku'], name='item_by_sku'))"
NAMES = ("0001_initial", "0002_number", "0003_sku", "0004_index")


def shop(*, index: str = INDEX, head: str = "") -> dict[str, str]:
    """Four migrations in a chain."""
    bodies = ([ITEM], [NUMBER], [SKU], [index])
    before = [[], *([("shop", name)] for name in NAMES)]
    return {
        name: migration(*body, after=after, head=head) for name, body, after in zip(NAMES, bodies, before, strict=False)
    }


@pytest.fixture
def site(tmp_path) -> Site:
    return Site(tmp_path / "site").settings("shop").app("shop", "", shop())


def path(name: str) -> str:
    return f"shop/migrations/{name}.py"


def squashed(site: Site, new: str, *, olds=NAMES[1:], name="0002_squashed", keep: bool = False, **attributes):
    """A proposal by hand: one file for several, and the rewrite that says so."""
    new = migration(new, after=[("shop", NAMES[0])], **attributes) if "class" not in new else new
    created = site.change(None, path(name), new)
    if keep:
        return site.propose(created)
    gone = [site.change(path(old), None) for old in olds]
    after = [name for name in NAMES if name not in olds]
    after.insert(NAMES.index(olds[0]), name)
    return site.propose(created, *gone, rewrite=rewrite("shop", NAMES, after, collapsed=((tuple(olds), (name,)),)))


def prove(site: Site, proposal, wishes: Wishes = WISHES) -> Outcome:
    project = site.project
    old = read_history(project.apps, settings=project.settings)
    pair = Pair(old, history_after(project, old, proposal), Rewrites())
    return prove_by_databases(project, proposal, pair, wishes)


def codes(outcome: Outcome) -> list[tuple[str, str]]:
    return [(finding.code, finding.found) for finding in outcome.findings]


def test_a_squash_that_is_right(site):
    outcome = prove(site, squashed(site, ", ".join([NUMBER, SKU, INDEX])))
    assert codes(outcome) == []
    schema, data, transition = outcome.facts
    assert schema == "Schema: old and new files build the same on SQLite (1 table, 3 columns, 1 other parts)."
    assert data == "Data: the migrations leave the same rows on SQLite (0 rows in 1 table)."
    assert transition == (
        "Transition: of 4 databases that are behind, 2 come out the same on SQLite, 2 are refused before anything is "
        "written (2: run shop.0004_index first)."
    )


def test_a_squash_that_loses_something(site):
    outcome = prove(site, squashed(site, ", ".join([NUMBER, SKU])))
    assert codes(outcome) == [
        ("schema-differs", "The index item_by_sku on shop_item: only the old files make it."),
    ]


def test_right_at_the_end_and_wrong_on_the_way(site):
    """As if a collapse were taken for done when half of it is."""
    half = site.propose(
        site.change(path("0002_number"), path("0002_number"), migration(NUMBER, SKU, after=[("shop", NAMES[0])])),
        site.change(path("0003_sku"), path("0003_sku"), migration(after=[("shop", NAMES[1])])),
    )
    outcome = prove(site, half)
    assert codes(outcome) == [
        (
            "transition-differs",
            "A database that has shop.0002_number last: The column sku on shop_item: only the new files make it.",
        )
    ]
