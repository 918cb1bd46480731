"""Merge migrations: which of them can go, and which stay in line as migrations like others."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from migsync.edits.literals import literal
from migsync.findings import Finding
from migsync.findings.order import merge_stays
from migsync.history import FIRST, History, Key, Migration
from migsync.refactor.numbers import last_number, numbered, replaced_and_gone, width_of

LONGEST_NAME = 47
QUOTE = '"'
MERGE = """\
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
{}    ]

    operations = []
"""


@dataclass(frozen=True)
class Merges:
    """`going` are taken out; `gone` are names that a squash replaces and no file bears, with those squashes."""

    going: frozenset[Key]
    findings: tuple[Finding, ...]
    gone: Mapping[Key, Sequence[Key]]


def find_merges(history: History, apps: Collection[str], *, keep_cross_app: bool) -> Merges:
    """The merges of `apps`.

    What a merge alone says must not be lost with it. So one stays, as a link like others, that a squash replaces,
    that is itself a squash, that a ``run_before`` names or that has one, that carries operations or a list of them that
    cannot be read, and (`keep_cross_app`) one that depends on another app's migration which its parents do not come
    after anyway.
    """
    gone = replaced_and_gone(history)
    named_by = _named(history)
    rank = {key: place for place, key in enumerate(history.order)}
    going: set[Key] = set()
    findings: list[Finding] = []
    for key, migration in history.migrations.items():
        if key.app not in apps or len(_in_app(migration)) < 2:
            continue
        if migration.operations:
            # Two parents of which one comes after the other are no branches: one of the edges says nothing, and can go.
            if not migration.replaces and _joins(history, key, rank):
                findings.append(merge_stays(migration=key, reason="it has operations", file=migration.path))
        elif migration.replaces:
            continue
        elif reason := named_by.get(key) or _own_reason(history, migration, keep_cross_app=keep_cross_app):
            findings.append(merge_stays(migration=key, reason=reason, file=migration.path))
        else:
            going.add(key)
    return Merges(frozenset(going), tuple(findings), gone)


def merge_of(history: History, app: str, leaves: Sequence[Key]) -> tuple[Key, bytes]:
    """A new merge of `leaves`, as ``makemigrations --merge`` writes and names it: its key, and its file."""
    names = [leaf.name for leaf in sorted(leaves)]
    # Django writes the time in place of long names.
    words = "_".join(["merge", *names]) if len("_".join(names)) <= LONGEST_NAME else "merge"
    taken = history.names(app)
    number = max((last_number(name) or 0 for name in taken), default=0) + 1
    lines = "".join(f"        {literal(Key(app, name), QUOTE)},\n" for name in names)
    return Key(app, numbered(words, number, width_of(taken))), MERGE.format(lines).encode()


def _in_app(migration: Migration) -> set[Key]:
    return {parent for parent in migration.in_app_parents if parent.name != FIRST}


def _named(history: History) -> dict[Key, str]:
    """Why a migration must stay because of others that name it other than as a dependency."""
    reasons: dict[Key, str] = {}
    for key, migration in history.migrations.items():
        reasons |= dict.fromkeys(migration.replaces, f"{key} replaces it")
        reasons |= dict.fromkeys(migration.run_before, f"{key} must run before it")
    return reasons


def _own_reason(history: History, migration: Migration, *, keep_cross_app: bool) -> str:
    if migration.run_before:
        return f"it must run before {', '.join(map(str, migration.run_before))}"
    others = {parent for parent in history.parents(migration.key) if parent.app != migration.key.app}
    if not keep_cross_app:
        # Dependencies that the file states are stripped anyway. An edge from another app's run_before is not in this
        # file.
        others = {other for other in others if any(app == migration.key.app for app, _ in _run_before(history, other))}
    if others:
        # What the parents come after anyway is not lost with the merge.
        others -= history.ancestors(_in_app(migration))
        if others:
            return f"it alone depends on {', '.join(map(str, sorted(others)))}"
    return ""


def _run_before(history: History, key: Key) -> Sequence[Key]:
    return history.migrations[key].run_before


def _joins(history: History, key: Key, rank: Mapping[Key, int]) -> bool:
    """Whether `key` joins branches: two of its parents in the app of which neither comes after the other.

    A squash and what it replaces are no branches. Only what lies between the parents is looked at.
    """
    parents = sorted((parent for parent in history.parents(key) if parent.app == key.app), key=rank.__getitem__)
    stands_for = {parent: {parent, *history.migrations[parent].replaces} for parent in parents}
    while len(parents) > 1:
        # In the graph's order the last cannot come before another; so it is enough to look back from it.
        last = parents.pop()
        before = _between(history, last, rank[parents[0]], rank)
        if any(not stands_for[parent] & stands_for[last] and parent not in before for parent in parents):
            return True
        parents = [parent for parent in parents if parent not in before]
    return False


def _between(history: History, start: Key, lowest: int, rank: Mapping[Key, int]) -> set[Key]:
    found: set[Key] = set()
    todo = [start]
    while todo:
        for parent in history.parents(todo.pop()):
            if parent not in found and rank[parent] >= lowest:
                found.add(parent)
                todo.append(parent)
    return found
