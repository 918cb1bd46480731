"""``rename-app``: another label for an app, in files and records.

First the survey is turned to the old label (:func:`use_old_label`); then :func:`rename_app` looks at the databases and
the code around, and :func:`relabel` works out the files: every key of the app under its new label, and operations that
fit it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from migsync.edits import CannotEdit
from migsync.errors import MigsyncError, UsageError
from migsync.files.refusals import uneditable
from migsync.files.reshape import ContentChanges, Expectation, KeyChanges, Reshape
from migsync.findings import Finding
from migsync.findings.references import reference_by_name
from migsync.findings.rename_app import derived_names, label_not_changed, table_stays
from migsync.history import History, Key, Migration
from migsync.history.graph import relabelled
from migsync.history.unknown_app import unknown_app
from migsync.refactor.ground import Ground
from migsync.refactor.rename_app.operations import Tables, relabel_operations
from migsync.refactor.rename_app.references import find_references
from migsync.sync.label_uses import find_label_uses, label_notes
from migsync.sync.lost_labels import relabelled as relabelled_table
from migsync.sync.lost_labels import rename_statements, tables_in, tables_made
from migsync.sync.survey import Survey
from migsync.sync.target import Target


def use_old_label(survey: Survey, old: str, new: str) -> None:
    """Have the survey see the history under the label `old`, where the code has `new` already.

    Raises UsageError for labels that are none, an app that is not the project's own, and where both are apps.
    """
    history = survey.history
    for label in (old, new):
        if not re.fullmatch(r"[A-Za-z_]\w*", label):
            raise UsageError(
                f"{label!r} cannot be the label of an app.",
                "",
                "Give a Python identifier: letters, digits and underscores.",
            )
    if old == new:
        raise UsageError(f"The old and the new label are the same: {old}.", "", "Give OLD and NEW.")
    if old in history.apps and new in history.apps:
        raise UsageError(
            f"{old} and {new} are both apps of this project.",
            "Two apps cannot have the same label.",
            "Give a new label that no app has.",
        )
    label = new if new in history.apps else old
    if label not in history.first_party:
        raise unknown_app(label, history)
    if label == new:
        project = survey.project
        survey.history = relabelled(history, new, old, project.settings, complete=not project.static)


def rename_app(ground: Ground, old: str, new: str) -> Reshape:
    """What the files must become, from a survey that :func:`use_old_label` has turned."""
    survey = ground.survey
    history = survey.history
    references = tuple(find_references(survey.project.root, history, old))
    if not _code_has(ground, new):
        return not_yet(history, old, new, references)
    if not _is_known(ground, old):
        raise UsageError(
            f"No migration and no record belongs to an app {old}.",
            f"{new} never had this label, or its files and records already have the new one.",
            "If OLD is correct, there is nothing to do.",
        )
    moved = not _named(history, old) and any(_has_new_tables(ground, it, old, new) for it in _targets(ground))
    made = relabel(history, old, new, references=references, tables_moved=moved)
    return replace(made, notes=tuple(_notes(ground, old, new, moved=moved)))


def _targets(ground: Ground) -> Iterator[Target]:
    return iter(ground.survey.targets.values())


def _has_new_tables(ground: Ground, target: Target, old: str, new: str) -> bool:
    """Whether somebody has renamed the tables already: all that are named after the label have the new one."""
    history = ground.survey.history
    named = {table for table in tables_made(history, old) if table.startswith(f"{old}_")}
    try:
        there = tables_in(target) if named else frozenset()
    except MigsyncError:
        return False
    return bool(named) and {relabelled_table(table, old, new) for table in named} <= there


def _code_has(ground: Ground, new: str) -> bool:
    return any(app.label == new for app in ground.survey.project.apps)


def _is_known(ground: Ground, old: str) -> bool:
    """Whether anything bears the old label: files (as they are on disk), or records."""
    recorded = any(record.app == old for it in ground.databases.values() for record in it.records)
    return recorded or _named(ground.survey.history, old)


def _named(history: History, old: str) -> bool:
    """Whether a file names the label in its text; the history is seen under it in any case."""
    word = re.compile(rf"\b{re.escape(old)}\b".encode())
    paths = [it.path for it in history.migrations.values() if it.key.app in history.first_party and it.path]
    return any(word.search(Path(path).read_bytes()) for path in paths if Path(path).is_file())


def _notes(ground: Ground, old: str, new: str, *, moved: bool) -> Iterator[str]:
    for alias, target in ground.survey.targets.items():
        try:
            found = find_label_uses(target, old, new)
            if moved:
                behind = tables_made(ground.survey.history, old).intersection(found.tables)
                found = replace(found, moving=tuple(rename_statements(target, behind, old, new)))
            yield from label_notes(found, old, new)
        except MigsyncError as error:
            yield f"{alias}: content types and tables with the label could not be read. {error.found}"


def relabel(
    history: History, old: str, new: str, *, references: Iterable[Finding] = (), tables_moved: bool = False
) -> Reshape:
    """Give the app `old` of `history` the label `new`; the project's code has it already.

    Reads the project's migration files. `references` are places outside of migrations that name the old label. With
    `tables_moved`, files and tables have the new label already: only the names of the migrations are left.
    """
    command = f"rename-app {old} {new}"
    broken = tuple(finding for finding in history.findings if finding.blocks)
    if broken:
        return Reshape(command, findings=broken)
    work = _Work(old, new, Tables(old))
    # In the order in which they run: what a model's table is called depends on all operations before.
    for key in () if tables_moved else history.order:
        if history.migrations[key].key.app in history.first_party:
            work.look_at(history.migrations[key])
    return Reshape(
        command,
        KeyChanges(
            renamed={key: Key(new, key.name) for key in sorted(_keys(history, old))},
            labels={old: new},
        ),
        contents=ContentChanges(edited=work.edited),
        expected=Expectation({new: len(history.leaves(old))}),
        findings=(*(() if tables_moved else _tables(new, work.tables)), *work.findings, *references),
    )


def _keys(history: History, app: str) -> Collection[Key]:
    """The app's keys on disk, and those that files name though they are on no disk (what a squash replaces)."""
    named = {
        key
        for migration in history.migrations.values()
        for key in (migration.key, *migration.dependencies, *migration.run_before, *migration.replaces)
    }
    return {key for key in named if key.app == app and not key.name.startswith("__")}


