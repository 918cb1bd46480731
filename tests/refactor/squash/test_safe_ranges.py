"""Which runs are offered, and what each stops at; no file is read but for the risks."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migsync.history import FIRST, LATEST, SETTING, History, Key, Migration, build_history
from migsync.refactor.squash.risks import Hazard, Risk, risks_of
from migsync.refactor.squash.safe_ranges import SafeRange, find_safe_ranges, transactions
from tests.profiles import examples
from tests.refactor.projects import make_project
from tests.refactor.squash.graphs import history

# The project of the published workflow: what depends on orders.0006 and on orders.0001 comes from outside.
ORDERS = {
    "accounts": "0001",
    "orders": "0001:accounts.0001 0002 0003 0004 0005 0006 0007 0008 0009 0010 0011",
    "invitations": "0001:accounts.0001+orders.0001 0002 0003 0004:0003+orders.0006",
}


def shown(runs: tuple[SafeRange, ...]) -> list[str]:
    return [f"{run.app} {run.names[0]}..{run.names[-1]}" for run in runs]


def test_the_published_example():
    runs = find_safe_ranges(history(ORDERS))
    assert shown(runs) == ["invitations 0002..0003", "orders 0002..0006", "orders 0007..0011"]
    assert [run.saves for run in runs] == [1, 4, 4]
    invitations, first, second = runs
    outside = "invitations.0004 depends on orders.0006, from another app"
    assert first.before == (Key("invitations", "0001"), "invitations.0001 depends on orders.0001, from another app")
    assert first.after == second.before == (Key("invitations", "0004"), outside)
    assert second.after == (None, "nothing depends on orders.0011")
    assert invitations.after.why == "invitations.0004 depends on invitations.0003 and orders.0006"
    assert shown(find_safe_ranges(history(ORDERS), ["invitations"])) == ["invitations 0002..0003"]


SHOP = {"shop": "0001 0002 0003 0004 0005", "blog": "0001"}
OPEN = {"dependencies": (Key("shop", "0003"), Key("blog", FIRST))}


@pytest.mark.parametrize(
    ("apps", "attributes", "runs", "why"),
    [
        (SHOP, {}, ["0002..0005"], "shop.0001 depends on nothing: its app begins with it"),
        ({"shop": "0001:blog.0001 0002 0003", "blog": "0001"}, {}, ["0001..0003"], "depends on blog.0001, of"),
        (SHOP, {"shop_0004": {"atomic": False}}, ["0002..0003"], "shop.0004 has atomic = False"),
        (SHOP, {"shop_0004": {"run_before": (Key("blog", "0001"),)}}, ["0002..0003"], "must run before blog.0001"),
        (SHOP, {"blog_0001": {"run_before": (Key("shop", "0004"),)}}, ["0002..0003"], "depends on shop.0003"),
        (SHOP, {"blog_0001": {"dependencies": (Key("shop", LATEST),)}}, ["0002..0004"], f"by {FIRST}, {LATEST}"),
        (SHOP, {"shop_0004": OPEN}, ["0002..0003"], "shop.0004 depends on shop.0003 and blog.__first__"),
        ({"shop": "0001 0002 0003", "blog": "0001:-"}, {"shop_0001": {"dependencies": (Key(SETTING, "A"),)}},
         ["0002..0003"], "shop.0001 depends on the setting A"),
        ({"shop": "0001 0002 0003 0004:0003 0004b:0003"}, {}, ["0002..0003"], "shop.0004b depend on shop.0003"),
        ({"shop": "0001 0002a 0003a 0002b:0001 0003b 0004b 0005:0003a+0004b 0006 0007"}, {},
         ["0002a..0003a", "0002b..0003b", "0006..0007"], "would order it and shop.0003a the other way round"),
        (SHOP, {"shop_0005": {"replaces": (Key("shop", "0003"), Key("shop", "0004"))}}, [], ""),
        ({"shop": "0001 0002 0003 0004 0005", "blog": "0001:shop.0004"}, {"foreign": "blog"}, ["0002..0003"],
         "blog.0001 names shop.0004, and is not the project's own"),
    ],
)  # fmt: skip
def test_what_is_in_no_run(apps, attributes, runs, why):
    found = find_safe_ranges(history(apps, **attributes), ["shop"])
    assert [shown((run,))[0].removeprefix("shop ") for run in found] == runs
    if why:
        assert any(why in stop.why for run in found for stop in run.stops), [run.stops for run in found]


def lawful(history: History, keys: list[Key]) -> bool:
    """The rule, word by word, for keys that follow each other; worked out from the files alone."""
    made = history.migrations
    named = {key: set(made[key].dependencies) for key in made}
    early = {key: set(made[key].run_before) for key in made}
    replaced = {old for each in made.values() for old in each.replaces}
    dependents = {key: {other for other in made if key in named[other]} for key in keys}
    return all(
        len(named[key]) == 1
        and not early[key]
        and not any(key in others for others in early.values())
        and made[key].atomic
        and not made[key].replaces
        and key not in replaced
        for key in keys
    ) and all(named[down] == {up} and dependents[up] == {down} for up, down in pairwise(keys))


def ordered_by_name(history: History, key: Key) -> bool:
    """Whether Django looks at the name of `key` to say which runs first."""
    keys = [Key(key.app, name) for name in history.names(key.app)]
    ends = [each for each in keys if all(down.app != key.app for down in history.children(each))]
    beside = {up for down in history.children(key) for up in history.parents(down) if up.app == key.app}
    return len(beside - {key}) > 0 or (key in ends and len(ends) > 1)


def contracted(history: History, keys: list[Key]) -> History:
    """The history with one migration in the place of all `keys`."""
    squash = Key(keys[0].app, "squash")

    def stands(named: tuple[Key, ...], own: bool) -> tuple[Key, ...]:
        new = dict.fromkeys(squash if key in keys else key for key in named)
        return tuple(key for key in new if not (own and key == squash))

    made = [it for key, it in history.migrations.items() if key not in keys]
    outside = tuple(up for key in keys for up in history.migrations[key].dependencies)
    found = [replace(it, dependencies=stands(it.dependencies, False)) for it in made]
    return build_history([*found, Migration(squash, dependencies=stands(outside, True))], history.apps.values())


@settings(max_examples=examples(60, 300), deadline=None)
@given(st.integers(1, 40), st.integers(0, 2**32), st.booleans(), st.booleans())
def test_runs_are_safe_and_maximal(size: int, seed: int, merges: bool, squashes: bool) -> None:
    history = make_project(random.Random(seed), size, merges=merges, squashes=squashes).history
    runs = [list(run.keys) for run in find_safe_ranges(history)]
    placed = [key for run in runs for key in run]
    assert len(placed) == len(set(placed))
    for run in runs:
        assert lawful(history, run)
        assert not contracted(history, run).cycle
    # Whatever two follow each other lawfully are together in one run.
    for down in history.migrations.values():
        for up in down.dependencies:
            if up.app == down.key.app and up in history.migrations and lawful(history, [up, down.key]):
                together = any(up in run and down.key in run for run in runs)
                assert together or ordered_by_name(history, down.key), (up, down.key)
    for run in find_safe_ranges(history):
        for stop in run.stops:
            assert stop.why
            assert stop.key is None or stop.key in history.migrations


HEAD = "from django.db import migrations, models\n\n\n"
PLAIN = "migrations.AddField('item', 'a', models.IntegerField(default=0))"


@pytest.mark.parametrize(
    ("head", "operation", "hazards", "words"),
    [
        ("", PLAIN, [], ""),
        ("def fill(apps, editor):\n    pass\n", "migrations.RunPython(fill)", [Hazard.CODE], "RunPython(fill)"),
        ("def fill(apps, editor):\n    pass\n", "migrations.RunPython(fill, elidable=True)", [], ""),
        ("def fill(a, e):\n    pass\n", "migrations.RunPython(code=fill, elidable=False)", [Hazard.CODE], "(fill)"),
        ("", "migrations.RunSQL('SELECT 1', elidable=True)", [], ""),
        ("", "migrations.RunSQL('BEGIN; DELETE FROM a; COMMIT;', elidable=True)", [Hazard.TRANSACTION], "BEGIN in"),
        ("SQL = 'DELETE FROM a; commit'\n", "migrations.RunSQL(SQL)", [Hazard.SQL, Hazard.TRANSACTION], "COMMIT in"),
        ("", "migrations.RunSQL('CREATE FUNCTION f() AS $$ BEGIN; END; $$', elidable=True)", [], ""),
        ("", "migrations.RunSQL('CREATE TRIGGER t BEGIN DELETE FROM a; END;', elidable=True)", [], ""),
        ("from shop.sql import Trigger\n", "Trigger('t')", [Hazard.CUSTOM], "Trigger is a custom operation"),
        ("from django.contrib.postgres.operations import HStoreExtension\n", "HStoreExtension()", [], ""),
        ("import django.contrib.postgres.operations\n", "django.contrib.postgres.operations.X()", [], ""),
        (
            "def fill(apps, editor):\n    pass\n",
            f"migrations.SeparateDatabaseAndState(database_operations=[migrations.RunPython(fill)], "
            f"state_operations=[{PLAIN}])",
            [Hazard.SEPARATE, Hazard.CODE],
            "SeparateDatabaseAndState: the models",
        ),
        ("ADD = " + PLAIN + "\n", "ADD", [Hazard.UNREADABLE], "`ADD`"),
    ],
)
def test_risks(tmp_path, head, operation, hazards, words):
    path = tmp_path / "0002_x.py"
    body = f"class Migration(migrations.Migration):\n    operations = [\n        {operation},\n    ]\n"
    path.write_text(HEAD + head + body)
    risks = list(risks_of([Migration(Key("shop", "0002_x"), str(path))]))
    assert [risk.hazard for risk in risks] == hazards
    assert words in "".join(map(str, risks))
    assert all(risk.line == (HEAD + head + body).splitlines().index(f"        {operation},") + 1 for risk in risks)


def test_a_run_is_cut_after_what_changes_data():
    (run,) = find_safe_ranges(history({"shop": "0001 0002 0003 0004 0005"}))
    risky = [Risk(Key("shop", name), 1, hazard, "") for name, hazard in (("0003", Hazard.CODE), ("0004", Hazard.SQL))]
    parts = transactions(replace(run, risks=tuple(risky)))
    assert [[key.name for key in part] for part in parts] == [["0002", "0003"], ["0004"], ["0005"]]
    assert transactions(run) == (run.keys,)


def test_operations_that_are_made_on_import_stay_where_they_are(tmp_path):
    """As in wagtailsearch.0006: which they are depends on the engine."""
    lists = {
        "0002": "    if connection.vendor == 'sqlite':\n        operations = []\n    else:\n        operations = []\n",
        "0003": "    operations = [migrations.RunPython(f) for f in TWO]\n",
        "0004": "    operations = [\n    ]\n    if ON:\n        operations += MORE\n",
        "0005": "    operations = [\n    ]\n",
    }
    for name, text in lists.items():
        (tmp_path / f"{name}.py").write_text(f"class Migration(migrations.Migration):\n{text}")
    files = [Migration(Key("shop", name), str(tmp_path / f"{name}.py")) for name in lists]
    risks = tuple(risks_of(files))
    assert [(risk.key.name, risk.hazard) for risk in risks] == [(name, Hazard.MADE) for name in list(lists)[:3]]
    (run,) = find_safe_ranges(history({"shop": "0001 0002 0003 0004 0005 0006 0007 0008"}))
    cut = replace(run, risks=(Risk(Key("shop", "0005"), 1, Hazard.MADE, ""),))
    parts = [["0002", "0003", "0004"], ["0005"], ["0006", "0007", "0008"]]
    assert [[key.name for key in part] for part in transactions(cut)] == parts


def test_a_file_that_cannot_be_read_is_a_risk_itself(tmp_path):
    (broken := tmp_path / "0002_x.py").write_text("<<<<<<< HEAD\n")
    migrations = [Migration(Key("shop", name), str(tmp_path / f"{name}.py")) for name in ("0002_x", "0003_gone")]
    assert [risk.hazard for risk in risks_of(migrations)] == [Hazard.UNREADABLE] * 2
    assert broken.exists()
