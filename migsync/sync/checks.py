"""What the planner checks in its own model before it lets a plan go: what the changes make of the rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from migsync.findings import Finding, Severity
from migsync.history.graph import History
from migsync.history.migration import Key
from migsync.rewrites.graph import Rewrites
from migsync.rewrites.name_history import NameHistory
from migsync.rewrites.position import Position
from migsync.rewrites.record import Record
from migsync.rewrites.rewrite import Rewrite
from migsync.rewrites.rows import forward_names
from migsync.sync.plan import Change
from migsync.words import count

UNSEEN_JOURNAL = "unseen-journal"
UNDECIDED = frozenset(
    {
        "no-position",
        "open-position",
        "doubtful-name",
        "duplicate-records",
        "partial-collapse",
        "two-labels",
        "label-used-again",
    }
)


def unseen_journal(hint: str) -> Finding:
    """The database does not say whether it holds a journal; `hint` says how to let migsync see it."""
    return Finding(
        UNSEEN_JOURNAL,
        Severity.WARNING,
        "This user cannot see whether this database holds migsync's journal.",
        "The plan is made without it. Where only a journal could tell what a record is, the plan is blocked.",
        hint,
    )


def journal_kept(runs: int) -> Finding:
    """The database keeps a journal, and a run without one was asked for."""
    return Finding(
        "journal-kept",
        Severity.ERROR,
        f"This database keeps a journal of migsync ({count(runs, 'run')}), and --no-journal is for databases that keep "
        "none.",
        "The journal would not know of this run. The next plan and undo rest on the journal, and would go wrong.",
        "Leave out --no-journal.",
    )


def taken(before: Sequence[Record], after: Sequence[Record], scope: Collection[str]) -> Iterator[Finding]:
    """A name that two rows would hold after the changes, and did not before."""
    doubled = _doubled(after, scope)
    doubled_before = _doubled(before, scope) if doubled else {}
    for key, rows in doubled.items():
        if key not in doubled_before:
            ids = ", ".join(str(row.id) for row in rows if row.id is not None)
            yield Finding(
                "name-taken",
                Severity.ERROR,
                f"Two rows would be {key} (rows {ids}).",
                "One of them is a leftover: a migration that was applied under this name and is not the one on disk.",
                f"Look which one it is, and remove it by its name of today: --prune {key.app}.NAME",
                app=key.app,
                name=key.name,
            )


def _doubled(records: Sequence[Record], scope: Collection[str]) -> dict[Key, list[Record]]:
    inside = [record for record in records if record.app in scope]
    if len({record.key for record in inside}) == len(inside):
        return {}
    found: dict[Key, list[Record]] = {}
    for record in inside:
        found.setdefault(record.key, []).append(record)
    return {key: rows for key, rows in found.items() if len(rows) > 1}


def pending(
    history: History,
    rewrites: Rewrites,
    before: Sequence[Record],
    after: Sequence[Record],
    positions: Mapping[str, Position],
) -> Iterator[Finding]:
    """`migrate` must run next just what it would have run before the rewrites: nothing twice, nothing never.

    Compared name by name, without the rows' ids: what was recorded, and what was not, is followed through the
    rewrites and must be found recorded, or not, under the names on disk.
    """
    names_after = _names_by_app(after)
    for app, position in positions.items():
        name_history = NameHistory(app, rewrites, history)
        at: dict[frozenset[str], set[str]] = {position.passed: set()}
        for record in before:
            if record.app == app:
                at.setdefault(position.later.get(record.id, position.passed), set()).add(record.name)
        if not any(name_history.remaining(passed) for passed in at):
            continue
        waiting = _onward(name_history.names(position.passed) - at[position.passed], name_history, position.passed)
        ran = {name for passed, names in at.items() for name in _onward(names, name_history, passed)}
        recorded = names_after.get(app, set())
        on_disk = set(history.names(app))
        for name in sorted((waiting - ran) & recorded & on_disk):
            yield _wrong("never-run", Key(app, name), "would be taken as applied, though it never ran here")
        for name in sorted((ran & on_disk) - recorded):
            yield _wrong("run-again", Key(app, name), "would run again, though it ran here under another name")


def _onward(names: set[str], name_history: NameHistory, passed: frozenset[str]) -> set[str]:
    for rewrite in name_history.remaining(passed):
        names = forward_names(names, rewrite.apps[name_history.app])
    return names


def _names_by_app(records: Iterable[Record]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for record in records:
        found.setdefault(record.app, set()).add(record.name)
    return found


def _wrong(code: str, key: Key, what: str) -> Finding:
    return Finding(
        code,
        Severity.ERROR,
        f"After these changes {key} {what}.",
        "The records do not fit the rewrites: a row is a leftover under this name, or was changed by other means.",
        f"Look at the rows of {key.app}. Remove a leftover with --prune, or state --position {key.app}=REWRITE.",
        app=key.app,
        name=key.name,
    )


def lost_rewrites(history: History, returned: Iterable[Rewrite], changes: Iterable[Change]) -> Iterator[Finding]:
    """Rewrites without a file whose migrations are on disk all the same: only the file was lost, or not deployed.

    With an older history on disk, a row goes back to the name under which its operations are there. Here they are there
    under the name that it has already, so that the old name would stand for another migration, or for none.
    """
    renames = [(change.before, change.after) for change in changes if change.before and change.after]

    def on_disk(record: Record) -> str:
        migration = history.migrations.get(record.key)
        return migration.digest if migration else ""

    def moved(app: str) -> list[tuple[Record, Record]]:
        return [(now, old) for now, old in renames if now.app == app]

    for rewrite in returned:
        for app, names in rewrite.apps.items():
            if names.origin and app in history.apps and names.origin not in history.apps:
                yield from (_lost(rewrite, now.key, old.key) for now, old in moved(app)[:1])
                continue
            made = {new: names.digests_after.get(new, "") for _, new in names.renamed}
            for now, old in moved(app):
                digest = made.get(now.name, "")
                if digest and on_disk(now) == digest != on_disk(old):
                    yield _lost(rewrite, now.key, old.key)
                    break


def _lost(rewrite: Rewrite, now: Key, old: Key) -> Finding:
    return Finding(
        "lost-rewrite",
        Severity.ERROR,
        f"This database has been through {rewrite.label} ({rewrite.command}, made {rewrite.created}), of which there "
        f"is no file, but {now} on disk is the migration that it gave this name.",
        f"Going back would record it as {old}, which on disk is another migration, or none.",
        "The rewrite was lost, or was not deployed with the migrations: bring its file back.",
        app=now.app,
        name=now.name,
    )
