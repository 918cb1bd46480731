"""Every way in which a proposal may be wrong is found by Django's own loader, and none where it is right."""

from __future__ import annotations

import pytest

from migsync.errors import ProjectError
from migsync.findings import Severity
from migsync.history import Key
from migsync.proof.proof import Identities, Recorded, prove
from tests.proof.projects import ID, ITEM, Site, add_field, alter_field, migration, rewrite

MODELS = """\
class Item(models.Model):
    name = models.CharField(max_length=20)
    price = models.IntegerField(default=0)
"""
NAME = add_field("item", "name", "CharField(max_length=20, default='')")
NAME_KEPT = "migrations.AddField('item', 'name', models.CharField(max_length=20), preserve_default=False)"
PRICE = add_field("item", "price", "IntegerField(default=0)")
OLD = {
    "0001_initial": migration(ITEM),
    "0003_name": migration(NAME_KEPT, after=[("shop", "0001_initial")]),
    "0007_price": migration(PRICE, after=[("shop", "0003_name")]),
}
RENUMBERED = rewrite(
    "shop",
    ["0001_initial", "0003_name", "0007_price"],
    ["0001_initial", "0002_name", "0003_price"],
    renamed=(("0003_name", "0002_name"), ("0007_price", "0003_price")),
)


CONFIG = "from django.apps import AppConfig\n\nclass Config(AppConfig):\n    name = {!r}\n    label = {!r}\n"


def path(name: str, app: str = "shop") -> str:
    return f"{app}/migrations/{name}.py"


def shop(root, *, migrations=OLD, models=MODELS, more="") -> Site:
    return Site(root).settings("shop", more=more).app("shop", models, migrations)


def renumbered(site: Site):
    """The right proposal for OLD."""
    return site.propose(
        site.change(path("0003_name"), path("0002_name")),
        site.change(path("0007_price"), path("0003_price"), migration(PRICE, after=[("shop", "0002_name")])),
        rewrite=RENUMBERED,
        shop=1,
    )


def said(proof) -> list[tuple[str, str]]:
    return [(finding.code, finding.found) for finding in proof.findings]


def codes(proof) -> list[str]:
    return [finding.code for finding in proof.findings]


def keys(*names: str) -> frozenset[Key]:
    return frozenset(Key("shop", name) for name in names)


def tree(root):
    return {file: file.read_bytes() for file in root.rglob("*") if file.is_file()}


class TestWhatIsEqual:
    def test_what_stands_in_a_set_has_the_same_order_before_and_after(self, tmp_path):
        """pretalx's time zones come from a set, and were a change of the models in every other proof."""
        zones = "CharField(max_length=20, choices=[(zone, zone) for zone in set('abcdefghijklmnopqrstuvwxyz')])"
        models = f"{MODELS}    zone = models.{zones}\n"
        site = shop(tmp_path, migrations={**OLD, "0009_zone": migration(after=[("shop", "0007_price")])}, models=models)
        file = site.change(path("0009_zone"), path("0004_zone"))
        found = codes(prove(site.project, site.propose(file)))
        assert "models-ahead" in found
        assert "model-changes" not in found

    def test_a_right_proposal_passes_and_nothing_is_written(self, tmp_path):
        site = shop(tmp_path)
        proposal = renumbered(site)
        before = tree(tmp_path)
        proof = prove(site.project, proposal)
        assert said(proof) == []
        assert tuple(fact.words for fact in proof.facts.proven) == (
            "Django loads 3 migrations.",
            "The state is equal in 1 app (1 model).",
            "`makemigrations --check` finds nothing new.",
            "`migrate --plan` is the same for a fresh database.",
        )
        assert tree(tmp_path) == before

    def test_two_files_may_swap_their_names(self, tmp_path):
        site = shop(tmp_path, migrations=OLD | {"0003_name": OLD["0003_name"]})
        proposal = site.propose(
            site.change(path("0003_name"), path("0007_price"), OLD["0003_name"]),
            site.change(path("0007_price"), path("0003_name"), migration(PRICE, after=[("shop", "0007_price")])),
            rewrite=rewrite("shop", OLD, OLD, renamed=(("0003_name", "0007_price"), ("0007_price", "0003_name"))),
            shop=1,
        )
        assert said(prove(site.project, proposal)) == []

    def test_model_changes_that_were_pending_before_are_told_and_tolerated(self, tmp_path):
        site = shop(tmp_path, models=MODELS + "    note = models.TextField()\n")
        proof = prove(site.project, renumbered(site))
        assert not proof.blocked
        assert codes(proof) == ["models-ahead"]
        assert "1 model change " in proof.findings[0].found

    def test_settings_may_print(self, tmp_path):
        site = shop(tmp_path, more="print('{\"broken\": 1}', flush=True)\nimport os\nos.write(1, b'noise')\n")
        assert said(prove(site.project, renumbered(site))) == []

    def test_a_function_of_a_renamed_migration_is_the_same_function(self, tmp_path):
        head = "def zero():\n    return 0\n"
        own = migration(
            add_field("item", "price", "IntegerField(default=zero)"), after=[("shop", "0003_name")], head=head
        )
        site = shop(tmp_path, migrations=OLD | {"0007_price": own})
        proposal = site.propose(
            site.change(path("0003_name"), path("0002_name")),
            site.change(path("0007_price"), path("0003_price"), own.replace("0003_name", "0002_name")),
            rewrite=RENUMBERED,
        )
        assert "state-differs" not in codes(prove(site.project, proposal))


