"""Every database that is behind comes out the same, or is refused; and the rows that migrations leave are the same."""

from __future__ import annotations

import pytest

from migsync.errors import Unreachable
from migsync.findings import Severity
from migsync.history import read_history
from migsync.proof.databases import Histories, prove_by_databases
from migsync.proof.scope import DatabaseProof, ProofScope
from migsync.refactor.pipeline import history_after
from migsync.rewrites.rewrite_graph import Rewrites
from tests.databases import django_databases
from tests.proof.projects import ID, ITEM, Site, add_field, alter_field, migration, rewrite

SCOPE = ProofScope((), (), data=True)
ROWS = ProofScope((), None, data=True)
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


def prove(site: Site, proposal, scope: ProofScope = SCOPE, **reach: object) -> DatabaseProof:
    project = site.project
    old = read_history(project.apps, settings=project.settings)
    pair = Histories(old, history_after(project, old, proposal), Rewrites())
    return prove_by_databases(project, proposal, pair, scope, **reach)


def codes(outcome: DatabaseProof) -> list[tuple[str, str]]:
    return [(finding.code, finding.found) for finding in outcome.findings]


def test_a_squash_that_is_right(site):
    outcome = prove(site, squashed(site, ", ".join([NUMBER, SKU, INDEX])))
    assert codes(outcome) == []
    schema, data, transition = (fact.words for fact in outcome.facts)
    assert schema == "Schema: old and new files build the same on SQLite (1 table, 3 columns, 1 other parts)."
    assert data == "Data: the migrations leave the same rows on SQLite (0 rows in 1 table)."
    assert transition == (
        "Transition: of 4 databases that are behind, 2 come out the same on SQLite, 2 are refused before anything is "
        "written (2: run shop.0004_index first)."
    )


def test_a_squash_that_loses_something(database, tmp_path):
    """On the engine in use, which is also where the transition is then looked at."""
    site = Site(tmp_path / "site").settings("shop").app("shop", "", shop())
    with (site.root / "config.py").open("a") as settings:
        settings.write(django_databases({"default": database}))
    right = prove(site, squashed(site, ", ".join([NUMBER, SKU, INDEX])))
    assert (codes(right), len(right.facts)) == ([], 3)
    assert "2 come out the same on" in right.facts[-1].words
    assert codes(prove(site, squashed(site, ", ".join([NUMBER, SKU])))) == [
        ("schema-differs", "The index item_by_sku on shop_item: only the current files create it."),
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
            "After `migsync apply` and `migrate`, a database whose last applied migration is shop.0002_number would "
            "have another schema:\nThe column shop_item.sku: only the new files create it.",
        )
    ]


def test_a_column_that_an_earlier_position_needs(site):
    """A type that only the last migration makes right: the databases before it would keep the other one."""
    wide = SKU.replace("20", "30")
    narrow = site.propose(
        site.change(path("0003_sku"), path("0003_sku"), migration(wide, after=[("shop", NAMES[1])])),
        site.change(
            path("0004_index"),
            path("0004_index"),
            migration(
                alter_field("item", "sku", "CharField(max_length=20, null=True)"), INDEX, after=[("shop", NAMES[2])]
            ),
        ),
    )
    [(code, found)] = codes(prove(site, narrow))
    assert code == "transition-differs"
    assert "is shop.0003_sku would have another schema:\nThe column shop_item.sku: varchar(20) now" in found


TRIGGER = """migrations.RunSQL(
    "CREATE TRIGGER keep BEFORE DELETE ON shop_item BEGIN SELECT RAISE(ABORT, '{said}'); END", "DROP TRIGGER keep"
)"""


def test_a_trigger_that_is_another(site):
    site.write({path("0004_index"): migration(INDEX, TRIGGER.format(said="no"), after=[("shop", NAMES[2])])})
    new = squashed(site, ", ".join([NUMBER, SKU, INDEX, TRIGGER.format(said="never")]))
    [(code, found)] = codes(prove(site, new))
    assert code == "schema-differs"
    assert found.startswith("The trigger keep on shop_item: ")


def test_a_squash_on_disk_is_looked_at_from_before_it_and_from_after_it(site):
    """Where Django records the replaced migrations with the squash, and where they ran one by one."""
    squash = migration(NUMBER, SKU, after=[("shop", NAMES[0])], replaces=[("shop", NAMES[1]), ("shop", NAMES[2])])
    site.write({path("0002_squashed"): squash})
    site.write({path("0004_index"): migration(INDEX, after=[("shop", "0002_squashed")])})
    edited = migration(INDEX, after=[("shop", "0002_squashed")], head="# Touched.")
    outcome = prove(site, site.propose(site.change(path("0004_index"), path("0004_index"), edited)))
    assert codes(outcome) == []
    # Fresh, 0001 and the squash; and 0001, 0002, 0003 of the databases from before it.
    assert outcome.facts[-1].words == "Transition: all 6 databases that are behind come out the same on SQLite."
    broken = edited.replace("'number', models.IntegerField(null=True)", "")
    wrong = site.propose(
        site.change(path("0004_index"), path("0004_index"), broken),
        site.change(path("0003_sku"), path("0003_sku"), migration(SKU.replace("20", "21"), after=[("shop", NAMES[1])])),
    )
    [(code, found)] = codes(prove(site, wrong))
    assert code == "transition-differs"
    assert "is shop.0003_sku would have another schema:\nThe column shop_item.sku: varchar(20) now" in found


