"""The rows that a rewrite made of evidence changes, with what ran under them.

Evidence of one database proves such a rewrite, and it serves all others too: where something else ran,
:mod:`~migsync.sync.drift` has to see it. A rewrite that a command made was proven with the files, and answers for its
rows itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from migsync.history.graph import History
from migsync.rewrites.record import Record
from migsync.rewrites.rewrite import EVIDENCE, Rewrite
from migsync.sync.plan import Change
from migsync.sync.provenance import ContentSource, FileContents, Provenance


@dataclass(frozen=True)
class FollowedRows:
    """`versions` are what ran by the ids of the rows, `removed` those of the rows that the plan takes out."""

    versions: Mapping[int, FileContents] = field(default_factory=dict)
    removed: tuple[Record, ...] = ()


NONE_FOLLOWED = FollowedRows()


def followed_rows(
    history: History,
    changes: Sequence[Change],
    passed: Iterable[Rewrite],
    ran: Mapping[int, Provenance],
    changed_before: Iterable[int],
) -> FollowedRows:
    """The changed rows of each app of which it is known, for every one of them, what ran.

    `passed` are the rewrites that the `changes` are for. `changed_before` are the ids of the rows that earlier runs
    have changed: their names of today say nothing about what ran.
    """
    made: dict[str, set[str]] = {}
    for rewrite in passed:
        for app in rewrite.apps:
            made.setdefault(app, set()).add(rewrite.command)
    left_out = frozenset(changed_before)
    versions: dict[int, FileContents] = {}
    removed: list[Record] = []
    for app in (app for app, commands in made.items() if commands == {EVIDENCE}):
        mine = [change for change in changes if app in _apps(change)]
        known = {id(change): _version(history, change.before, ran, left_out) for change in mine}
        if not all(known.values()):
            continue
        for change in mine:
            version = known[id(change)]
            if change.before and change.before.id is not None and version:
                versions[change.before.id] = version
                removed += [] if change.after else [change.before]
    return FollowedRows(versions, tuple(removed))


def _apps(change: Change) -> set[str]:
    return {row.app for row in (change.before, change.after) if row}


def _version(
    history: History, row: Record | None, ran: Mapping[int, Provenance], left_out: frozenset[int]
) -> FileContents | None:
    provenance = ran.get(row.id or 0) if row else None
    if row is None or provenance is None or row.id in left_out or provenance.source is ContentSource.NAME:
        return None
    if provenance.versions:
        return provenance.versions[0] if len(provenance.versions) == 1 else None
    file = history.migrations.get(row.key)
    return file if file and not file.problems else None
