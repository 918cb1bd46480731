"""What ``rename-app`` wants of the files: every key of the app under its new label, and operations that fit it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from migsync.edits import CannotEdit
from migsync.files.refusals import uneditable
from migsync.files.reshape import ContentChanges, Expectation, KeyChanges, Reshape
from migsync.findings import Finding, Severity
from migsync.history import History, Key, Migration
from migsync.refactor.rename_app.operations import Tables, relabel_operations


def relabel(history: History, old: str, new: str, *, references: Iterable[Finding] = ()) -> Reshape:
    """Give the app `old` of `history` the label `new`; the project's code has it already.

    Reads the project's migration files. `references` are places outside of migrations that name the old label.
    """
    command = f"rename-app {old} {new}"
    broken = tuple(finding for finding in history.findings if finding.blocks)
    if broken:
        return Reshape(command, findings=broken)
    work = _Work(old, new, Tables(old))
    for key in history.order:
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
        findings=(*_pinned(new, work.tables), *_renamed(new, work.tables), *work.findings, *references),
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
        self.findings += [_mention(migration.path, line, text, migration.key) for line, text in edited.mentions]


def _mention(path: str, line: int, text: str, key: Key) -> Finding:
    return reference(path, line, text, app=key.app, name=key.name)


def reference(path: str, line: int, text: str, *, app: str, name: str = "") -> Finding:
    """A line that names the old label, or may."""
    return Finding(
        "reference-by-name",
        Severity.WARNING,
        f"{path}:{line} says {text!r}, which may mean the app of that label.",
        "migsync changes it only where Django certainly reads a label.",
        "Look at it, and change it by hand if it does.",
        app=app,
        name=name,
        file=path,
        line=line,
    )


def _pinned(app: str, tables: Tables) -> Iterator[Finding]:
    """What the models must state, so that they stay with their tables."""
    for model, table in tables.pinned.items():
        name = tables.names.get(model, model)
        yield Finding(
            "table-stays",
            Severity.INFO,
            f"{app}.{name} keeps the table {table}, whose name is from the old label.",
            "Its migrations state that from now on, and the model must too.",
            f'In class Meta of {name}: db_table = "{table}"',
            app=app,
        )


def _renamed(app: str, tables: Tables) -> Iterator[Finding]:
    for path, line, table in tables.renamed:
        yield Finding(
            "derived-names",
            Severity.WARNING,
            f"{path}:{line} renames a model, and with it the table; that is an operation of its own now, to {table}.",
            "On a database made from scratch, indexes and constraints that Django names by itself keep the names that "
            "they got with the first table. Django finds them by what they are, and does not mind.",
            app=app,
            file=path,
            line=line,
        )


def not_yet(history: History, old: str, new: str, references: Iterable[Finding]) -> Reshape:
    """The refusal while the code still has the old label, with all that is to be changed there."""
    dry = relabel(history, old, new)
    directory = Path(history.apps[old].directory or "").parent
    finding = Finding(
        "label-not-changed",
        Severity.ERROR,
        f"The app in {directory} still has the label {old}.",
        "Models, settings and everything else that names the label are your code; migsync changes the migrations and "
        "the records to fit it.",
        f'Change the code first: label = "{new}" in the AppConfig in {directory / "apps.py"} (or the package\'s name), '
        "db_table where it is said below, and what names the label. Then run this command again.",
        app=old,
    )
    told = [replace(each, severity=Severity.INFO) if each.code == "table-stays" else each for each in dry.findings]
    return Reshape(dry.command, findings=(finding, *told, *references))
