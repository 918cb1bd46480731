"""Files that were united or made anew, by the tables that they make; nothing but the text of files."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from migsync.history.contents import Contents
from migsync.history.parser import read_contents
from migsync.rewrites.evidence.collapses import Collapse, RunFile, collapses_of, run_files
from tests.profiles import examples

FILE = """
from django.db import migrations, models
from shop.operations import Custom

def make(): return open("x")

class Migration(migrations.Migration):
    operations = [{}]
"""
FIELD = "models.IntegerField(null={})"


def contents(*operations: str) -> Contents:
    return read_contents(FILE.format(", ".join(operations)).encode(), "shop/x.py", "shop")


def create(model: str, *fields: str, null: bool = True) -> str:
    return f'migrations.CreateModel("{model}", [{", ".join(f"({name!r}, {FIELD.format(null)})" for name in fields)}])'


def add(model: str, field: str) -> str:
    return f'migrations.AddField("{model}", "{field}", {FIELD.format(True)})'


def alter(model: str, field: str) -> str:
    return f'migrations.AlterField("{model}", "{field}", {FIELD.format(False)})'


def run(code: str) -> str:
    return f'migrations.RunSQL("{code}")'


REMOVE = 'migrations.RemoveField("item", "{}")'
OPTIONS = 'migrations.AlterModelOptions("item", {"ordering": ["a"]})'


def found(
    old: Mapping[str, Sequence[str]], new: Mapping[str, Sequence[str]], same: Mapping[str, str] | None = None
) -> list[str]:
    """The collapses as ``1 2 -> 1``; with a question mark where not all is known."""
    sides = [[(name, contents(*operations)) for name, operations in side.items()] for side in (old, new)]
    return [text(each) for each in collapses_of(run_files(sides[0]), run_files(sides[1]), same or {})]


def text(each: Collapse) -> str:
    return f"{' '.join(each.olds)} -> {' '.join(each.news)}{'' if each.certain else '?'}"


OLD = {"1": [create("item", "a")], "2": [add("item", "b"), alter("item", "a")], "3": [create("cart", "c")]}
ALL = [
    create("cart", "c"),
    'migrations.CreateModel("item", [("a", models.IntegerField()), ("b", models.IntegerField(null=True))])',
]


def test_a_reset() -> None:
    assert found(OLD, {"1": ALL}) == ["1 2 3 -> 1"]
    assert found(OLD, {"1": ALL, "2": [add("cart", "d")]}) == ["1 2 3 -> 1"]
    assert found(OLD, {"1": ALL[:1], "2": ALL[1:]}) == ["1 2 3 -> 1 2"]


def test_tables_that_differ_are_none() -> None:
    assert found(OLD, {"1": [*ALL, add("cart", "d")]}) == []
    assert found(OLD, {"1": ALL[:1]}) == []
    assert found({**OLD, "4": [REMOVE.format("b")]}, {"1": ALL}) == []


def test_united_between_files_that_stay() -> None:
    old = {"1": [create("item", "a")], "2": [add("item", "b")], "3": [add("item", "c")], "4": [add("item", "d")]}
    new = {"1": old["1"], "2x": [*old["2"], *old["3"]], "4": old["4"]}
    assert found(old, new, {"1": "1", "4": "4"}) == ["2 3 -> 2x"]
    more = {"5": [add("item", "e")], "6": [add("item", "f")]}
    assert found({**old, **more}, {**new, "5y": [*more["5"], *more["6"]]}, {"1": "1", "4": "4"}) == [
        "2 3 -> 2x",
        "5 6 -> 5y",
    ]


def test_code_that_ran_may_be_gone_and_code_that_did_not_may_not_be_there() -> None:
    assert found({**OLD, "4": [run("SELECT 1")]}, {"1": ALL}) == ["1 2 3 4 -> 1"]
    assert found({"0": [run("SELECT 1")], **OLD}, {"1": ALL}) == ["0 1 2 3 -> 1"]
    assert found(OLD, {"1": [*ALL, run("SELECT 1")]}) == []
    assert found({**OLD, "4": [run("SELECT 1")]}, {"1": [*ALL, run("SELECT 1")]}) == ["1 2 3 4 -> 1"]


def test_files_of_nothing_but_code_are_known_by_it() -> None:
    old = {"1": [create("item", "a")], "2": [run("SELECT 2")], "3": [run("SELECT 3")]}
    same = {"1": "1"}
    assert found(old, {"1": old["1"], "2x": [*old["2"], *old["3"]]}, same) == ["2 3 -> 2x"]
    assert found(old, {"1": old["1"], "2x": [OPTIONS]}, same) == []
    assert found(old, {"1": old["1"], "2x": [run("SELECT 4")]}, same) == []


def test_what_changes_no_table_belongs_to_what_follows() -> None:
    old = {"1": [create("item", "a")], "2": [OPTIONS], "3": [add("item", "b")], "4": [OPTIONS]}
    assert found(old, {"1": [create("item", "a", "b")]}) == ["1 2 3 4 -> 1"]
    assert found(old, {"1": old["1"], "2x": [add("item", "b")]}, {"1": "1"}) == ["2 3 4 -> 2x"]


def test_what_only_running_shows_is_a_question() -> None:
    assert found({**OLD, "4": ["Custom()"]}, {"1": ALL}) == ["1 2 3 4 -> 1?"]
    assert found(OLD, {"1": [*ALL, "make()"]}) == ["1 2 3 -> 1?"]
    computed = 'migrations.AddField("item", "e", make())'
    assert found({**OLD, "4": [computed]}, {"1": [*ALL, computed]}) == ["1 2 3 4 -> 1?"]


@settings(max_examples=examples(60, 2000))
@given(st.integers(0, 2**32))
def test_what_is_said_is_true(seed: int) -> None:
    """Random files, divided otherwise, with and without a change: a collapse is right in every place, or not there."""
    draw = random.Random(seed)
    operations = [create("item", "a"), create("cart")]
    columns = ["a"]
    for number in range(draw.randrange(1, 9)):
        kind = draw.choice(["add", "alter", "remove", "run", "options"])
        if kind == "add":
            columns.append(f"f{number}")
            operations.append(add("item", columns[-1]))
        elif kind == "alter" and columns:
            operations.append(alter("item", draw.choice(columns)))
        elif kind == "remove" and len(columns) > 1:
            operations.append(REMOVE.format(columns.pop(draw.randrange(1, len(columns)))))
        elif kind == "run":
            operations.append(run(f"SELECT {number}"))
        else:
            operations.append(OPTIONS)
    old, new = (divided(operations, draw) for _ in range(2))
    for each in collapses_of(files(old, "o"), files(new, "n"), {}):
        ends = [int(names[-1][1:]) + 1 for names in (each.olds, each.news)]
        (tables, ran), (claimed, runs) = made(old[: ends[0]]), made(new[: ends[1]])
        assert tables == claimed, (old, new, each)
        assert set(runs) <= set(ran), (old, new, each)
    assert collapses_of(files(old, "o"), files(new, "n"), {}), (old, new)
    spoilt = [*new[:-1], [*new[-1], add("cart", "spoilt")]]
    united = {name for each in collapses_of(files(old, "o"), files(spoilt, "n"), {}) for name in each.news}
    assert f"n{len(new) - 1}" not in united


def divided(operations: Sequence[str], draw: random.Random) -> list[list[str]]:
    cuts = sorted({0, *(draw.randrange(1, len(operations)) for _ in range(draw.randrange(4)))})
    return [list(operations[start:end]) for start, end in zip(cuts, [*cuts[1:], len(operations)], strict=True)]


def files(parts: Sequence[Sequence[str]], letter: str) -> list[RunFile]:
    return run_files([(f"{letter}{number}", contents(*part)) for number, part in enumerate(parts)])


def made(parts: Sequence[Sequence[str]]) -> tuple[dict[str, bool], list[str]]:
    """The columns, and whether each may be null; and the code. Worked out from the text of the operations."""
    columns: dict[str, bool] = {}
    code: list[str] = []
    for operation in (each for part in parts for each in part):
        kind, *names = operation.split('"')[0::2][:1] + operation.split('"')[1::2]
        if "RunSQL" in kind:
            code.append(operation)
        elif "RemoveField" in kind:
            del columns[names[1]]
        elif "AddField" in kind or "AlterField" in kind:
            columns[names[1]] = "AddField" in kind
        elif "CreateModel" in kind:
            columns |= {names[0]: True, "a": True} if names[0] == "item" else {names[0]: True}
    return columns, code
