"""A plan file is compared and never obeyed: whatever it says, `apply` does what the planner would do, or nothing."""

from __future__ import annotations

import copy
import hashlib
import json
import random
import shutil
from dataclasses import dataclass

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from migsync.cli.program import run
from migsync.errors import ExitStatus
from migsync.rewrites.record import Record
from migsync.sync.plan import Change, Plan, TargetRef
from tests.cli.shop import MAPPED, NEW, OLD, Shop
from tests.databases import ENGINES, Database, SQLiteDatabase, django_databases
from tests.profiles import examples
from tests.sync.story import plan_of, target_of

ROWS = [
    (1, "contenttypes", "0001_initial", "2026-01-01 10:00:00"),
    (2, "auth", "0001_initial", "2026-01-01 10:00:01"),
    *((3 + number, "shop", name, f"2026-03-0{number + 1} 10:00:00.12345{number}") for number, name in enumerate(OLD)),
    (8, "shop", "0000_leftover", "2025-01-01 10:00:00"),
    (9, "gone", "0001_initial", "2025-01-01 10:00:00"),
]
PRUNED = ("--prune", "shop.0000_leftover")


@dataclass
class World:
    """A project, its one database, and a plan that was saved for it."""

    shop: Shop
    database: Database

    def apply(self, text, *options):
        (self.shop.root / "forged.json").write_bytes(text if isinstance(text, bytes) else text.encode())
        return run(["apply", "forged.json", "--noinput", *options])

    def save(self, *options):
        assert run(["plan", "-o", "plan.json", *options]) == 0
        return json.loads((self.shop.root / "plan.json").read_text())

    def save_blocked(self, *options):
        assert run(["plan", "-o", "plan.json", *options]) == 1
        return json.loads((self.shop.root / "plan.json").read_text())

    @property
    def rewrites(self):
        return sorted(path.read_text() for path in self.shop.root.glob("migration_rewrites/*.toml"))

    def reset(self, rows=ROWS):
        """The rows and the files as they were at the beginning."""
        for table in ("django_migrations", "migsync_run", "migsync_version"):
            self.database.execute(f"DROP TABLE IF EXISTS {table}")
        self.database.create_table()
        self.database.insert(rows)
        shutil.rmtree(self.shop.root / "migration_rewrites", ignore_errors=True)
        return self


def world_of(database, root, monkeypatch):
    shop = Shop(root).write("default")
    installed = "INSTALLED_APPS = ['django.contrib.contenttypes', 'django.contrib.auth', 'shop']"
    shop.settings(f"{installed}\n{django_databases({'default': database})}")
    monkeypatch.chdir(root)
    monkeypatch.setenv("MIGSYNC_CACHE", str(root / ".cache"))
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    return World(shop, database).reset()


