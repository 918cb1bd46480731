"""Tables as operations make them: what is a difference between two of them, and what is only written in another way.

The cases are made after edits that people made in real projects to files that had run.
"""

from __future__ import annotations

import pytest

from migsync.history.contents import Contents
from migsync.history.tables import TableState, differences
from migsync.rewrites.record import Record
from migsync.sync.other_apps import OtherApps
from tests.history.operations.test_operations import of

IMPORTS = """
import django.contrib.postgres.fields
import django.contrib.postgres.fields.jsonb
import lib.fields
from django.conf import settings
from django.contrib.postgres.fields import ArrayField, JSONField as Json
"""


def tables(operations: str) -> TableState:
    found = TableState()
    found.run(of(operations, above=IMPORTS))
    return found


def missing(ran: str, now: str) -> list[str]:
    """The parts that the file of today claims, and that what ran has not made."""
    return [str(each.place) for each in differences(tables(now), tables(ran), "shop")]


def field(text: str) -> str:
    return f"migrations.AddField('item', 'price', {text})"


@pytest.mark.parametrize(
    ("ran", "now"),
    [
        ("Json(default=dict)", "models.JSONField(default=dict)"),
        ("django.contrib.postgres.fields.jsonb.JSONField(null=True)", "models.JSONField(null=True)"),
        ("django.contrib.postgres.fields.JSONField()", "Json()"),
        ("ArrayField(Json())", "django.contrib.postgres.fields.ArrayField(Json())"),
        # The class is gone from the code, and with it from old files; what it made is not known.
        ("lib.fields.JSONField(null=True)", "lib.fields.JSONBlob(null=True)"),
        ("lib.fields.TreeKey('shop.item', models.CASCADE)", "models.ForeignKey('shop.item', models.CASCADE)"),
        ("models.DateTimeField(null=True)", "lib.fields.ZonedField(null=True)"),
        ("lib.fields.Url(max_length=9, verify=True)", "lib.fields.Url(max_length=9)"),
        ("ArrayField(lib.fields.Url(max_length=9))", "ArrayField(lib.fields.Url(max_length=8))"),
        (
            "models.TextField(db_index=True)",
            "models.TextField(db_index='x' in settings.DATABASES)",
        ),
        # Which model it is, only another module knows.
        ("lib.fields.Key(to='shop.Item')", "lib.fields.Key(to=lib.model('shop.Item'))"),
        ("models.ForeignKey('shop.Item', models.CASCADE)", "models.ForeignKey(lib.model('shop.Item'), models.CASCADE)"),
        ("models.ForeignKey(b'shop.Item', models.CASCADE)", "models.ForeignKey('shop.Item', models.CASCADE)"),
        ("models.TextField(null=settings.A == 1)", "models.TextField(null=settings.A == 2)"),
    ],
)
def test_columns_that_may_be_the_same(ran: str, now: str) -> None:
    assert missing(field(ran), field(now)) == missing(field(now), field(ran)) == []


@pytest.mark.parametrize(
    ("ran", "now"),
    [
        ("Json()", "models.JSONField(null=True)"),
        ("Json()", "models.TextField()"),
        ("lib.fields.Url(max_length=9)", "lib.fields.Url(max_length=8)"),
        ("lib.fields.Url(max_length=9)", "lib.fields.Url(max_length=9, unique=True)"),
        ("ArrayField(models.CharField(max_length=9))", "ArrayField(models.CharField(max_length=8))"),
    ],
)
def test_columns_that_are_different(ran: str, now: str) -> None:
    assert missing(field(ran), field(now)) == missing(field(now), field(ran)) == ["item.price"]


def test_names_as_bytes() -> None:
    """As Django wrote them on Python 2."""
    assert missing("migrations.CreateModel(b'Item', [(b'a', models.TextField())])", field("models.TextField()"))
    assert (
        missing(
            "migrations.CreateModel(b'Item', [(b'price', models.TextField())])",
            "migrations.CreateModel('Item', [('price', models.TextField())])",
        )
        == []
    )


TOGETHER = "migrations.AlterIndexTogether('item', {('a', 'b')})"
UNIQUE = "migrations.AlterUniqueTogether('item', {('a', 'b')})"


def index(columns: list[str], name: str = "x", kind: str = "Index", more: str = "") -> str:
    operation, argument = ("AddIndex", "index") if kind == "Index" else ("AddConstraint", "constraint")
    return f"migrations.{operation}('item', {argument}=models.{kind}(fields={columns}, name='{name}'{more}))"


