"""Which old migration is replaced by which new one: each once, in an order that Django finds."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from migsync.worker.remake.files import NewFiles, NewMigration
from migsync.worker.remake.graph import CannotReplace, OldGraph, ReplacesPartition

A1, A2, A3 = ("a", "0001"), ("a", "0002"), ("a", "0003")
B1, B2 = ("b", "0001"), ("b", "0002")
X1 = ("x", "0001")
ORDER = [A1, B1, A2, B2, A3]
IN_LINE = {A1: [], A2: [A1], A3: [A2], B1: [], B2: [B1]}


def test_one_new_migration_replaces_all_of_its_app() -> None:
    replaced = ReplacesPartition(ORDER, IN_LINE, [("a", 0), ("b", 0)]).replaced()
    assert replaced == {("a", 0): [A1, A2, A3], ("b", 0): [B1, B2]}


def test_of_two_the_second_replaces_as_little_as_it_can() -> None:
    replaced = ReplacesPartition(ORDER, IN_LINE, [("a", 0), ("b", 0), ("a", 1)]).replaced()
    assert replaced == {("a", 0): [A1, A2], ("b", 0): [B1, B2], ("a", 1): [A3]}


def test_what_depends_on_another_app_goes_to_the_one_that_comes_after_it() -> None:
    replaced = ReplacesPartition(ORDER, {**IN_LINE, A2: [A1, B1]}, [("a", 0), ("b", 0), ("a", 1)]).replaced()
    assert replaced == {("a", 0): [A1], ("b", 0): [B1, B2], ("a", 1): [A2, A3]}


@pytest.mark.parametrize(
    ("parents", "files"),
    [
        ({A2: [A1, B1], B1: [A1]}, [("a", 0), ("b", 0)]),
        ({A2: [A1, X1], X1: [A1]}, [("a", 0), ("b", 0)]),
        ({}, [("a", 0), ("b", 0), ("b", 1), ("b", 2)]),
    ],
    ids=["another app in between", "an app that stays in between", "fewer old ones than new ones"],
)
def test_a_circle_is_refused(parents, files) -> None:
    order = [A1, X1, B1, A2, B2, A3]
    with pytest.raises(CannotReplace):
        ReplacesPartition(order, {**IN_LINE, X1: [], **parents}, files).replaced()


def test_a_file_comes_after_that_of_an_app_which_old_migrations_needed() -> None:  # case 72
    """Nothing in the new files says so, where no foreign key does."""
    parents = {A1: [B2], A2: [A1], B1: [], B2: [B1]}
    nodes = {key: SimpleNamespace(key=key, parents=[], children=[]) for key in parents}
    for key, above in parents.items():
        nodes[key].parents = [nodes[each] for each in above]
    graph = SimpleNamespace(node_map=nodes, nodes=nodes, leaf_nodes=lambda: [A2, B2])
    files = NewFiles(OldGraph(SimpleNamespace(graph=graph), frozenset("ab"), frozenset()), {}, [])
    files.files = [NewMigration(key, []) for key in (("a", 0), ("b", 0))]
    assert files._in_order() == [("b", 0), ("a", 0)]
    assert ReplacesPartition([B1, B2, A1, A2], parents, files._in_order()).replaced() == {
        ("a", 0): [A1, A2],
        ("b", 0): [B1, B2],
    }


def test_new_files_in_a_circle_are_refused() -> None:
    """Named is an app of the circle; the others wait for it."""
    graph = SimpleNamespace(node_map={}, nodes={}, leaf_nodes=list, iterative_dfs=list)
    files = NewFiles(OldGraph(SimpleNamespace(graph=graph), frozenset("abc"), frozenset()), {}, [])
    after = {("a", 0): {("b", 0)}, ("b", 0): {("c", 0)}, ("c", 0): {("b", 0)}, ("d", 0): set()}
    files.files = [NewMigration(key, [], depends) for key, depends in after.items()]
    with pytest.raises(CannotReplace) as refused:
        files._in_order()
    assert refused.value.app == "b"
    assert files.replace_all() == ["b"]
    files.files[2].depends.clear()
    assert files._in_order() == [("c", 0), ("d", 0), ("b", 0), ("a", 0)]