class TestTheState:
    def test_a_fork_in_an_order_that_changes_its_meaning(self, tmp_path):
        # Of two branches Django's loader takes the one with the later name first: the price ends as a's.
        first = [("shop", "0001_initial")]
        a = migration(alter_field("item", "price", "IntegerField(default=1)"), after=first)
        b = migration(alter_field("item", "price", "TextField(default='')"), after=first)
        merge = migration(after=[("shop", "0002_a"), ("shop", "0002_b")])
        forked = {"0001_initial": migration(ITEM, PRICE), "0002_a": a, "0002_b": b, "0003_merge": merge}
        models = "class Item(models.Model):\n    price = models.IntegerField(default=1)\n"
        site = shop(tmp_path, models=models, migrations=forked)

        def chain(first: str, last: str, new: str, text: str):
            renamed = rewrite(
                "shop", forked, ["0001_initial", first, new], renamed=((last, new),), removed=("0003_merge",)
            )
            return site.propose(
                site.change(path(last), path(new), text.replace("0001_initial", first)),
                site.change(path("0003_merge"), None),
                rewrite=renamed,
                shop=1,
            )

        assert said(prove(site.project, chain("0002_b", "0002_a", "0003_a", a))) == []
        assert said(prove(site.project, chain("0002_a", "0002_b", "0003_b", b))) == [
            (
                "state-differs",
                "The field price of shop.Item differs:\nnow: models.IntegerField(default=1)\n"
                "with the new files: models.TextField(default='')",
            ),
            ("model-changes", "With the new files, `makemigrations` would add to shop: Alter field price on item."),
        ]

    def test_a_choice_is_its_value_as_django_writes_it(self, tmp_path):
        """Django's writer, and so a squash, puts the value where a person wrote the member of ``Choices``."""
        head = """
            import enum

            class Size(models.TextChoices):
                SMALL = "s"

            class Plain(enum.Enum):
                SMALL = "s"
        """
        field = add_field("item", "size", "CharField(max_length=1, default={})")
        first = [("shop", "0001_initial")]
        member, value, plain = (
            migration(field.format(default), after=first, head=head) for default in ("Size.SMALL", "'s'", "Plain.SMALL")
        )
        models = "class Item(models.Model):\n    size = models.CharField(max_length=1, default='s')\n"
        site = shop(tmp_path, models=models, migrations={"0001_initial": migration(ITEM), "0002_size": member})
        same = site.propose(site.change(path("0002_size"), path("0002_size"), value))
        assert said(prove(site.project, same)) == []
        other = site.propose(site.change(path("0002_size"), path("0002_size"), plain))
        assert "state-differs" in codes(prove(site.project, other))

    def test_another_order_of_fields_is_told(self, tmp_path):
        site = shop(tmp_path)
        proof = prove(
            site.project,
            site.propose(
                site.change(path("0003_name"), path("0003_name"), migration(PRICE, after=[("shop", "0001_initial")])),
                site.change(
                    path("0007_price"), path("0007_price"), migration(NAME_KEPT, after=[("shop", "0003_name")])
                ),
            ),
        )
        assert not proof.blocked
        assert said(proof) == [
            (
                "field-order",
                "The fields of shop.Item are in another order:\nnow: … name, price\nwith the new files: … price, name",
            )
        ]

    def test_options_bases_managers_and_models(self, tmp_path):
        def initial(options, bases, managers, extra=""):
            head = "class Plain:\n    pass\n\nclass Busy(models.Manager):\n    use_in_migrations = True\n"
            create = f"migrations.CreateModel('Item', [{ID}], options={options}, bases={bases}, managers={managers})"
            return migration(*filter(None, [create, extra]), head=head)

        site = shop(tmp_path, models="", migrations={"0001_initial": initial({}, "(models.Model,)", "[]")})
        new = initial(
            {"ordering": ["id"]}, "(Plain, models.Model)", "[('busy', Busy())]", "migrations.CreateModel('Tag', [])"
        )
        proof = prove(site.project, site.propose(site.change(path("0001_initial"), path("0001_initial"), new)))
        assert [text for code, text in said(proof) if code in ("state-differs", "proof-failed")] == [
            "The bases of shop.Item differ:\nnow: (django.db.models.base.Model)\n"
            "with the new files: (<shop.0001_initial>.Plain, django.db.models.base.Model)",
            "The option ordering of shop.Item differs:\nnow: none\nwith the new files: ['id']",
            "The manager busy of shop.Item differs:\nnow: none\nwith the new files: <shop.0001_initial>.Busy()",
            "Only the new files create the model shop.Tag.",
        ]


