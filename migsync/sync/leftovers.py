"""Records of the project's own apps that no file and no ``replaces`` on disk explains."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from migsync.findings import Finding, Severity
from migsync.history.graph import History
from migsync.history.loader import LoaderState
from migsync.history.migration import Key
from migsync.records.record import Record


def leftovers(
    history: History,
    state: LoaderState,
    records: Sequence[Record],
    scope: Collection[str],
    elsewhere: Mapping[Key, str],
) -> Iterator[Finding]:
    """A finding for each: a question where a file may repeat what it did, else only told.

    `elsewhere` are those whose files are on another branch, with its name.
    """
    replaced = {key for migration in history.migrations.values() for key in migration.replaces}
    unknown = [
        record
        for record in records
        if record.app in scope and record.key not in history.migrations and record.key not in replaced
    ]
    asked: set[Key] = set()
    for key, olds in _perhaps_run(state, records, [record for record in unknown if record.key not in elsewhere]):
        yield _perhaps_ran(key, olds)
        asked |= {Key(key.app, old) for old in olds}
    for record in unknown:
        if record.key not in asked:
            yield _on_branch(record, elsewhere[record.key]) if record.key in elsewhere else _unknown(record)


def _perhaps_run(
    state: LoaderState, after: Sequence[Record], gone: Sequence[Record]
) -> Iterator[tuple[Key, list[str]]]:
    """Files that would run next, with the records of lost files that may be what they did: a collapse by hand.

    A record that was applied before something that the file depends on cannot be; most old leftovers are such.
    """
    if not gone:
        return
    recorded = {record.key: record for record in after}
    apps = {record.app for record in gone}
    for key in sorted(key for key in state.nodes - state.applied if key.app in apps):
        parents = [parent for parent in state.parents[key] if parent.app == key.app]
        newest = max((recorded[parent].age for parent in parents if parent in recorded), default=("", 0))
        olds = [record.name for record in gone if record.app == key.app and record.age > newest]
        if olds and state.applied.issuperset(parents):
            yield key, olds


def _perhaps_ran(key: Key, olds: Sequence[str]) -> Finding:
    app, several = key.app, len(olds) > 1
    said = f"--collapse {key}={'+'.join(olds)}" if several else f"--map {app}.{olds[0]}={key.name}"
    if not several:
        said += f" (if {key.name} holds more than {olds[0]} did, run the rest first, with the files of before)"
    return Finding(
        "perhaps-ran",
        Severity.ERROR,
        f"{key} is not recorded here, but {', '.join(olds)} {'are' if several else 'is'}, without a file.",
        f"If it took {'their' if several else 'its'} place, `migrate` would do again what was done.",
        f"If it did: {said}\nIf not: {' '.join(f'--prune {app}.{old}' for old in olds)}",
        app=app,
        name=key.name,
    )


def _on_branch(record: Record, branch: str) -> Finding:
    return Finding(
        "on-another-branch",
        Severity.INFO,
        f"{record.key} is recorded (row {record.id}); its file is on the branch {branch} and never was on this one.",
        "Django passes over it; it is left alone.",
        app=record.app,
        name=record.name,
    )


def _unknown(record: Record) -> Finding:
    return Finding(
        "unknown-record",
        Severity.WARNING,
        f"{record.key} is recorded (row {record.id}), but there is no such file, and no rewrite tells why.",
        "Django passes over it; it is left alone.",
        f"If it was renamed: --map {record.key}=NEW. If it is a leftover: --prune {record.key}",
        app=record.app,
        name=record.name,
    )
