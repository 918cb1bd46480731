"""What is told of stored changes without decoding them is what the changes themselves tell."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migsync.history import App, Key, Migration, build_history
from migsync.rewrites.record import Record
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.sync.gone_records import with_gone
from migsync.sync.journal.tables import as_json
from migsync.sync.plan import Change, TargetRef
from migsync.sync.planner import make_plan
from migsync.sync.run import Run, RunKind
from migsync.sync.stored_changes import StoredChanges, kinds_of, touched_ids
from migsync.sync.target import Snapshot

pytestmark = pytest.mark.pure

texts = st.sampled_from(['{"id":7', ',"id":8,', '\\,"id":9', '"kind":"remove"', '{"kind":"insert"', "0001_x", "é\\"])
records = st.builds(Record, st.none() | st.integers(-5, 5), texts, texts, st.none() | texts)
changes = st.lists(
    st.builds(Change, st.none() | records, st.none() | records, texts).filter(lambda each: each.before or each.after),
    max_size=5,
).map(tuple)


@given(changes, st.sampled_from([as_json, json.dumps]))
def test_ids_and_kinds_are_told_without_decoding(found: tuple[Change, ...], encode: object) -> None:
    text = encode([change.as_dict() for change in found])  # type: ignore[operator]
    stored = StoredChanges(text, lambda _: pytest.fail("was decoded"))
    assert set(touched_ids(stored)) == set(touched_ids(found))
    assert kinds_of(stored) == kinds_of(found)
    assert bool(stored) is bool(found)


@given(changes)
def test_stored_changes_are_the_changes(found: tuple[Change, ...]) -> None:
    stored = StoredChanges(as_json([]), lambda _: found)
    assert stored == found
    assert found == stored
    assert [*stored] == [*found]
    assert len(stored) == len(found)
    assert not found or stored[-1:] == found[-1:]


def test_a_plan_decodes_no_run() -> None:
    """A journal has hundreds of runs, and each of them may have changed thousands of rows."""
    files = [Migration(Key("shop", "0001_x")), Migration(Key("shop", "0002_x"), dependencies=(Key("shop", "0001_x"),))]
    history = build_history(files, [App("shop", "/shop")])
    rows = [Record(number, *file.key, "2026-01-01") for number, file in enumerate(files, 1)]
    text = as_json([Change(row, row._replace(name="old"), "test").as_dict() for row in rows])
    run = Run("a" * 32, 1, RunKind.APPLY, "", "2026-01-02T00:00:00.000000Z", "", "")
    run = replace(run, changes=StoredChanges(text, lambda _: pytest.fail("was decoded")))
    plan = make_plan(history, Rewrites(()), rows, TargetRef("default", "sqlite", "here"), runs=[run])
    assert with_gone(history, Snapshot(tuple(rows), (run,)), plan).empty