class TestWhatDoesNotLoad:
    def test_a_dependant_that_was_forgotten(self, tmp_path):
        site = shop(tmp_path)
        proof = prove(site.project, site.propose(site.change(path("0003_name"), path("0002_name")), shop=1))
        [finding] = proof.findings
        assert finding.severity is Severity.ERROR
        assert finding.found.startswith(
            "Django does not load the migrations: django.db.migrations.exceptions.NodeNotFound"
        )
        assert "('shop', '0003_name')" in finding.found
        assert finding.meaning == "The current files do not fail. Only the new files do."

    def test_a_cycle_across_apps(self, tmp_path):
        first = [("shop", "0001_initial")]
        site = Site(tmp_path).settings("shop", "blog")
        site.app("blog", "", {"0001_initial": migration(after=[("shop", "0002_b")])})
        site.app(
            "shop",
            "",
            {
                "0001_initial": migration(),
                "0002_a": migration(after=[*first, ("blog", "0001_initial")]),
                "0002_b": migration(after=first),
            },
        )
        # By name: a before b. But a needs blog, and blog needs b.
        chain = site.change(path("0002_b"), path("0003_b"), migration(after=[("shop", "0002_a")]))
        blog = path("0001_initial", "blog")
        follows = site.change(blog, blog, migration(after=[("shop", "0003_b")]))
        [finding] = prove(site.project, site.propose(chain, follows, shop=1)).findings
        assert "CircularDependencyError" in finding.found

    def test_a_file_that_is_not_python_names_its_place_to_be(self, tmp_path):
        site = shop(tmp_path)
        [finding] = prove(
            site.project, site.propose(site.change(path("0007_price"), path("0004_price"), "x = 1\nclass\n"))
        ).findings
        assert (finding.file, finding.line) == (str(tmp_path / path("0004_price")), 2)

    def test_ends_other_than_promised(self, tmp_path):
        site = shop(tmp_path)
        fork = migration(PRICE, after=[("shop", "0001_initial")])
        proof = prove(site.project, site.propose(site.change(path("0007_price"), path("0007_price"), fork), shop=1))
        assert ("leaves", "shop would have 2 leaf migrations instead of 1: 0003_name and 0007_price.") in said(proof)
        assert "plan-conflict" in codes(proof)

    def test_models_that_do_not_import_are_no_fault_of_the_proposal(self, tmp_path):
        site = shop(tmp_path)
        proposal, project = renumbered(site), site.project
        site.write({"shop/models.py": "import math\nraise RuntimeError('not today')\n"})
        [finding] = prove(project, proposal).findings
        assert finding.found == "Django does not start: RuntimeError: not today"
        assert (finding.file, finding.line) == (str(tmp_path / "shop/models.py"), 2)
        assert finding.meaning.startswith("The current files fail in the same way.")

    def test_settings_that_end_the_process(self, tmp_path):
        site = shop(tmp_path)
        proposal, project = renumbered(site), site.project
        site.settings("shop", more="import sys\nsys.exit('no secret')\n")
        [finding] = prove(project, proposal).findings
        assert finding.found == "The settings do not import: SystemExit: no secret"

    def test_a_process_that_ends_without_an_answer(self, tmp_path):
        site = shop(
            tmp_path, models="import os, sys\nprint('gone', file=sys.stderr)\nsys.stderr.flush()\nos._exit(3)\n"
        )
        [finding] = prove(site.project, renumbered(site)).findings
        assert finding.found == "The process of the proof failed: it ended with status 3: gone"

    def test_old_files_that_do_not_load_are_told_and_the_new_are_proven_against_the_models(self, tmp_path):
        lost = OLD | {"0007_price": migration(PRICE, after=[("shop", "0002_gone")])}
        site = shop(tmp_path, migrations=lost)
        mended = site.change(path("0007_price"), path("0007_price"), OLD["0007_price"])
        proof = prove(site.project, site.propose(mended, shop=1))
        assert not proof.blocked
        assert codes(proof) == ["nothing-to-compare"]
        assert not proof.findings[0].file, "Django's line says where it noticed"
        assert tuple(fact.words for fact in proof.facts.proven) == (
            "Django loads 3 migrations.",
            "`makemigrations --check` finds nothing.",
        )
        short = site.change(path("0007_price"), None)
        refused = next(each for each in prove(site.project, site.propose(short, shop=1)).findings if each.blocks)
        assert refused.code == "model-changes"
        assert refused.meaning.endswith(
            "Django cannot load the current files, so there is nothing else to compare with."
        )

    def test_no_settings(self, tmp_path):
        site = Site(tmp_path).write({"manage.py": "", "shop/__init__.py": "", "shop/migrations/__init__.py": ""})
        with pytest.raises(ProjectError, match="no settings module"):
            prove(site.project, site.propose())