def test_both_ways_where_the_replaced_files_stay(site):
    """Django's own way: no rewrite, the squash beside what it replaces, also built from nothing."""
    replaced = [("shop", name) for name in NAMES[1:]]
    right = squashed(site, ", ".join([NUMBER, SKU, INDEX]), keep=True, replaces=replaced)
    outcome = prove(site, right)
    assert codes(outcome) == []
    assert outcome.facts[-1].words.startswith("Transition: all 4 databases")
    wrong = squashed(site, ", ".join([NUMBER, SKU]), keep=True, replaces=replaced)
    assert codes(prove(site, wrong)) == [
        ("schema-differs", "The index item_by_sku on shop_item: only the current files create it.")
    ]


def test_a_squash_that_lacks_something_already(site):
    """Django goes on from it with the old files as with the new ones, until a migration removes what it lacks."""
    unique = "migrations.AlterUniqueTogether('item', {unique})"
    gone = [unique.format(unique="set()"), "migrations.RemoveField('item', 'number')"]
    body, replaced = [NUMBER, SKU], [("shop", name) for name in NAMES[1:]]
    site.write(
        {
            path("0004_index"): migration(unique.format(unique={("number", "sku")}), after=[("shop", NAMES[2])]),
            path("0002_squashed"): migration(*body, after=[("shop", NAMES[0])], replaces=replaced),
            path("0005_gone"): migration(*gone, after=[("shop", "0002_squashed")]),
        }
    )
    plain = migration(*body, after=[("shop", NAMES[0])])
    after = [NAMES[0], "0002_squashed", "0005_gone"]
    collapsed = ((NAMES[1:], ("0002_squashed",)),)

    def tidied(*changes):
        squash = site.change(path("0002_squashed"), path("0002_squashed"), plain)
        old = [site.change(path(name), None) for name in NAMES[1:]]
        before = [*NAMES, "0002_squashed", "0005_gone"]
        return prove(
            site, site.propose(squash, *old, *changes, rewrite=rewrite("shop", before, after, collapsed=collapsed))
        )

    [finding] = tidied().findings
    assert (finding.code, finding.severity) == ("squash-differs", Severity.WARNING)
    assert "only the current files create it" in finding.found
    # Where what comes next is another, too, nobody knows where such a database will end.
    gone += [add_field("item", "note", "IntegerField(null=True)"), "migrations.RemoveField('item', 'note')"]
    other = migration(*gone, after=[("shop", "0002_squashed")])
    outcome = tidied(site.change(path("0005_gone"), path("0005_gone"), other))
    assert [code for code, _ in codes(outcome)] == ["transition-differs"]


FILL = """\
    from django.utils import timezone
    import uuid

    def fill(apps, editor):
        Owner, Item = apps.get_model("shop", "Owner"), apps.get_model("shop", "Item")
        {first}
        for name in {names}:
            owner = Owner.objects.create(name=name, since=timezone.now(), token=uuid.uuid4())
            Item.objects.create(owner=owner, number=1)
    """
OWNER = (
    f"migrations.CreateModel('Owner', [{ID}, ('name', models.CharField(max_length=20)), "
    "('since', models.DateTimeField()), ('token', models.UUIDField())])"
)
OWNED = add_field("item", "owner", "ForeignKey('shop.owner', models.CASCADE, null=True)")


def filling(names: list[str], first: str = "pass") -> str:
    return migration(
        "migrations.RunPython(fill)", after=[("shop", NAMES[2])], head=FILL.format(names=names, first=first)
    )


