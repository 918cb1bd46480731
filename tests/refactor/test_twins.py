"""Migrations of two branches that do the same: one goes, where it could not run after the other one (case 69)."""

from __future__ import annotations

import pytest

from migsync.history import Key, build_history, parse_migration
from migsync.refactor.fix_conflicts import fix_conflicts
from migsync.refactor.twins import twins
from tests.proof.projects import ITEM, add_field, alter_field, migration
from tests.refactor.reshaped import edges

pytestmark = pytest.mark.pure

PRICE, SIZE = (add_field("item", name, "IntegerField(default=0)") for name in ("price", "size"))
ALTER = alter_field("item", "price", "IntegerField(default=1)")
CODE = "migrations.RunPython(migrations.RunPython.noop)"
START = Key("shop", "0001_initial")


def history(**files):
    """A chain's start, and files by name: (what they come after, their operations)."""
    texts = {"0001_initial": migration(ITEM)}
    texts |= {name: migration(*body, after=[("shop", after)]) for name, (after, *body) in files.items()}
    return build_history(
        parse_migration(text.encode(), Key("shop", name), f"/p/shop/{name}.py") for name, text in texts.items()
    )


def fork(*operations, other=None):
    return history(a2=("0001_initial", *operations), b2=("0001_initial", *(other or operations)))


@pytest.mark.parametrize(
    ("made", "alike"),
    [
        (fork(PRICE), True),
        (fork(PRICE, ALTER), True),
        (fork(ALTER), False),
        (fork(CODE), False),
        (fork(PRICE, CODE), False),
        (fork(PRICE, other=[SIZE]), False),
        (fork(PRICE, other=[PRICE, SIZE]), False),
        (fork("migrations.AddField('item', 'price', made())"), False),
    ],
)
def test_only_what_would_fail_the_second_time_goes(made, alike):
    a, b = Key("shop", "a2"), Key("shop", "b2")
    assert twins(made, [[a], [b]]) == ({a: b, b: a} if alike else {})
    assert twins(made, [[a], [b], [START]]) == {}


def test_what_came_after_the_one_that_goes_comes_after_the_other_branch():
    made = history(a2=("0001_initial", PRICE), b2=("0001_initial", PRICE), b3=("b2", SIZE))
    reshape = fix_conflicts(made, first={"shop": "a2"})
    assert reshape.keys.collapsed == (((Key("shop", "b2"), Key("shop", "a2")), (Key("shop", "a2"),)),)
    assert edges(made, reshape, "shop")["b3"] == ["shop.a2"]


@pytest.mark.parametrize("rows", [["a2"], ["b2"], ["a2", "b2"]])
def test_whoever_ran_one_of_them_ran_both(rows):
    made = history(a2=("0001_initial", PRICE), b2=("0001_initial", PRICE))
    applied = {"default": frozenset({START, *(Key("shop", name) for name in rows)})}
    other = {"other": frozenset({START, Key("shop", "a2")})}
    assert not fix_conflicts(made, applied={**applied, **other}, first={"shop": "b2"}).blocked
    assert fix_conflicts(made, applied=applied, first={"shop": "a2"}).keys.recorded(applied["default"]) == {
        START,
        Key("shop", "a2"),
    }
