"""Which plans share a group, and what targets are called in sentences and commands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from migsync.errors import Unreachable
from migsync.findings import Finding
from migsync.findings.records import perhaps_ran, unknown_record
from migsync.history.migration import Key
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


@pytest.mark.parametrize(
    "make",
    [
        lambda alias, key, row: unknown_record(migration=key, row=row, seen={}, alias=alias),
        lambda alias, key, row: perhaps_ran(
            app="shop", name="0009_x", rows=[(key, row)], files=[Key("shop", "0009_x")], seen={}, alias=alias
        ),
    ],
)
def test_findings_about_other_records_make_another_group(make: Callable[[str, Key, int], Finding]) -> None:
    said = {"t:a": ("0002_b", 2), "t:b": ("0002_b", 7), "t:c": ("0003_c", 2)}
    plans = [
        replace(plan(alias), findings=(make(alias, Key("shop", name), row),)) for alias, (name, row) in said.items()
    ]
    assert [group.aliases for group in plan_groups(plans)] == [("t:a", "t:b"), ("t:c",)]


def test_what_the_driver_said_is_the_reason() -> None:
    said = {"t:a": "schema a is gone (pid 7)", "t:1": "schema 1 is gone (pid 12)", "t:c": "no column name"}
    errors = {alias: Unreachable(f"The database reported an error: {why}", "x") for alias, why in said.items()}
    assert [group.aliases for group in error_groups(errors)] == [("t:a", "t:1"), ("t:c",)]


def test_errors_of_one_reason_are_one_group() -> None:
    reasons = {"t:a": "x", "t:b": "x", "t:c": "y"}
    errors = {alias: Unreachable(f"{alias} cannot be reached.", why) for alias, why in reasons.items()}
    assert [group.aliases for group in error_groups(errors)] == [("t:a", "t:b"), ("t:c",)]


def test_an_entry_stands_for_many_of_its_members() -> None:
    few, many = ["default", "t:a", "t:b"], ["default", *(f"t:{number}" for number in range(40))]
    assert list(shortened_aliases(few)) == sentence_names(few) == few
    assert list(shortened_aliases(many)) == ["default", "t"]
    assert sentence_names(many) == ["default", "t (40 targets)"]