@pytest.mark.parametrize(
    ("ran", "now"),
    [
        # Django 5.1 has no index_together any more, so people write indexes into the old files.
        (TOGETHER, index(["a", "b"])),
        (index(["a", "b"]), TOGETHER),
        (index(["a", "b"], "x"), index(["a", "b"], "y")),
        (UNIQUE, index(["a", "b"], kind="UniqueConstraint")),
        ("migrations.AlterUniqueTogether('item', {('a', 'b'), ('c', 'd')})", UNIQUE),
        (f"{TOGETHER}, {index(['c'])}", "migrations.AlterIndexTogether('item', {('a', 'b'), ('c',)})"),
        (
            "migrations.CreateModel('Item', [], options={'index_together': {('a', 'b')}})",
            f"migrations.CreateModel('Item', []), {index(['a', 'b'])}",
        ),
        (
            "migrations.AddIndex('item', lib.fields.Lower(fields=['a'], name='x'))",
            "migrations.AddIndex('item', lib.fields.Upper(fields=['a'], name='x'))",
        ),
    ],
)
def test_indexes_are_known_by_their_columns(ran: str, now: str) -> None:
    assert missing(ran, now) == []


@pytest.mark.parametrize(
    ("ran", "now", "parts"),
    [
        (TOGETHER, index(["b", "a"]), ["x of item"]),
        (index(["a", "b"]), UNIQUE, ["unique_together of item"]),
        (TOGETHER, "migrations.AlterIndexTogether('item', {('a', 'b'), ('c', 'd')})", ["index_together of item"]),
        (index(["a"], more=", condition=models.Q(b=1)"), index(["a"]), ["x of item"]),
        (index(["a"]), index(["a"], more=", condition=models.Q(b=1)"), ["x of item"]),
        (index(["a"]).replace("'item'", "'other'"), index(["a"]), ["x of item"]),
        # The columns of x have other names now, which are not known; y it is not.
        (
            f"{index(['a'])}, migrations.RenameField('item', 'a', 'b')",
            f"{index(['b'])}, {index(['c'], 'y')}",
            ["y of item"],
        ),
    ],
)
def test_indexes_that_are_missing(ran: str, now: str, parts: list[str]) -> None:
    assert missing(ran, now) == parts


def model(name: str, *fields: str, **options: str) -> str:
    columns = ", ".join(f"('{field.partition('=')[0]}', {field.partition('=')[2]})" for field in fields)
    return f"migrations.CreateModel('{name}', [{columns}], options={options!r})"


ID = "id=models.BigAutoField(primary_key=True)"
TO_ITEM, TO_TAG = (
    "item=models.ForeignKey('shop.item', models.CASCADE)",
    "tag=models.ForeignKey('shop.tag', models.CASCADE)",
)
COST, PRICE = "cost=models.IntegerField()", "price=models.IntegerField()"
INDEX = "migrations.AddIndex('item', models.Index(fields=['%s'], name='by_price'))"
TAGS = "tags=models.ManyToManyField('shop.Tag')"
THROUGH = "tags=models.ManyToManyField('shop.Tag', through='shop.ItemTag')"
TAG = model("Tag", ID)
LINKED = f"{TAG}, {model('Item', ID, TAGS)}"
LINKS = "links=models.ManyToManyField('self')"
PROXY = "migrations.CreateModel('Special', [], options={'proxy': True}, bases=('shop.item',))"


def through(*more: str) -> str:
    link = model("ItemTag", ID, TO_ITEM, TO_TAG, *more, db_table="shop_item_tags")
    return f"{TAG}, {model('Item', ID, THROUGH)}, {link}"


def through_itself(one: str, other: str) -> str:
    """A model of its own for the table of `links`."""
    ends = [f"{name}=models.ForeignKey('shop.item', models.CASCADE)" for name in (one, other)]
    links = LINKS.replace("'self'", "'self', through='shop.Link'")
    return f"{model('Item', ID, links)}, {model('Link', ID, *ends, db_table='shop_item_links')}"


def in_state(link: str = "") -> str:
    """The automatic table is that of a model from then on, as people write it by hand."""
    link = link or model("ItemTag", ID, TO_ITEM, TO_TAG, db_table="shop_item_tags")
    return f"migrations.SeparateDatabaseAndState(state_operations=[{link}])"


RENAMED = "migrations.AlterModelTable('itemtag', None)"


