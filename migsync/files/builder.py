"""From what a command wants to a proposal: the files that change, in every app of the project, and the rewrite."""

from __future__ import annotations

import os
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from pathlib import Path

from migsync.edits import CannotEdit, MigrationEdit, edit_migration
from migsync.errors import HistoryError
from migsync.files.imports import with_imports
from migsync.files.proposal import FileChange, Proposal
from migsync.files.references import find_references
from migsync.files.refusals import refusals, uneditable
from migsync.files.reshape import Reshape
from migsync.files.resolution import Resolution
from migsync.findings import Finding
from migsync.history import History, Key, Migration, parse_migration
from migsync.history.max_migration import MAX_MIGRATION
from migsync.rewrites.name_changes import NameChanges, assemble
from migsync.rewrites.rewrite import AppRewrite, Rewrite
from migsync.rewrites.rewrite_graph import Rewrites


def make_proposal(history: History, rewrites: Rewrites, reshape: Reshape, *, root: Path, created: str) -> Proposal:
    """Work out every file that changes, moves or goes, and the one rewrite of all names; nothing is written.

    Only the files that change are read. `root` is the project's; `created` UTC text, as in a rewrite. What stands in
    the way is an error among the findings; a place outside the migrations that names an old key is a warning.
    """
    resolution = Resolution(history, reshape)
    findings = list(reshape.findings)
    if not any(finding.blocks for finding in findings):
        findings += refusals(resolution, root)  # what a command refuses itself needs no second reason
    work = _Work(resolution)
    if not any(finding.blocks for finding in findings):
        resolution, imports = with_imports(resolution)
        work = _Work(resolution)
        work.change_all()
        findings += [*imports.findings, *work.findings]
        findings += find_references(resolution, root, imports.places)
    refused = any(finding.blocks for finding in findings)
    rewrite = None if refused else _rewrite(resolution, rewrites, created)
    files = tuple(sorted(work.files, key=lambda change: str(change.old_path or change.new_path)))
    if rewrite and not files:
        # What was changed by hand may have been anywhere before.
        rewrite = replace(rewrite, made_with_files=False)
    return Proposal(
        reshape.command,
        files,
        rewrite,
        reshape.expected.leaves,
        tuple(dict.fromkeys(findings)),
        notes=reshape.notes,
        replaced={old: new.key for new, _ in resolution.created for old in new.replaces},
        anew=reshape.expected.anew,
        unordered=reshape.dependencies.unordered,
        merges=reshape.expected.merges,
    )


@dataclass
class _Work:
    """The changed files so far, and those that cannot be changed."""

    resolution: Resolution
    files: list[FileChange] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def change_all(self) -> None:
        for migration, edit in self.resolution.changes:
            try:
                self._change(migration, edit)
            except HistoryError as error:
                self.findings.append(uneditable(migration, error))
        for migration, content in self.resolution.created:
            self._create(migration, content)
        reshape = self.resolution.reshape
        changed = {key.app for key in (*reshape.touched, *reshape.dependencies.parents, *reshape.contents.created)}
        touched = sorted((changed | reshape.apps) & self.resolution.history.apps.keys())
        self.files += filter(None, (_max_migration(self.resolution, app) for app in touched))

    def _change(self, migration: Migration, edit: MigrationEdit | None) -> None:
        old_path = Path(migration.path).absolute()
        old, mode = _read(migration.path)
        if migration.key in self.resolution.keys.gone:
            aside = self.resolution.aside(migration)
            self.files.append(FileChange(old_path, aside, old, old if aside else None, mode))
            return
        # The command has read these files, some time ago; a change since then must not be lost.
        seen, new = self.resolution.contents.edited.get(migration.key, (old, old))
        if seen != old:
            raise CannotEdit(
                migration.path,
                0,
                "the file was changed while the command ran",
                "The change was made from what was in it before.",
                "Run the command again.",
            )
        new = edit_migration(new, migration.path, edit) if edit else new
        new_path = Path(self.resolution.path(migration)).absolute()
        if new != old or new_path != old_path:
            self.files.append(FileChange(old_path, new_path, old, new, mode))

    def _create(self, migration: Migration, content: bytes) -> None:
        """A new file, with the permission bits of the package that it goes into."""
        path = Path(migration.path).absolute()
        package = path.with_name("__init__.py")
        mode = package.stat().st_mode & 0o666 if package.is_file() else 0o644
        self.files.append(FileChange(None, path, None, content, mode))