@pytest.fixture
def world(new_database, tmp_path, monkeypatch):
    return world_of(new_database("sqlite"), tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """The same world for all mutations, with the plan's document, and the rows after it."""
    root = tmp_path_factory.mktemp("plans")
    with pytest.MonkeyPatch.context() as monkeypatch:
        world = world_of(SQLiteDatabase(root / "default.sqlite3"), root, monkeypatch)
        document = world.save(*MAPPED, *PRUNED)
        before = world.database.dump()
        assert world.apply(json.dumps(document)) == 0
        after = world.database.dump()
        assert after != before
        world.reset()
        yield world, document, before, after


VALUES = (
    *(None, True, False, 0, 1, -1, 2**31, 2**63, 10**400, 1.5, 1e400, float("nan")),
    *("", "x", "auth", "0001_initial", "error", "default", "\x00", "\x1b[31m", "\ud800", "é" * 300, "../../x"),
    *([], {}, [[]], [None], {"x": 1}, ["auth", "0001_initial"]),
)


def places(value):
    """Every (container, key) of a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield value, key
        yield from places(inner)


def mutate(rng, document):
    """Change one place of the document, by its structure."""
    container, key = rng.choice(list(places(document)))
    match rng.randrange(6):
        case 0 | 1:
            container[key] = copy.deepcopy(rng.choice(VALUES))
        case 2:
            other, inner = rng.choice(list(places(document)))
            container[key] = copy.deepcopy(other[inner])
        case 3:
            del container[key]
        case 4 if isinstance(container, list):
            container.insert(rng.randrange(len(container) + 1), copy.deepcopy(container[key]))
        case 4:
            container[f"{key}_more"] = copy.deepcopy(container[key])
        case 5 if isinstance(container, list):
            container.append(container.pop(key))
        case 5:
            container[key] = [container[key]]


def digest(value):
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def sign(document):
    """Give rewrites and plans the ids of what they say now, as far as they still have the form of one."""
    plans = [plan for plan in document.get("plans") or () if isinstance(plan, dict)]
    rewrites = [rewrite for plan in plans for rewrite in (plan.get("passed") or [])]
    for rewrite in (*rewrites, document.get("proposed")):
        if isinstance(rewrite, dict):
            rewrite["id"] = digest({name: value for name, value in rewrite.items() if name != "id"})
    for plan in plans:
        content = {name: copy.deepcopy(value) for name, value in plan.items() if name not in ("id", "findings")}
        content["target"].pop("alias", None)
        plan["id"] = digest(content)[:32]


def forge(rng, document, records):
    """Other changes in the place of the plan's, consistent in themselves: fingerprints and ids fit."""
    saved = Plan.from_dict(document["plans"][0])
    changes = [change for change in saved.changes if rng.random() < 0.7]
    for record in rng.sample(records, rng.randrange(1, 4)):
        if record not in [change.before for change in changes]:
            name = rng.choice(["0001_initial", "0002_price", "0099_x"])
            after = rng.choice([None, record._replace(name=name), record._replace(app="shop", name=name)])
            changes.append(Change(record, after, rng.choice(["prune", "dedupe", "forged"])))
    passed = rng.choice([{}, {"passed": saved.passed}])
    document["plans"][0] = plan_of(saved.target, records, changes, **passed).as_dict()


def damage(rng, text):
    """Change the text itself."""
    place = rng.randrange(len(text))
    match rng.randrange(4):
        case 0:
            return text[:place]
        case 1:
            return text[:place] + rng.choice(['"', "{", "]", "NaN", "\x00", "é", "\\u"]) + text[place + 1 :]
        case 2:
            return text[:place] + text[place : place + 40] + text[place:]
        case _:
            return text.replace(": null", ": " + "[" * 100_000 + "]" * 100_000, 1)


@settings(max_examples=examples(150, 10_000))
@given(st.integers(0, 2**48))
def test_an_error_or_the_same_effect(shared, seed):
    world, original, before, after = shared
    rng = random.Random(seed)
    document = copy.deepcopy(original)
    kind = rng.choice(["mutated", "signed", "signed", "forged", "forged", "damaged"])
    if kind == "forged":
        forge(rng, document, recorded(world))
    for _ in range(rng.randrange(3) if kind == "forged" else rng.randrange(1, 4)):
        mutate(rng, document)
    if kind in ("signed", "forged"):
        try:
            sign(document)
        except (TypeError, ValueError, KeyError, AttributeError):
            kind = "mutated"
    text = json.dumps(document)
    status = world.apply(damage(rng, json.dumps(original)) if kind == "damaged" else text)
    event(f"{kind}: status {status}")
    rows = world.database.dump()
    assert status in set(ExitStatus)
    assert rows in (before, after), kind
    if rows == before:
        assert world.rewrites == []
    else:
        assert status == 0
        world.reset()


def recorded(world):
    """The rows as migsync reads them: `applied` is the server's own text."""
    with target_of(world.database) as target:
        return list(target.read())


def of_auth(document, records):
    """A plan that is consistent in itself, and takes a row of another package away."""
    target = TargetRef.from_dict(document["plans"][0]["target"])
    (row,) = [record for record in records if record.app == "auth"]
    return {**document, "plans": [plan_of(target, records, [Change(row, None, "prune")]).as_dict()]}


def with_another_name(document, records):
    saved = Plan.from_dict(document["plans"][0])
    target, changes = saved.target, list(saved.changes)
    place = next(number for number, change in enumerate(changes) if change.after)
    changes[place] = Change(
        changes[place].before, changes[place].after._replace(name="0077_other"), changes[place].cause
    )
    return {**document, "plans": [plan_of(target, records, changes, passed=saved.passed).as_dict()]}


def with_another_time(document, records):
    saved = Plan.from_dict(document["plans"][0])
    changes = [
        Change(change.before, change.after and change.after._replace(applied="2020-01-01 00:00:00"), change.cause)
        for change in saved.changes
    ]
    return {**document, "plans": [plan_of(saved.target, records, changes, passed=saved.passed).as_dict()]}


def with_a_row_too_many(document, records):
    saved = Plan.from_dict(document["plans"][0])
    more = Change(None, Record(None, "shop", "0088_never_ran", "2026-01-01 00:00:00"), "forged")
    return {
        **document,
        "plans": [plan_of(saved.target, records, [*saved.changes, more], passed=saved.passed).as_dict()],
    }


def as_an_undo(document, records):
    saved = Plan.from_dict(document["plans"][0])
    return {**document, "plans": [plan_of(saved.target, records, saved.changes, undoes="0" * 32).as_dict()]}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_forged_plan_that_fits_in_itself_changes_nothing(new_database, tmp_path, monkeypatch, capsys, engine):
    world = world_of(new_database(engine), tmp_path, monkeypatch)
    document = world.save(*MAPPED, *PRUNED)
    before, records = world.database.dump(), recorded(world)
    for forged in (of_auth, with_another_name, with_another_time, with_a_row_too_many, as_an_undo):
        assert world.apply(json.dumps(forged(document, records))) == ExitStatus.STALE, forged.__name__
        assert "is not the plan that migsync makes now" in capsys.readouterr().err
        assert world.database.dump() == before
        assert world.rewrites == []
    assert world.apply(json.dumps(document)) == 0
    names = [row[2] for row in world.database.dump() if row[1] == "shop"]
    assert names == [*NEW[:2], NEW[2]]


def at(document, *path):
    """The container of the last step of a path, and that step."""
    for step in path[:-1]:
        document = document[step]
    return document, path[-1]


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("format_version",), True, "format version True"),
        (("plans", 0, "target", "alias"), ["default"], "plans[0].target.alias is not text"),
        (("plans", 0, "changes", 0, "before", "name"), 1, "plans[0].changes[0].before.name is not text"),
        (("plans", 0, "changes", 0, "before", "id"), 2**64, "before.id is a number of more than 64 bits"),
        (("plans", 0, "changes", 0, "after", "name"), "x\x9by", "after.name has a control character"),
        (("plans", 0, "undoes"), None, "plans[0].undoes is not text"),
        (("plans", 0, "severity"), "x", "plans[0].'severity' is a field that this version does not know"),
        (("proposed", "created"), "2026-01-01T00:00:00Z\nid = 1", "proposed.created is not a date and time"),
        (("proposed", "apps", "../../x"), {}, "proposed.apps"),
        (("asked", "dedupe"), "no", "asked.dedupe is neither true nor false"),
        (("plans",), {}, "plans is not a list"),
    ],
)
def test_the_field_of_another_type_is_named(shared, capsys, path, value, said):
    world, original, before, _ = shared
    document = copy.deepcopy(original)
    container, key = at(document, *path)
    container[key] = value
    assert world.apply(json.dumps(document)) == 1
    assert said in capsys.readouterr().err
    assert world.database.dump() == before


