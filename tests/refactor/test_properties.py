"""For any project and any databases: a refusal with a reason, or everything that linearize and its family promise."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

from hypothesis import event, given, settings
from hypothesis import strategies as st

from migsync.files.reshape import Reshape
from migsync.files.resolution import Resolution
from migsync.history import History, Key, build_history
from migsync.refactor.fix_conflicts import branches, fix_conflicts
from migsync.refactor.linearize import linearize
from migsync.refactor.numbers import number_of
from migsync.refactor.renumber import renumber
from tests.profiles import examples
from tests.refactor.projects import APPS, Project, make_project, projects, verdict
from tests.refactor.reshaped import by_alias, files_after, rows_after

REASONS = {
    "applied-order",
    "name-in-record",
    "name-in-replaces",
    "name-taken",
    "squash-torn",
}
OVERLAP = {"squash-overlap", "squash-cycle", "squash-torn"}


def refused(project: Project, reshape: Reshape, reasons: set[str]) -> bool:
    replaced = [key for each in project.history.migrations.values() for key in each.replaces]
    if len(replaced) > len(set(replaced)):
        reasons = reasons | OVERLAP
    errors = [finding for finding in reshape.findings if finding.blocks]
    assert {finding.code for finding in errors} <= reasons
    assert all(finding.found and finding.hint for finding in errors)
    event(errors[0].code if errors else "done" if reshape.expected.leaves else "nothing to do")
    return bool(errors)


def carried_out(project: Project, reshape: Reshape) -> History:
    """The history afterwards; every database loads, is consistent, and has as much left to run as before."""
    history = build_history(files_after(project.history, reshape), project.history.apps.values())
    assert not history.findings
    # The pipeline works it out its own way.
    worked_out = Resolution(project.history, reshape).after
    assert {key: worked_out.parents(key) for key in worked_out.order} == {
        key: history.parents(key) for key in history.order
    }
    for rows in [frozenset[Key](), *project.rows]:
        before, after = project.verdict(rows), verdict(history, rows_after(rows, reshape))
        assert not after.error
        assert not after.inconsistent
        assert set(after.pending) - reshape.expected.merges == rows_after(before.pending, reshape)
        assert not set(after.conflicts or ()) - set(before.conflicts or ())
    return history


def keeps_relations(project: Project, history: History, reshape: Reshape) -> None:
    """What came after something else, in a new database, still does."""
    before, after = (verdict(each, frozenset()).parents for each in (project.history, history))
    assert before is not None
    assert after is not None
    assert after.keys() - reshape.expected.merges == {
        reshape.keys.renamed.get(key, key) for key in before if key not in reshape.keys.removed
    }
    olds, news = (_ancestors(parents) for parents in (before, after))
    for key, ups in olds.items():
        if key not in reshape.keys.removed:
            kept = {reshape.keys.renamed.get(up, up) for up in ups if up not in reshape.keys.removed}
            assert kept <= news[reshape.keys.renamed.get(key, key)]


def _ancestors(parents: object) -> dict[Key, set[Key]]:
    assert isinstance(parents, dict)
    found: dict[Key, set[Key]] = {}
    while len(found) < len(parents):
        for key, ups in parents.items():
            if key not in found and found.keys() >= set(ups):
                found[key] = set(ups).union(*(found[up] for up in ups))
    return found


def covers_of(history: History) -> set[Key]:
    return {key for key, each in history.migrations.items() if any(old in history.migrations for old in each.replaces)}


def replaced_by(history: History, squash: Key) -> set[Key]:
    """What a squash replaces, through squashes among it."""
    found = set(history.migrations[squash].replaces)
    for key in list(found):
        if key in history.migrations:
            found |= replaced_by(history, key)
    return found


def is_a_chain(history: History, app: str) -> bool:
    """Every migration has one parent in its app, and the numbers are 1 to N."""
    covers = covers_of(history)
    keys = [Key(app, name) for name in history.names(app) if Key(app, name) not in covers]
    numbers = sorted(number_of(key.name) or 0 for key in keys)
    if numbers != list(range(1, len(keys) + 1)):
        return False
    keys.sort(key=lambda key: number_of(key.name) or 0)
    beside = {cover: replaced_by(history, cover) for cover in covers}
    for number, key in enumerate(keys):
        named = set(history.migrations[key].in_app_parents)
        if len(named) != min(number, 1):
            return False
        for parent in named:
            above = keys[number - 1]
            stands_in = {above} | {cover for cover, replaced in beside.items() if above in replaced}
            stands_in |= set(history.migrations[above].replaces)
            if parent not in stands_in:
                return False
    return True


def check_linearize(project: Project, apps: list[str]) -> None:
    reshape = linearize(project.history, apps=apps, applied=by_alias(project.rows))
    if refused(project, reshape, REASONS):
        if not covers_of(project.history):
            check_the_reason(project, reshape)
        return
    check_line(project, apps, reshape)
    if reshape.otherwise and not refused(project, other := reshape.otherwise(()), REASONS):
        history = check_line(project, apps, other)
        if not project.rows:
            runs_as_before(project, history, other, apps)


def check_line(project: Project, apps: list[str], reshape: Reshape) -> History:
    history = carried_out(project, reshape)
    keeps_relations(project, history, reshape)
    for app in apps or APPS:
        assert is_a_chain(history, app)
        if is_a_chain(project.history, app):
            changed = {*reshape.keys.renamed, *reshape.keys.removed, *reshape.dependencies.parents}
            assert app not in {key.app for key in changed}
            assert app not in reshape.expected.leaves
    for merge in reshape.keys.removed:
        assert project.history.migrations[merge].is_merge
    after = [rows_after(rows, reshape) for rows in project.rows]
    again = linearize(history, apps=apps, applied=by_alias(after))
    assert not (again.keys.renamed or again.keys.removed or again.dependencies.parents or again.expected.leaves)
    return history


def runs_as_before(project: Project, history: History, reshape: Reshape, apps: list[str]) -> None:
    """``migrate`` runs each app's migrations on a new database in the order of old."""
    before, after = (verdict(each, frozenset()).pending for each in (project.history, history))
    for app in apps or APPS:
        old = [
            reshape.keys.renamed.get(key, key) for key in before if key.app == app and key not in reshape.keys.removed
        ]
        assert old == [key for key in after if key.app == app]


