"""Squashes in every state of transition: what is legal is silent, what loses a migration is told."""

from __future__ import annotations

from itertools import combinations

import pytest

from migsync.findings import Severity
from migsync.history import Key, LoaderState, build_history
from tests.history.judge import NESTED
from tests.history.test_graph import keys, migration

ORIGINALS = [
    migration("shop.0001"),
    migration("shop.0002", "shop.0001"),
    migration("shop.0003", "shop.0002"),
]
SQUASH = migration("shop.0001_squash", replaces=("shop.0001", "shop.0002", "shop.0003"))
NEXT = migration("shop.0004", "shop.0001_squash")


def state(on_disk: list, *rows: str, nested: bool = NESTED) -> LoaderState:
    return build_history(on_disk).state(frozenset(keys(*rows)), nested=nested)


@pytest.mark.parametrize("count", range(4))
def test_a_squash_beside_its_originals_is_legal_for_every_database(count: int) -> None:
    rows = [str(each.key) for each in ORIGINALS[:count]]
    for with_row in ([], ["shop.0001_squash"] if count > 0 else []):
        found = state([*ORIGINALS, SQUASH, NEXT], *rows, *with_row)
        assert (found.error, found.inconsistent, found.findings) == ("", (), ())
        expected = {0: ("0001_squash", "0004"), 1: ("0002", "0003", "0004"), 2: ("0003", "0004"), 3: ("0004",)}[count]
        assert tuple(key.name for key in found.pending) == expected


def test_all_or_none_of_the_originals_recorded_and_their_files_gone_is_legal() -> None:
    fresh = state([SQUASH, NEXT])
    assert (fresh.pending, fresh.findings) == (keys("shop.0001_squash", "shop.0004"), ())
    migrated = state([SQUASH, NEXT], "shop.0001", "shop.0002", "shop.0003")
    assert (migrated.pending, migrated.findings) == (keys("shop.0004"), ())
    assert Key("shop", "0001_squash") in migrated.applied


@pytest.mark.parametrize("rows", [each for size in (1, 2) for each in combinations(["0001", "0002", "0003"], size)])
def test_some_recorded_and_the_files_gone_is_an_error(rows: tuple[str, ...]) -> None:
    found = state([SQUASH, NEXT], *(f"shop.{name}" for name in rows))
    assert found.error == ""
    assert found.pending == keys("shop.0004")  # Django says nothing, and runs on without the rest
    (finding,) = found.findings
    assert (finding.code, finding.severity, finding.name) == ("partial-squash", Severity.ERROR, "0001_squash")
    for name in {"0001", "0002", "0003"} - set(rows):
        assert name in finding.meaning


def test_a_recorded_squash_without_what_it_replaces_may_run_again() -> None:
    found = state([SQUASH, NEXT], "shop.0001_squash")
    assert found.pending == keys("shop.0001_squash", "shop.0004")
    assert [finding.code for finding in found.findings] == ["squash-not-applied"]
    refused = state([SQUASH, NEXT], "shop.0001_squash", "shop.0004")
    assert refused.inconsistent == ()  # judged by the rows themselves, so not even that: migrate does nothing
    assert [finding.code for finding in refused.findings] == ["squash-not-applied"]


def test_a_squash_of_a_squash_depends_on_the_version_of_django() -> None:
    inner = migration("shop.0001_squash", replaces=("shop.0001", "shop.0002"))
    outer = migration("shop.0001_squash_squash", replaces=("shop.0001_squash", "shop.0003"))
    rows = ("shop.0001", "shop.0002", "shop.0003")
    assert state([outer], *rows, nested=True).findings[0].code == "partial-squash"
    resolved = state([inner, outer], *rows, nested=True)
    assert (resolved.nodes, resolved.pending) == ({outer.key}, ())
    # Django 5.2 goes by the order of the files: here the outer one first, when the inner one does not yet count.
    plain = state([outer, inner], *rows, nested=False)
    assert outer.key not in plain.nodes


def test_squashes_that_replace_each_other() -> None:
    loop = [migration("shop.a", replaces=("shop.b",)), migration("shop.b", replaces=("shop.a",))]
    assert state(loop, nested=True).error.startswith("CommandError: Cyclical squash replacement")
    assert state(loop, nested=False).error.startswith("NodeNotFoundError")


@pytest.mark.parametrize("nested", [True, False])
def test_a_squash_that_replaces_itself_is_an_error(nested: bool) -> None:
    assert state([migration("shop.a", replaces=("shop.a",))], nested=nested).error


def test_an_installed_django_decides_about_nesting() -> None:
    inner = migration("shop.b", replaces=("shop.a",))
    outer = migration("shop.c", replaces=("shop.b",))
    history = build_history([outer, inner])
    row = frozenset(keys("shop.a"))
    assert history.state(row) == history.state(row, nested=NESTED)