def test_two_plans_for_one_database(shared, capsys):
    world, original, before, _ = shared
    assert world.apply(json.dumps({**original, "plans": original["plans"] * 2})) == 1
    assert "plans holds 2 plans for 'default'" in capsys.readouterr().err
    assert world.database.dump() == before


def test_brackets_without_end(shared, capsys):
    world, *_ = shared
    assert world.apply('{"kind": "plan", "plans": ' + "[" * 100_000) == 1
    assert "is nested too deeply" in capsys.readouterr().err


def test_a_finding_that_was_taken_out_is_found_again(world, capsys):
    """The rows need a word (two rows of one key), and the file says that they do not."""
    world.database.insert([(20, "shop", "0003_price", "2026-05-01 10:00:00")])
    document = world.save_blocked(*MAPPED)
    before = world.database.dump()
    assert any(finding["severity"] == "error" for finding in document["plans"][0]["findings"])
    document["plans"][0]["findings"] = []
    assert world.apply(json.dumps(document)) == 1
    assert "shop.0003_price is recorded 2 times" in capsys.readouterr().out
    assert world.database.dump() == before


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (("--app", "shop"), ["0000_leftover", *NEW]),
        (PRUNED, [*NEW]),
        (("--dedupe",), ["0000_leftover", *NEW]),
    ],
    ids=" ".join,
)
def test_a_plan_is_made_again_with_its_own_options(world, options, names):
    if options == ("--dedupe",):
        world.database.insert([(20, "shop", "0001_initial", "2026-05-01 10:00:00")])
    document = world.save(*MAPPED, *options)
    assert world.apply(json.dumps(document)) == 0
    assert sorted(row[2] for row in world.database.dump() if row[1] == "shop") == sorted(names)


def test_a_plan_that_an_older_migsync_saved_without_its_options(world, capsys):
    document = world.save(*MAPPED, *PRUNED)
    del document["asked"]
    before = world.database.dump()
    assert world.apply(json.dumps(document)) == ExitStatus.STALE
    said = capsys.readouterr().err
    assert "only in the saved plan: remove shop.0000_leftover (row 8)" in said
    assert "migsync plan" in said
    assert world.database.dump() == before
    document = world.save(*MAPPED)
    del document["asked"]
    assert world.apply(json.dumps(document)) == 0


def test_one_plan_file_for_two_databases_one_after_the_other(world, capsys):
    """The first writes the rewrite that both rest on; the second finds its file there."""
    second = SQLiteDatabase(world.shop.root / "second.sqlite3")
    second.create_table()
    second.insert(ROWS)
    databases = django_databases({"default": world.database, "second": second})
    world.shop.settings(f"INSTALLED_APPS = ['shop']\n{databases}")
    document = json.dumps(world.save(*MAPPED))
    assert world.apply(document, "-d", "default") == 0
    assert world.apply(document, "-d", "second") == 0
    assert world.apply(document) == 0
    assert capsys.readouterr().out.count("already applied") == 2
    assert second.dump() == world.database.dump()
    assert len(world.rewrites) == 1


def test_a_script_of_a_forged_plan_is_not_written(world, capsys):
    document = world.save(*MAPPED)
    forged = of_auth(document, recorded(world))
    (world.shop.root / "forged.json").write_text(json.dumps(forged))
    assert run(["script", "forged.json", "--out", "sql"]) == ExitStatus.STALE
    assert "is not the plan that migsync makes now" in capsys.readouterr().err
    assert not (world.shop.root / "sql").exists()
