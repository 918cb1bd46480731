"""Which plans share a group, and what targets are called in sentences and commands."""

from __future__ import annotations

import pytest

from migsync.errors import Unreachable
from migsync.rewrites.record import Record
from migsync.sync.plan import Change, Plan, TargetRef
from migsync.sync.plan_groups import error_groups, plan_groups, sentence_names, shortened_aliases

pytestmark = pytest.mark.pure


def plan(alias: str, new: str = "0002_b", *, row: int = 1, applied: str = "2026-01-01") -> Plan:
    before = Record(row, "shop", "0002_a", applied)
    return Plan(TargetRef(alias, "postgresql", alias), (Change(before, before._replace(name=new)),))


def test_ids_and_times_make_no_difference_and_names_do() -> None:
    plans = [
        plan("t:a"),
        plan("t:b", row=7, applied="2026-02-02"),
        plan("t:c", "0002_c"),
        plan("u:a"),
        plan("default"),
        plan("other"),
    ]
    groups = plan_groups(plans)
    assert [group.name for group in groups] == ["t: 2 targets", "t:c", "u:a", "default", "other"]
    assert groups[0].aliases == ("t:a", "t:b")


def test_errors_of_one_reason_are_one_group() -> None:
    reasons = {"t:a": "x", "t:b": "x", "t:c": "y"}
    errors = {alias: Unreachable(f"{alias} cannot be reached.", why) for alias, why in reasons.items()}
    assert [group.aliases for group in error_groups(errors)] == [("t:a", "t:b"), ("t:c",)]


def test_an_entry_stands_for_many_of_its_members() -> None:
    few, many = ["default", "t:a", "t:b"], ["default", *(f"t:{number}" for number in range(40))]
    assert list(shortened_aliases(few)) == sentence_names(few) == few
    assert list(shortened_aliases(many)) == ["default", "t"]
    assert sentence_names(many) == ["default", "t (40 targets)"]
