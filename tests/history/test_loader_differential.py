"""For any files and any rows, our model of the loader says what Django's own loader and executor say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from migsync.history import Key, LoaderState, build_history
from tests.history.histories import Files, files
from tests.history.judge import NESTED, Verdict, judge
from tests.profiles import examples

EXHAUSTIVE = 7


def subsets(keys: list[Key]) -> Iterator[frozenset[Key]]:
    for size in range(len(keys) + 1):
        yield from map(frozenset, combinations(keys, size))


def check(on_disk: Files, rows: Iterable[frozenset[Key]]) -> None:
    history = build_history(on_disk.migrations, on_disk.apps, on_disk.settings)
    for recorded in rows:
        verdict = judge(on_disk.migrations, on_disk.apps, on_disk.settings, recorded)
        compare(history.state(recorded, nested=NESTED), verdict)


def compare(state: LoaderState, verdict: Verdict) -> None:
    assert state.error.partition(":")[0] == verdict.error, state.error
    if verdict.error:
        assert state.pending == ()
        return
    assert state.applied == verdict.applied
    assert state.parents == verdict.parents
    assert state.nodes == verdict.parents.keys()
    assert state.pending == verdict.pending
    assert bool(state.inconsistent) == bool(verdict.inconsistent)
    if verdict.inconsistent:
        named = [f"{key} is applied before its dependency {parent} " for key, parent in state.inconsistent]
        assert any(pair in verdict.inconsistent for pair in named)
    leaves: dict[str, list[str]] = {}
    for app, name in state.leaves:
        leaves.setdefault(app, []).append(name)
    assert {app: names for app, names in leaves.items() if len(names) > 1} == verdict.conflicts


@hypothesis_settings(max_examples=examples(50, 150))
@given(files(max_size=EXHAUSTIVE))
def test_every_subset_of_rows_of_a_small_history(on_disk: Files) -> None:
    check(on_disk, subsets(on_disk.keys[:EXHAUSTIVE]))


@hypothesis_settings(max_examples=examples(70, 250))
@given(st.data())
def test_some_subsets_of_rows_of_a_larger_history(data: st.DataObject) -> None:
    on_disk = data.draw(files(max_size=25))
    some = data.draw(st.lists(st.frozensets(st.sampled_from([*on_disk.keys, Key("old", "0001_m")])), max_size=10))
    order = build_history(on_disk.migrations, on_disk.apps, on_disk.settings).order
    prefixes = [frozenset(order[:count]) for count in range(0, len(order) + 1, 3)]
    check(on_disk, [frozenset(), frozenset(on_disk.keys), *some, *prefixes])