class TestPlans:
    def test_a_database_in_the_middle(self, tmp_path):
        site = shop(tmp_path)
        old, new = keys("0001_initial", "0003_name"), keys("0001_initial", "0002_name")
        proof = prove(site.project, renumbered(site), [Recorded("default", old, new)])
        assert said(proof) == []
        assert proof.facts.targets == 1

    def test_a_database_that_is_not_synced(self, tmp_path):
        site = shop(tmp_path)
        old = keys("0001_initial", "0003_name", "0007_price")
        [finding] = prove(site.project, renumbered(site), [Recorded("default", old, old)]).findings
        assert finding.found == "`migrate` would run shop.0002_name and shop.0003_price on the database 'default'."

    def test_a_migration_that_would_silently_never_run(self, tmp_path):
        site = shop(tmp_path)
        old, new = keys("0001_initial"), keys("0001_initial", "0002_name")
        [finding] = prove(site.project, renumbered(site), [Recorded("default", old, new)]).findings
        assert finding.found == "`migrate` would no longer run shop.0002_name on the database 'default'."

    def test_records_that_django_refuses(self, tmp_path):
        site = shop(tmp_path)
        [finding] = prove(
            site.project, renumbered(site), [Recorded("default", keys("0001_initial", "0003_name"), keys("0003_price"))]
        ).findings
        assert finding.code == "plan-error"
        assert "InconsistentMigrationHistory" in finding.found

    def test_an_order_that_the_old_dependencies_do_not_allow(self, tmp_path):
        first = [("shop", "0001_initial")]
        site = Site(tmp_path).settings("shop", "art")
        site.app("shop", "", {"0001_initial": migration()})
        site.app("art", "", {"0001_initial": migration(after=first)})
        file = path("0001_initial", "art")
        [finding] = prove(site.project, site.propose(site.change(file, file, migration()))).findings
        assert finding.found == "`migrate` would run art.0001_initial before shop.0001_initial on a fresh database."
        assert finding.meaning == "In the current files, art.0001_initial depends on it."


