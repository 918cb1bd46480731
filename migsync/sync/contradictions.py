"""Sources that cannot both be right about what ran under a record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from migsync.findings import Finding
from migsync.findings.contents import ran_elsewhere
from migsync.findings.contradictions import journal_contradicted, other_content, unapplied_record
from migsync.history.contents import Contents
from migsync.history.graph import History
from migsync.history.migration import Key, is_second
from migsync.rewrites.record import Record
from migsync.rewrites.rewrite import Rewrite
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.sync.plan import Change
from migsync.sync.provenance import ContentSource, Provenance
from migsync.sync.run import Run, passed_rewrites


def contradictions(
    history: History,
    records: Iterable[Record],
    ran: Mapping[int, Provenance],
    changes: Iterable[Change],
    passed: Sequence[Rewrite],
) -> Iterator[Finding]:
    """What speaks against `records`, and against the `changes` that the rewrites `passed` make of them.

    `ran` is what ran under the records, by their ids.
    """
    for record in records:
        provenance = ran.get(record.id or 0)
        if provenance and provenance.unapplied:
            yield unapplied_record(migration=record.key, row=record.id or 0)
    for change in changes:
        before, after = change.before, change.after
        if before and after and before.app == after.app and before.name != after.name:
            yield from _of_rename(history, before, after, ran.get(before.id or 0), passed)


def _of_rename(
    history: History, before: Record, after: Record, provenance: Provenance | None, passed: Sequence[Rewrite]
) -> Iterator[Finding]:
    """A rewrite says which operations the old name had; the guard saw others run."""
    if provenance is None or provenance.source is not ContentSource.GUARDED:
        return
    file, new = history.migrations.get(before.key), history.migrations.get(after.key)
    known = provenance.versions[0] if provenance.versions else file
    for rewrite in passed:
        app = rewrite.apps.get(before.app)
        if app and before.name in dict(app.renamed):
            digest = app.digests_before.get(before.name, "")
            differs = known and is_second(digest) and known.contents.digest not in ("", digest)
            # An edit that no database sees is no contradiction.
            if known and differs and not (new and known.contents.same_effect(new.contents)):
                yield other_content(migration=before.key, new=after.name, rewrite=rewrite.label, file=rewrite.path)
            return


def journal_contradictions(
    history: History,
    rewrites: Rewrites,
    records: Sequence[Record],
    ran: Mapping[int, Provenance],
    runs: Sequence[Run],
) -> Iterator[Finding]:
    """Rows that runs have renamed, where what ran under them is in the file of another name today.

    `rewrites` are those that have files. Either the rows are not what the journal says, or files were renamed by hand
    since.
    """
    left, by_app = _names_left(runs), dict[str, list[tuple[Record, str]]]()
    for record in records:
        provenance = ran.get(record.id or 0) if record.id in left else None
        if provenance and provenance.source is ContentSource.GUARDED:
            for version in provenance.versions:
                if heir := _heir(history, record, version.contents):
                    by_app.setdefault(record.app, []).append((record, heir))
    recorded = {record.key for record in records}
    for app, pairs in by_app.items():
        names = {record.name for record, _ in pairs}
        # The other name must be free, or its own record must have run something else.
        pairs = [(row, heir) for row, heir in pairs if heir in names or Key(app, heir) not in recorded]
        moved = {record.name: heir for record, heir in pairs}
        restored = any(record.name != left[record.id] for record, _ in pairs)
        if restored and (found := _not_passed(moved, app, passed_rewrites(runs).values(), rewrites)):
            yield journal_contradicted(app=app, moved=moved, rewrite=found[0], position=found[1])
        # Of files that have all run, nothing follows from an exchange of their names.
        elif moved.keys() != set(moved.values()):
            taken = tuple(name for name in moved if name not in moved.values())
            yield ran_elsewhere(app=app, moved=moved, taken=taken)


def _not_passed(
    moved: Mapping[str, str], app: str, passed: Iterable[Rewrite], rewrites: Rewrites
) -> tuple[str, str] | None:
    """The rewrite of those `passed` that renames as in `moved`, and the position before it; None without one."""
    position = "none"
    for rewrite in (rewrites.by_id.get(each.id, each) for each in passed if app in each.apps):
        if moved.items() <= dict(rewrite.apps[app].renamed).items():
            return rewrite.label, position
        position = rewrite.label
    return None


def _names_left(runs: Iterable[Run]) -> dict[int | None, str]:
    """By id the names that runs left to the rows which they only renamed, each time to the one that a rewrite gives."""
    names, others = dict[int | None, str](), set[int | None]()
    for run in sorted(runs, key=lambda run: run.number):
        apps = [each for rewrite in (*run.passed, *run.returned) for each in rewrite.apps.items()]
        pairs = {(app, *sorted(pair)) for app, change in apps for pair in change.renamed}
        for before, after in ((change.before, change.after) for change in run.changes):
            if before and after and (before.app, *sorted((before.name, after.name))) in pairs:
                names[after.id] = after.name
            else:
                others.update(row.id for row in (before, after) if row)
    return {row: name for row, name in names.items() if row not in others}


def _heir(history: History, record: Record, ran: Contents) -> str:
    """The name of the only file that does what ran, where the record's own one does something else; else empty."""
    file = history.migrations.get(record.key)
    if file is None or file.replaces or not ran.effect or ran.same_effect(file.contents):
        return ""
    names = history.names(record.app)
    heirs = [name for name in names if history.migrations[Key(record.app, name)].contents.effect == ran.effect]
    return heirs[0] if len(heirs) == 1 else ""
