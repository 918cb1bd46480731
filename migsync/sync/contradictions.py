"""Sources that cannot both be right about what ran under a record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from migsync.findings import Finding
from migsync.findings.contents import journal_contradicted, other_content, ran_elsewhere, unapplied_record
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
    records: Iterable[Record],
    ran: Mapping[int, Provenance],
    runs: Sequence[Run],
) -> Iterator[Finding]:
    """Rows that runs have renamed, where what ran under them is in the file of another name today.

    `rewrites` are those that have files. Either the rows are not what the journal says, or files were renamed by hand
    since.
    """
    renamed, moved = _renamed_rows(runs), dict[str, dict[str, str]]()
    for record in records if renamed else ():
        provenance = ran.get(record.id or 0)
        if record.id not in renamed or not provenance or provenance.source is not ContentSource.GUARDED:
            continue
        for version in provenance.versions:
            if heir := _heir(history, record, version.contents):
                moved.setdefault(record.app, {})[record.name] = heir
    for app, names in moved.items():
        position = "none"
        for each in passed_rewrites(runs).values():
            rewrite = rewrites.by_id.get(each.id, each)
            if app in rewrite.apps:
                if names.items() <= dict(rewrite.apps[app].renamed).items():
                    yield journal_contradicted(app=app, moved=names, rewrite=rewrite.label, position=position)
                    break
                position = rewrite.label
        else:
            yield ran_elsewhere(app=app, moved=names, taken=tuple(name for name in names if name not in names.values()))


def _renamed_rows(runs: Iterable[Run]) -> set[int | None]:
    """The ids of the rows that runs have only renamed, each time to the one name that a rewrite gives."""
    renamed, others = set[int | None](), set[int | None]()
    for run in runs:
        apps = [each for rewrite in (*run.passed, *run.returned) for each in rewrite.apps.items()]
        pairs = {(app, *sorted(pair)) for app, change in apps for pair in change.renamed}
        for before, after in ((change.before, change.after) for change in run.changes):
            if before and after and (before.app, *sorted((before.name, after.name))) in pairs:
                renamed.add(after.id)
            else:
                others.update(row.id for row in (before, after) if row)
    return renamed - others


def _heir(history: History, record: Record, ran: Contents) -> str:
    """The name of the only file that does what ran, where the record's own one does something else; else empty."""
    file = history.migrations.get(record.key)
    if file is None or file.replaces or not ran.effect or ran.same_effect(file.contents):
        return ""
    names = history.names(record.app)
    heirs = [name for name in names if history.migrations[Key(record.app, name)].contents.effect == ran.effect]
    return heirs[0] if len(heirs) == 1 else ""
