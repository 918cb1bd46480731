"""Records of an app that is not installed, beside an app without records whose files have the same names."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from migsync.findings import Finding, Severity
from migsync.history.graph import History
from migsync.history.migration import Key
from migsync.rewrites.pairs import keep_hint
from migsync.rewrites.record import Record
from migsync.words import sample

ANY_APP = "0001_initial"
"""The name that tells nothing about an app: nearly every one has it."""


def lost_apps(
    history: History, records: Sequence[Record], scope: Collection[str], stated: Collection[Key]
) -> Iterator[Finding]:
    """Each app of `scope` that may have had another label when this database was migrated.

    ``migrate`` would run all its migrations again. `stated` are the records that the project lists as leftovers.
    """
    strange: dict[str, set[str]] = {}
    for record in records:
        if record.app not in history.apps and record.key not in stated:
            strange.setdefault(record.app, set()).add(record.name)
    recorded = {record.app for record in records}
    for app in sorted(set(scope) - recorded):
        files = set(history.names(app)) - {ANY_APP}
        for old, names in sorted(strange.items()):
            if shared := sorted(files & names):
                yield _lost(app, old, sorted(names), shared)


def _lost(app: str, old: str, names: Sequence[str], shared: Sequence[str]) -> Finding:
    return Finding(
        "lost-app",
        Severity.ERROR,
        f"{app} has no records here, but {old}, which is not installed, has records of the same names: "
        f"{sample(shared, 1)}.",
        f"If the label of the app was changed from {old} to {app}, `migrate` would run its migrations a second time.",
        f"If it was: migsync rename-app {old} {app} --update-db\nIf not, remove the rows: --prune {old}\n"
        + keep_hint([f"{old}.{name}" for name in names]),
        app=app,
        other=old,
    )