@dataclass
class _Work:
    """The files that change so far, the tables of the app, and what must be said."""

    old: str
    new: str
    tables: Tables
    edited: dict[Key, tuple[bytes, bytes]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def look_at(self, migration: Migration) -> None:
        """Take in one file, after those that it depends on."""
        own = migration.key.app == self.old
        try:
            content = Path(migration.path).read_bytes()
            edited = relabel_operations(content, migration.path, self.old, self.new, self.tables if own else None)
        except CannotEdit as error:
            self.findings.append(uneditable(migration, error))
            return
        except OSError:
            return  # said where the file would have to change
        if edited.content != content:
            self.edited[migration.key] = content, edited.content
        self.findings += [
            reference_by_name(file=migration.path, line=line, text=text, app=migration.key.app, name=migration.key.name)
            for line, text in edited.mentions
        ]


def _tables(app: str, tables: Tables) -> Iterator[Finding]:
    """What the models must state, so that they stay with their tables; and what comes of models that were renamed."""
    for model, table in tables.pinned.items():
        yield table_stays(app=app, model=tables.names.get(model, model), table=table)
    for path, line, table in tables.renamed:
        yield derived_names(app=app, file=path, line=line, table=table)


def not_yet(history: History, old: str, new: str, references: Iterable[Finding]) -> Reshape:
    """The refusal while the code still has the old label, with all that is to be changed there."""
    dry = relabel(history, old, new)
    directory = Path(history.apps[old].directory or "").parent
    refused = label_not_changed(app=old, new=new, directory=str(directory), file=str(directory / "apps.py"))
    return Reshape(dry.command, findings=(refused, *dry.findings, *references))