def _read(path: str) -> tuple[bytes, int]:
    """A file's content and permission bits."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 -- one for each of thousands of files
            return file.read(), os.fstat(file.fileno()).st_mode & 0o7777
    except OSError as error:
        raise CannotEdit(
            path,
            0,
            f"cannot be read ({error.strerror or error})",
            "This file would have to change.",
            "Make it readable, then run the command again.",
        ) from error


def _max_migration(resolution: Resolution, app: str) -> FileChange | None:
    """The app's ``max_migration.txt`` with its one end; None where there is no such file, or it says so already."""
    directory = resolution.history.apps[app].directory
    path = Path(directory or "", MAX_MIGRATION).absolute()
    # An app that gets another label has its ends under the new one afterwards.
    labels = {resolution.now(key).app for key in resolution.keys.renamed if key.app == app} or {app}
    ends = [end for label in labels for end in resolution.after.leaves(label)]
    if not directory or len(ends) != 1 or not path.is_file():
        return None
    old, mode = _read(str(path))
    name = ends[0].name.encode()
    if old.strip() == name:
        return None
    return FileChange(path, path, old, name + (b"\r\n" if old.endswith(b"\r\n") else b"\n"), mode)


def _rewrite(resolution: Resolution, rewrites: Rewrites, created: str) -> Rewrite | None:
    """The rewrite of all names and labels that change; None for none."""
    labels = resolution.keys.labels
    changes: dict[str, NameChanges] = {old: NameChanges() for old in labels}
    for olds, news in resolution.keys.collapsed:
        # A squash that was there already, and is no new file, is the same migration before and after.
        gone = (key.name for key in olds if key not in news or key in resolution.contents.created)
        names = tuple(gone), tuple(key.name for key in news)
        changes.setdefault(olds[0].app, NameChanges()).collapsed.append(names)
    for old, new in _on_disk(resolution):
        of_app = changes.setdefault(old.app, NameChanges())
        if new is None:
            of_app.removed.append(old.name)
        elif new.name != old.name:
            of_app.renamed[old.name] = new.name
    if not changes:
        return None
    apps = {labels.get(app, app): _app_rewrite(resolution, app, of_app) for app, of_app in sorted(changes.items())}
    return Rewrite(rewrites.heads({*apps, *labels}), resolution.reshape.command, created, apps, made_with_files=True)


def _on_disk(resolution: Resolution) -> Iterator[tuple[Key, Key | None]]:
    """Every migration on disk whose key changes, with the new one, or None for one that goes.

    What a settled squash replaced counts as on disk: `replaces` kept its name alive.
    """
    migrations = resolution.history.migrations
    replaced = {key for squash in resolution.dependencies.settled for key in migrations[squash].replaces}
    yield from ((key, None) for key in resolution.keys.removed if key in replaced and key not in migrations)
    for key in migrations:
        if key in resolution.keys.removed:
            yield key, None
        elif (new := resolution.now(key)) != key:
            yield key, new


def _past(resolution: Resolution, key: Key) -> list[str]:
    """What a record of `key` presupposes in its app: not what databases have shown that it does not."""
    unordered = resolution.dependencies.unordered.get(key, frozenset())
    found, todo = dict[Key, None](), list(resolution.history.parents(key))
    while todo:
        up = todo.pop(0)
        if up in unordered:
            todo += resolution.history.parents(up)
        elif up.app == key.app:
            found[up] = None
    return [up.name for up in found]


def _app_rewrite(resolution: Resolution, app: str, changes: NameChanges) -> AppRewrite:
    history = resolution.history
    digests = {name: history.migrations[Key(app, name)].digest for name in history.names(app)}
    past = {name: _past(resolution, Key(app, name)) for name in history.names(app)}
    went = {key.name for key in resolution.keys.gone if key.app == app}
    made = assemble(
        resolution.after.names(resolution.keys.labels.get(app, app)),
        changes,
        past,
        digests_before={name: digest for name, digest in digests.items() if digest},
        # Later entries win: what an edited file does now, over what it did under its old name.
        digests_after={
            **{
                changes.renamed.get(name, name): digest
                for name, digest in digests.items()
                if digest and name not in went
            },
            **{new.key.name: new.digest for new, _ in resolution.created if new.key.app == app and new.digest},
            **{
                resolution.now(key).name: parse_migration(new, key).digest
                for key, (_, new) in resolution.contents.edited.items()
                if key.app == app
            },
        },
    )
    return replace(
        made,
        squashes=_squashes(resolution, app, {old for olds, _ in changes.collapsed for old in olds}),
        origin=app if app in resolution.keys.labels else "",
    )


def _squashes(resolution: Resolution, app: str, collapsed: AbstractSet[str]) -> dict[str, tuple[str, ...]]:
    """The squashes that go together with all that they replace."""
    found = {
        name: tuple(key.name for key in resolution.history.migrations[Key(app, name)].replaces)
        for name in resolution.history.names(app)
        if name in collapsed
    }
    return {name: replaced for name, replaced in found.items() if replaced and collapsed >= set(replaced)}
