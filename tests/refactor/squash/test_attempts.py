"""One bad app does not stop the others: what the optimizer spoils is made without it, what is refused is left out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migsync.findings.proof import proof_failed, state_differs
from migsync.findings.schema import schema_differs, schema_not_built
from migsync.history import Key
from migsync.refactor.squash.attempts import after_refusal
from migsync.refactor.squash.ranges import Range
from migsync.refactor.squash.squash import Choice
from tests.proof.projects import ID, Site, add_field, migration
from tests.refactor.conftest import commit
from tests.refactor.reshaped import history_of
from tests.refactor.reshaped import migration as node

NUMBER = "IntegerField(default=0)"
FILL = "def fill(apps, editor):\n    apps.get_model('fill', 'Item').objects.create(a=3)\n"
LOOK = """
def look(apps, editor):
    with editor.connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM django_migrations WHERE app = 'odd' AND name = '0002_a'")
        assert cursor.fetchone()
"""


def chain(app, *files, head=""):
    """Files 0001, 0002_a, 0003_b …, each with one operation, as text by name."""
    names = ["0001", *(f"{number:04}_{letter}" for number, letter in enumerate("abcd", 2))]
    after = [[], *([(app, name)] for name in names)]
    return {
        name: migration(operation, after=before, head=head)
        for name, operation, before in zip(names, files, after, strict=False)
    }


def model(name, *fields):
    return f"class {name}(models.Model):\n" + "".join(f"    {line}\n" for line in fields or ["pass"])


def create(name):
    return f"migrations.CreateModel('{name}', [{ID}])"


@pytest.fixture
def project(bare):
    """Five apps: one as it should be, and four of which each has something that used to stop all of them."""
    site = Site(bare.root)
    a, b = (add_field("item", name, NUMBER) for name in "ab")
    item = model("Item", f"a = models.{NUMBER}", f"b = models.{NUMBER}")
    owner = "migrations.AddField('item', 'owner', models.ForeignKey('renamed.person', models.CASCADE, null=True))"
    rename = "migrations.RenameModel('Person', 'Owner')"
    elidable = "migrations.RunPython(fill, elidable=True)"
    files = {
        "good": (item, chain("good", create("Item"), a, b)),
        "renamed": (
            model("Owner", f"b = models.{NUMBER}")
            + model("Item", "owner = models.ForeignKey(Owner, models.CASCADE, null=True)"),
            chain("renamed", create("Item"), create("Person"), owner, rename, add_field("owner", "b", NUMBER)),
        ),
        "fill": (item, chain("fill", create("Item"), a, elidable, b, head=FILL)),
        "odd": (item, chain("odd", create("Item"), a, "migrations.RunPython(look)", b, head=LOOK)),
        "computed": (item, chain("computed", create("Item"), a, b)),
    }
    for app, (models, migrations) in files.items():
        site.app(app, models, migrations)
        bare.apps[app] = app
    path = bare.migrations("computed") / "0002_a.py"
    path.write_text(path.read_text().replace("dependencies = [(", "dependencies = [*{('good', '0002_a')}, ("))
    bare.write_settings()
    commit(bare)
    return bare


def test_one_bad_app_does_not_stop_the_others(project):
    """Cases 76, 77 and 80."""
    listed = project.migsync("squash", "--suggest", "--format", "json").json
    assert [each["command"].partition("squash ")[2] for each in listed["runs"]] == [
        "fill 0002 0004",
        "odd 0002 0004",
        "renamed 0002 0005",
    ]
    ended = project.migsync("squash", "--all-safe", "--yes")
    assert ended.status == 0, ended.out + ended.err
    made = {app: sorted(path.stem for path in project.migrations(app).glob("0*.py")) for app in ("fill", "renamed")}
    assert made == {
        "fill": ["0001", "0002_squashed_0004_c"],
        "renamed": ["0001", "0002_squashed_0005_d"],
    }
    assert len(list(project.migrations("odd").glob("0*.py"))) == 4
    said = " ".join(ended.out.split())
    assert "Warning: renamed.0002_squashed_0005_d keeps every operation as it is. [not-optimized]" in said
    assert "Left out because it is elidable: fill.0003_b." in said
    assert "odd.0002_a to 0003_b are not squashed." in said
    assert "migsync squash odd 0002 0003 --dry-run" in said
    assert project.manage("makemigrations", "--check").status == 0
    project.migrate("default")


def test_a_range_that_a_person_names_is_made_without_the_optimizer_or_refused(project):
    ended = project.migsync("squash", "renamed", "2", "5", "--dry-run", "--no-prove-schema", "--no-prove-transition")
    assert ended.status == 0, ended.out + ended.err
    assert "[not-optimized]" in ended.out
    ended = project.migsync("squash", "odd", "2", "4", "--dry-run")
    assert ended.status == 1
    assert "AssertionError" in ended.out
    assert "[not-optimized]" not in ended.out, "what was asked for is what is talked about"


APPS = ("shop", "blog", "shop_more")
HISTORY = history_of(
    *(node(f"{app}.0001") for app in APPS),
    *(node(f"{app}.0002", f"{app}.0001") for app in APPS),
    *(node(f"{app}.0003", f"{app}.0002") for app in APPS),
)
RANGES = tuple(Range((Key(app, "0002"), Key(app, "0003")), Key(app, "0002_squashed_0003")) for app in APPS)


def failed(app="", name=""):
    return proof_failed(reason="It fails.", app=app, name=name, file="", line=0, operation=0)


def not_built(*, new):
    return schema_not_built(
        reason="It fails.", new=new, app="shop", name="0001", file="shop/migrations/0001.py", line=9, operation=1
    )


def test_no_range_is_at_fault_where_the_current_files_build_nothing():
    """As in django-helpdesk, where a migration opens a file: seven warnings that said the same, after 97 seconds."""
    choice = Choice("squash --all-safe", RANGES, optional=True)
    assert after_refusal(HISTORY, choice, [not_built(new=False)], optimize=True) is None
    assert after_refusal(HISTORY, choice, [not_built(new=True)], optimize=True) is not None


@pytest.mark.parametrize(
    ("refusal", "refused"),
    [
        (state_differs(app="shop", model="Item"), ["shop"]),
        (schema_differs(kind="column", part="price", table="shop_more_item", before="", after="x"), ["shop_more"]),
        (failed("blog", "0002_squashed_0003"), ["blog"]),
        (failed(), [*APPS]),
    ],
)
def test_a_refusal_is_held_against_the_range_that_it_is_about(refusal, refused):
    choice = Choice("squash --all-safe", RANGES, optional=True)
    plain = after_refusal(HISTORY, choice, [refusal], optimize=True)
    assert sorted(squash.app for squash in plain.plain) == sorted(refused)
    assert [finding.code for finding in plain.findings] == ["not-optimized"] * len(refused)
    left = after_refusal(HISTORY, plain, [replace(refusal, database="old")], optimize=True)
    assert [each.squash.app for each in left.ranges] == [
        each for each in ("shop", "blog", "shop_more") if each not in refused
    ]
    assert [(finding.code, finding.database) for finding in left.findings] == [("range-left", "old")] * len(refused)
    assert after_refusal(HISTORY, Choice("squash shop 2 3", RANGES[:1]), [refusal], optimize=False) is None
