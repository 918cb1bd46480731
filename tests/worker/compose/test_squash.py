"""Ranges of a project's migrations, composed by its own Django."""

from __future__ import annotations

import pytest

from migsync.errors import HistoryError
from migsync.history import Key, parse_migration
from migsync.refactor.squash.squash import ask_squash
from migsync.worker.protocol import SquashSpec
from tests.proof.projects import ID, ITEM, Site, add_field, alter_field, migration

MODELS = """\
class Item(models.Model):
    name = models.CharField(max_length=30)
"""
NAME = add_field("item", "name", "CharField(max_length=20, default='')")
LONGER = alter_field("item", "name", "CharField(max_length=30)")
USERS = "from django.contrib.auth.models import AbstractUser\n\nclass User(AbstractUser):\n    pass\n"
OWNER = "migrations.AddField('item', 'owner', models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True))"
SPARE = "migrations.AddField('item', 'spare', models.ForeignKey('people.Spare', models.CASCADE, null=True))"


def on_settings(text: str, *settings: str) -> str:
    entries = ", ".join(f"migrations.swappable_dependency(settings.{name})" for name in settings)
    return text.replace("dependencies = [", f"dependencies = [{entries}, ", 1)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made = Site(tmp_path_factory.mktemp("squash")).settings(
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "people",
        "shop",
        "blog",
        "stock",
        more="AUTH_USER_MODEL = 'people.User'\nSPARE_MODEL = 'people.Spare'\n",
    )
    swappable = "migrations.CreateModel({0!r}, [{1}], options={{'swappable': {2!r}}})"
    made.app(
        "people",
        f"{USERS}\nclass Spare(models.Model):\n    class Meta:\n        swappable = 'SPARE_MODEL'\n",
        {
            "0001_initial": migration(
                swappable.format("User", ID, "AUTH_USER_MODEL"), swappable.format("Spare", ID, "SPARE_MODEL")
            )
        },
    )
    first = ("shop", "0001_initial")
    longer = migration(LONGER, after=[("shop", "0002_name")], run_before=[("blog", "0002_more")], atomic=False)
    made.app(
        "shop",
        MODELS,
        {
            "0001_initial": migration(ITEM, initial=True),
            "0002_name": migration(NAME, after=[first, ("blog", "0001_initial")], initial=False),
            "0003_longer": longer,
            "0004_owner": on_settings(
                migration(
                    OWNER, SPARE, after=[("shop", "0003_longer"), first], head="from django.conf import settings"
                ),
                "AUTH_USER_MODEL",
                "SPARE_MODEL",
            ),
        },
    )
    posts = ITEM.replace("Item", "Post")
    made.app(
        "blog",
        "",
        {
            "0001_initial": migration(posts, initial=True),
            "0002_more": migration(after=[("blog", "0001_initial")]),
            "0003_most": migration(after=[("blog", "0002_more"), ("shop", "0003_longer"), ("shop", "0001_initial")]),
        },
    )
    steps = [
        alter_field("item", "name", "CharField(max_length=20, default='a')"),
        alter_field("item", "name", "CharField(max_length=20, default='b')"),
        add_field("item", "size", "IntegerField(default=1)"),
        alter_field("item", "size", "IntegerField(default=2)"),
    ]
    names = ["0001_initial", "0002_a", "0003_b", "0004_size", "0005_two"]
    files = [migration(ITEM, NAME, initial=True)]
    files += [migration(step, after=[("stock", name)]) for step, name in zip(steps, names, strict=False)]
    made.app("stock", MODELS, dict(zip(names, files, strict=True)))
    return made


SHOP = SquashSpec("shop", ("0002_name", "0003_longer", "0004_owner"), "0002_squashed", heading="Three of four.\nBy us")
BLOG = SquashSpec("blog", ("0001_initial", "0002_more", "0003_most"), "0001_squashed")


def header(request, answer):
    return parse_migration(answer.text.encode(), request.key)


def keys(*names: str) -> set[Key]:
    return {Key.parse(name) for name in names}


class TestRanges:
    def test_headers_are_what_the_ranges_said_and_name_the_squashes(self, site):
        shop, blog = ask_squash(site.project, [SHOP, BLOG])
        assert (shop.before, shop.after, shop.notes) == (4, 3, ())
        assert shop.text.startswith(
            "# Three of four.\n# By us\n\nimport django.db.models.deletion\nfrom django.conf import settings\n"
        )
        made = header(SHOP, shop)
        settings = keys("__setting__.AUTH_USER_MODEL", "__setting__.SPARE_MODEL")
        assert set(made.dependencies) == keys("shop.0001_initial", "blog.0001_squashed") | settings
        assert made.run_before == (Key("blog", "0001_squashed"),)
        assert (made.replaces, made.initial, made.atomic) == ((), False, False)
        made = header(BLOG, blog)
        assert set(made.dependencies) == keys("shop.0001_initial", "shop.0002_squashed")
        assert (made.initial, made.atomic) == (True, True)

    def test_rows_that_are_there_keep_their_values(self, site):
        request = SquashSpec("stock", ("0002_a", "0003_b", "0004_size", "0005_two"), "0002_squashed")
        (stock,) = ask_squash(site.project, [request])
        # As 0001 says, no name is NULL; so none gets a default.
        assert (stock.before, stock.after) == (4, 3)
        (note,) = stock.notes
        assert (note.code, note.found) == (
            "stays-apart",
            "stock.0002_squashed keeps several operations on item.size.",
        )

    def test_in_two_phases_the_old_names_stay(self, site):
        request = SquashSpec(SHOP.app, SHOP.names, SHOP.name, keep_replaces=True, optimize=False)
        (shop,) = ask_squash(site.project, [request])
        assert shop.before == shop.after == 4
        made = header(request, shop)
        assert made.replaces == request.keys
        assert Key("blog", "0001_initial") in made.dependencies
        assert made.run_before == (Key("blog", "0002_more"),)

    def test_what_stands_for_a_migration_can_be_said(self, site):
        stands = {Key("blog", "0001_initial"): (Key("blog", "0001_a"), Key("blog", "0001_b"))}
        (shop,) = ask_squash(site.project, [SHOP], stands=stands)
        assert {it for it in header(SHOP, shop).dependencies if it.app == "blog"} == keys("blog.0001_a", "blog.0001_b")

    def test_a_project_that_does_not_load_is_an_error_with_a_place(self, site):
        (site.root / "shop" / "migrations" / "0002_name.py").write_bytes(b"nothing\n")
        with pytest.raises(HistoryError, match=r"does not load the migrations: NameError.*0002_name\.py:1"):
            ask_squash(site.project, [SHOP])