def check_the_reason(project: Project, reshape: Reshape) -> None:
    """An order that suits every database is missing only where two of them have gone different ways."""
    for finding in reshape.findings:
        if finding.code == "applied-order":
            done = [
                {key for key in project.history.state(rows).applied if key.app == finding.app} for rows in project.rows
            ]
            assert any(not (one <= other or other <= one) for one in done for other in done)


@settings(max_examples=examples(80, 400), deadline=None)
@given(projects(), st.lists(st.sampled_from(APPS), unique=True))
def test_linearize(project: Project, apps: list[str]) -> None:
    known = [app for app in apps if project.history.names(app)]
    check_linearize(project, known)


@settings(max_examples=examples(60, 200), deadline=None)
@given(projects())
def test_renumber(project: Project) -> None:
    reshape = renumber(project.history, applied=by_alias(project.rows))
    if refused(project, reshape, {"name-in-record", "name-in-replaces", "name-taken"}):
        return
    assert not (reshape.dependencies.parents or reshape.keys.removed or reshape.dependencies.dropped)
    history = carried_out(project, reshape)
    covers = covers_of(history)
    for app in APPS:
        keys = [Key(app, name) for name in history.names(app) if Key(app, name) not in covers]
        assert sorted(number_of(key.name) or 0 for key in keys) == list(range(1, len(keys) + 1))
        for key in keys:
            for parent in set(history.parents(key)) & set(keys):
                assert (number_of(parent.name) or 0) < (number_of(key.name) or 0)
    after = [rows_after(rows, reshape) for rows in project.rows]
    assert not renumber(history, applied=by_alias(after)).keys.renamed


@settings(max_examples=examples(70, 300), deadline=None)
@given(projects(), st.randoms(use_true_random=False))
def test_fix_conflicts(project: Project, rng: random.Random) -> None:
    found = {app: branches(project.history, app) for app in APPS}
    first = {app: rng.choice(each).leaf.name for app, each in found.items() if each}
    reasons = {"branches-entangled", "branch-not-first"}
    reshape = fix_conflicts(project.history, applied=by_alias(project.rows), first=first)
    if {finding.code for finding in reshape.findings} == {"branch-not-first"}:
        reshape = fix_conflicts(project.history, applied=by_alias(project.rows))
        reasons |= {"which-branch-first"}
    if refused(project, reshape, reasons):
        return
    assert not (reshape.keys.removed or reshape.dependencies.dropped)
    assert set(reshape.expected.leaves) == set(first)
    history = carried_out(project, reshape)
    keeps_relations(project, history, reshape)
    assert not verdict(history, frozenset()).conflicts
    assert all(len(history.leaves(app)) <= 1 for app in APPS)


@settings(max_examples=examples(30, 60), deadline=None)
@given(st.integers(0, 2**32), st.booleans(), st.booleans())
def test_linearize_larger_projects(seed: int, merges: bool, squashes: bool) -> None:
    check_linearize(make_project(random.Random(seed), 60, merges=merges, squashes=squashes), [])


def test_in_line_is_in_line() -> None:
    """The check above can fail."""
    fork = [Key("shop", "0001_a"), Key("shop", "0002_b"), Key("shop", "0003_c")]
    chained = Project(make_project(random.Random(0), 1, merges=False, squashes=False).history)
    template = next(iter(chained.history.migrations.values()))
    line = [replace(template, key=fork[0], dependencies=())]
    line += [replace(template, key=down, dependencies=(up,)) for up, down in pairwise(fork)]
    assert is_a_chain(build_history(line), "shop")
    line[2] = replace(line[2], dependencies=(fork[0],))
    assert not is_a_chain(build_history(line), "shop")