@pytest.mark.parametrize(
    ("ran", "now"),
    [
        # A model got another name, and kept its table or took it along.
        (
            f"{model('Item', ID)}, migrations.RenameModel('Item', 'Thing'), "
            "migrations.AlterModelTable('thing', 'shop_item')",
            model("Thing", ID, db_table="shop_item"),
        ),
        (f"{model('Item', ID)}, migrations.RenameModel('Item', 'Thing')", model("Thing", ID)),
        # An automatic many-to-many table got a model of its own.
        (LINKED, through()),
        (f"{LINKED}, {in_state()}", through()),
        (f"{LINKED}, {in_state()}, {RENAMED}", f"{through()}, {RENAMED}"),
        (f"{LINKED}, {in_state(model('Other', ID))}", LINKED),
        (model("Item", ID, LINKS), through_itself("from_item", "to_item")),
        # A foreign key counts by the table in which it ends.
        (
            f"{model('Item', ID)}, {model('Note', ID, TO_ITEM)}, migrations.RenameModel('Item', 'Thing')",
            f"{model('Thing', ID)}, {model('Note', ID, TO_ITEM.replace('shop.item', 'shop.thing'))}",
        ),
        (
            f"{model('Item', ID)}, {PROXY}, {model('Note', ID, TO_ITEM)}",
            f"{model('Item', ID)}, {PROXY}, {model('Note', ID, TO_ITEM.replace('shop.item', 'shop.special'))}",
        ),
        (
            model("Note", ID, "user=models.ForeignKey('auth.User', models.CASCADE)"),
            model("Note", ID, "user=models.ForeignKey('accounts.User', models.CASCADE)"),
        ),
        # An index follows its columns.
        (
            f"{model('Item', ID, COST)}, {INDEX % 'cost'}, migrations.AlterUniqueTogether('item', [('cost', 'id')]), "
            "migrations.RenameField('item', 'cost', 'price')",
            f"{model('Item', ID, PRICE)}, {INDEX % 'price'}, migrations.AlterUniqueTogether('item', [('price', 'id')])",
        ),
        # What only running the file shows.
        (model("Item", ID), "migrations.CreateModel('Item', lib.fields.all())"),
    ],
)
def test_tables_are_compared_and_not_models(ran: str, now: str) -> None:
    assert missing(ran, now) == missing(now, ran) == []


@pytest.mark.parametrize(
    ("ran", "now", "parts"),
    [
        (TAG, LINKED, ["item", "item.id", "item.tags"]),
        (f"{TAG}, {model('Item', ID)}", LINKED, ["item.tags"]),
        (LINKED, through("since=models.DateTimeField()"), ["itemtag.since"]),
        (f"{LINKED}, {in_state()}, {RENAMED}", LINKED, ["item.tags"]),
        (model("Item", ID, LINKS), through_itself("parent", "child"), ["link.child", "link.parent"]),
        (model("Thing", ID), model("Thing", ID, db_table="shop_item"), ["thing", "thing.id"]),
        (
            f"{LINKED}, {model('Note', ID, TO_ITEM)}",
            f"{LINKED}, {model('Note', ID, TO_ITEM.replace('shop.item', 'shop.tag'))}",
            ["note.item"],
        ),
    ],
)
def test_tables_that_are_missing(ran: str, now: str, parts: list[str]) -> None:
    assert sorted(missing(ran, now)) == parts


@pytest.mark.parametrize(
    ("ran", "now", "needed"),
    [
        ("models.IntegerField()", "models.IntegerField(null=True)", True),
        ("models.IntegerField(null=True)", "models.IntegerField()", False),
        ("models.CharField(max_length=1)", "models.CharField(max_length=2)", False),
    ],
)
def test_code_fails_without_null(ran: str, now: str, needed: bool) -> None:
    (found,) = differences(tables(field(now)), tables(field(ran)), "shop")
    assert (found.missing, found.needed) == (False, needed)


def test_a_custom_user_takes_the_table_of_the_package() -> None:
    """As does a model that moved here with its table."""
    user = of(model("User", ID), app="auth")
    records = [Record(1, "auth", "0001_initial", ""), Record(2, "authors", "0001_initial", "")]
    contents = {"auth": Contents(tuple(user)), "authors": Contents()}
    others = OtherApps(records, lambda record: contents[record.app])
    assert [table for table in ("auth_user", "auth_group", "shop_user") if others.have(table)] == ["auth_user"]
