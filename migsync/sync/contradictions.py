"""Sources that cannot both be right about what ran under a record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from migsync.findings import Finding
from migsync.findings.contents import other_content, unapplied_record
from migsync.history.graph import History
from migsync.history.migration import is_second
from migsync.rewrites.record import Record
from migsync.rewrites.rewrite import Rewrite
from migsync.sync.plan import Change
from migsync.sync.provenance import ContentSource, Provenance


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
