"""Operations are carried in as few files as keep their order; names are new ones."""

from __future__ import annotations

from migsync.worker.remake.files import new_names
from migsync.worker.remake.graph import Group, grouped

A1, A2, A3 = ("a", "0001"), ("a", "0002"), ("a", "0003")
B1, B2 = ("b", "0001"), ("b", "0002")


def test_one_app_needs_one_file() -> None:
    above = {A1: frozenset[tuple[str, str]](), A2: frozenset([A1])}
    assert grouped([A1, A2], above, frozenset()) == [Group("a", (A1, A2), ())]


def test_what_another_app_does_in_between_stays_in_between() -> None:
    above = {A1: frozenset[tuple[str, str]](), B1: frozenset([A1]), A2: frozenset([A1, B1]), B2: frozenset([B1])}
    assert grouped([A1, B1, A2, B2], above, frozenset()) == [
        Group("a", (A1,), ()),
        Group("b", (B1, B2), (0,)),
        Group("a", (A2,), (0, 1)),
    ]


def test_order_that_nothing_asks_for_makes_no_further_files() -> None:
    above = {A1: frozenset[tuple[str, str]](), B1: frozenset([A1]), A2: frozenset([A1])}
    assert grouped([A1, B1, A2], above, frozenset()) == [Group("a", (A1, A2), ()), Group("b", (B1,), (0,))]


def test_what_runs_outside_of_a_transaction_has_a_file_of_its_own() -> None:
    above = {A1: frozenset[tuple[str, str]](), A2: frozenset([A1]), A3: frozenset([A1, A2])}
    assert grouped([A1, A2, A3], above, frozenset([A2])) == [
        Group("a", (A1,), ()),
        Group("a", (A2,), (0,)),
        Group("a", (A3,), (0, 1)),
    ]


def test_names_are_new_ones_all_of_them() -> None:
    assert new_names("remade", [False, True], ["0001_initial"]) == ("0001_remade", "0002_remade_carried")
    taken = ["0001_initial", "0002_remade_carried", "0001_remade_2"]
    assert new_names("remade", [False, True], taken) == ("0001_remade_3", "0002_remade_carried_3")