class TestOddLayouts:
    def test_a_label_unlike_the_directory_and_migrations_elsewhere(self, tmp_path):
        site = Site(tmp_path).settings(
            "vendor.stores.apps.Config", more="MIGRATION_MODULES = {'shop': 'history.of.shop'}"
        )
        site.app("vendor.stores", MODELS, {})
        config = CONFIG.format("vendor.stores", "shop")
        site.write({"vendor/stores/apps.py": config})
        place = "history/of/shop"
        site.write({f"{part}/__init__.py": "" for part in ("history", "history/of", place)})
        site.write({f"{place}/{name}.py": text for name, text in OLD.items()})
        proposal = site.propose(
            site.change(f"{place}/0003_name.py", f"{place}/0002_name.py"),
            site.change(
                f"{place}/0007_price.py", f"{place}/0003_price.py", migration(PRICE, after=[("shop", "0002_name")])
            ),
            rewrite=RENUMBERED,
            shop=1,
        )
        assert said(prove(site.project, proposal)) == []

    def test_helper_modules_and_files_beside_the_migrations(self, tmp_path):
        head = "from pathlib import Path\nfrom . import _helpers\nfrom .sub.more import LENGTH\n"
        head += "assert Path(__file__).with_name('data.txt').read_text() == 'x'\n"
        head += "assert (Path(__file__).parents[1] / 'models.py').exists()\nassert _helpers.NAME and LENGTH\n"
        name = migration(NAME_KEPT, after=[("shop", "0001_initial")], head=head)
        site = shop(tmp_path, migrations=OLD | {"0003_name": name, "_helpers": "NAME = 1\n"})
        site.write({path("sub/more"): "LENGTH = 1\n", path("sub/__init__"): "", "shop/migrations/data.txt": "x"})
        assert said(prove(site.project, renumbered(site))) == []

    def test_a_migrations_directory_that_is_a_link(self, tmp_path):
        site = shop(tmp_path)
        proposal = renumbered(site)
        (tmp_path / "shop/migrations").rename(tmp_path / "kept")
        (tmp_path / "shop/migrations").symlink_to(tmp_path / "kept")
        assert said(prove(site.project, proposal)) == []

    def test_an_app_that_changes_its_label(self, tmp_path):
        table = 'db_table = "shop_item"'
        pinned = f"{ITEM[:-1]}, {{'db_table': 'shop_item'}})"
        site = shop(
            tmp_path,
            migrations={"0001_initial": migration(pinned)},
            models=f"class Item(models.Model):\n    class Meta:\n        {table}\n",
        )
        site.app("blog", "", {"0001_initial": migration(after=[("shop", "0001_initial")])}).settings("shop", "blog")
        site.write({"shop/apps.py": CONFIG.format("shop", "shop")})
        blog = path("0001_initial", "blog")
        proposal = site.propose(
            site.change("shop/apps.py", "shop/apps.py", CONFIG.format("shop", "store")),
            site.change(blog, blog, migration(after=[("store", "0001_initial")])),
            store=1,
        )
        identities = Identities(labels={"shop": "store"})
        both = (frozenset({Key("shop", "0001_initial")}), frozenset({Key("store", "0001_initial")}))
        assert said(prove(site.project, proposal, [Recorded("default", *both)], identities=identities)) == []
        # A table named after the label would get another name with it.
        model = site.change(
            "shop/models.py", "shop/models.py", "from django.db import models\n\nclass Item(models.Model): ...\n"
        )
        item = site.change(path("0001_initial"), path("0001_initial"), migration(ITEM))
        moved = site.propose(*proposal.files, model, item, store=1)
        assert "state-differs" in codes(prove(site.project, moved, identities=identities))

    def test_settings_that_name_a_model_follow_a_label_and_no_others(self, tmp_path):
        models = {"AUTH_USER_MODEL": "item", "OTHER": "Item", "PRICES_ITEM_MODEL": "item"}
        others = {"ROOT_URLCONF": "urls", "CSRF_FAILURE_VIEW": "Failure", "HOOK": "hook"}
        head = f"""
            from django.apps import apps
            from django.conf import settings

            def values(names, label):
                return {{name: getattr(settings, name) for name in names}} == {{
                    name: f"{{label}}.{{value}}" for name, value in names.items()
                }}

            assert values({models}, apps.get_containing_app_config(__name__).label)
            assert values({others}, "store")
            """
        site = shop(
            tmp_path,
            migrations={"0001_initial": migration(f"{ITEM[:-1]}, {{'db_table': 'shop_item'}})", head=head)},
            models="class Item(models.Model):\n    class Meta:\n        db_table = 'shop_item'\n",
            more="".join(f"{name} = 'store.{value}'\n" for name, value in (models | others).items()),
        )
        site.write({"shop/apps.py": CONFIG.format("shop", "shop")})
        new = site.change("shop/apps.py", "shop/apps.py", CONFIG.format("shop", "store"))
        identities = Identities(labels={"shop": "store"})
        assert said(prove(site.project, site.propose(new, store=1), identities=identities)) == []

    def test_a_squash_and_what_it_replaces(self, tmp_path):
        replaces = [("shop", name) for name in OLD]
        squash = migration(ITEM, NAME, PRICE, replaces=replaces)
        # The one-off default of the squash must not become permanent.
        site = shop(tmp_path)
        new = site.change(None, path("0001_squashed"), squash)
        assert "state-differs" in codes(prove(site.project, site.propose(new, shop=1)))
        right = site.change(None, path("0001_squashed"), squash.replace(NAME, NAME_KEPT))
        identities = Identities({Key("shop", name): (Key("shop", "0001_squashed"),) for name in OLD})
        done = keys(*OLD)
        assert said(prove(site.project, site.propose(right), [Recorded("x", done, done)], identities=identities)) == []