@pytest.mark.parametrize(
    ("names", "first", "found"),
    [
        # Other keys, another clock and other tokens: each item still refers to the owner of that name.
        (
            ["Anne", "Bob"],
            "Owner.objects.create(id=7, name='x', since=timezone.now(), token=uuid.uuid4()).delete()",
            [],
        ),
        (
            ["Anne", "Eve"],
            "pass",
            [
                "shop_item differ: 1 only with the current files",
                "shop_owner differ: 1 only with the current files (name='Bob', id=2",
            ],
        ),
        (
            ["Anne"],
            "pass",
            ["shop_item differ: 1 only with the current files", "shop_owner differ: 1 only with the current files"],
        ),
    ],
    ids=["the same", "another", "fewer"],
)
def test_rows_of_data_migrations(database, tmp_path, names, first, found):
    site = Site(tmp_path / "site").settings("shop").app("shop", "", shop())
    with (site.root / "config.py").open("a") as settings:
        settings.write(django_databases({"default": database}))
    site.write({path(NAMES[1]): migration(NUMBER, OWNER, OWNED, after=[("shop", NAMES[0])])})
    site.write({path(NAMES[3]): filling(["Anne", "Bob"])})
    new = site.propose(site.change(path(NAMES[3]), path(NAMES[3]), filling(names, first)))
    outcome = prove(site, new, ROWS)
    assert [code for code, _ in codes(outcome)] == ["data-differs"] * len(found)
    for (_, said), expected in zip(codes(outcome), found, strict=True):
        assert said.startswith(f"The rows of {expected}")


def test_rows_of_another_schema(site, postgresql_database):
    with (site.root / "config.py").open("a") as settings:
        settings.write(django_databases({"default": postgresql_database}))
    make = 'migrations.RunSQL("CREATE SCHEMA audit; CREATE TABLE audit.o (n integer); INSERT INTO audit.o VALUES ({})")'
    site.write({path(NAMES[3]): migration(make.format(1), after=[("shop", NAMES[2])])})
    new = migration(make.format(2), after=[("shop", NAMES[2])])
    [(code, found)] = codes(prove(site, site.propose(site.change(path(NAMES[3]), path(NAMES[3]), new)), ROWS))
    assert (code, found[:29]) == ("data-differs", "The rows of audit.o differ: 1")


def test_sqlite_is_left_where_the_project_does_not_run_on_it(tmp_path, postgresql_database):
    site = Site(tmp_path / "site").settings("shop").app("shop", "", shop())
    with (site.root / "config.py").open("a") as settings:
        settings.write(django_databases({"default": postgresql_database}))
    only = "migrations.RunSQL('COMMENT ON TABLE shop_item IS $$items$$')"
    site.write({path(NAMES[3]): migration(INDEX, only, after=[("shop", NAMES[2])])})
    outcome = prove(site, squashed(site, ", ".join([NUMBER, SKU, INDEX, only])), ProofScope(None, ()))
    assert [(finding.code, finding.severity) for finding in outcome.findings] == [("needs-server", Severity.INFO)]
    assert "2 come out the same on PostgreSQL" in outcome.facts[-1].words
    lost = prove(site, squashed(site, ", ".join([NUMBER, SKU, INDEX])), ProofScope((), ()))
    assert codes(lost) == [("schema-differs", "The table shop_item: p items now, p with the new files.")]


def test_an_engine_out_of_reach(site):
    with (site.root / "config.py").open("a") as settings:
        far = {"ENGINE": "django.db.backends.postgresql", "HOST": "127.0.0.1", "PORT": 1, "USER": "a", "NAME": "a"}
        settings.write(f"DATABASES['far'] = {far!r}\n")
    right = squashed(site, ", ".join([NUMBER, SKU, INDEX]))
    [refused] = prove(site, right, unreachable=["far"]).findings
    assert refused.found.startswith("far cannot be reached: ")
    assert refused.hint.endswith("Make the database reachable, or run the command again with `--allow-applied`.")
    skipped = prove(site, right, unreachable=["far"], skipping=True)
    assert [(finding.severity, finding.found) for finding in skipped.findings] == [
        (Severity.WARNING, "Schema and rows were not proven on PostgreSQL: the database 'far' cannot be reached.")
    ]
    assert [fact.words.partition(":")[0] for fact in skipped.facts] == ["Schema", "Data", "Transition"]
    with pytest.raises(Unreachable, match="far cannot be reached"):
        prove(site, right, ProofScope(("far",)), unreachable=["far"], skipping=True)


def test_an_engine_where_no_database_can_be_made(site, postgresql_database):
    postgresql_database.execute("DROP ROLE IF EXISTS migsync_proof_reader")
    postgresql_database.execute("CREATE ROLE migsync_proof_reader LOGIN")
    try:
        with (site.root / "config.py").open("a") as settings:
            reader = {**postgresql_database.django, "USER": "migsync_proof_reader"}
            settings.write(f"DATABASES['far'] = {reader!r}\n")
        [refused] = prove(site, squashed(site, ", ".join([NUMBER, SKU, INDEX]))).findings
        assert refused.found.startswith("No scratch database can be created on the server of far: ")
        assert refused.hint.endswith("on PostgreSQL, run the command again with `--prove-schema default`.")
    finally:
        postgresql_database.execute("DROP ROLE migsync_proof_reader")
