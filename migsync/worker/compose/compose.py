"""The text of one migration module for a list of Django's operations."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from migsync.edits.source import CannotEdit
from migsync.findings import Finding, Severity
from migsync.worker.compose.classes import is_plain, lost_attributes, shared_bases, unlike_others, with_bases
from migsync.worker.compose.comments import Comment, attributed, between
from migsync.worker.compose.gathering import CannotCarryError
from migsync.worker.compose.given import as_given
from migsync.worker.compose.module import by_path, whole
from migsync.worker.compose.modules import MigrationModule, migration_modules
from migsync.worker.compose.notes import notes
from migsync.worker.compose.serializing import Carrier, carrying
from migsync.worker.compose.skeleton import finished

Node = tuple[str, str]


@dataclass(frozen=True)
class Composed:
    """The `text` of a migration module, and what a person must know of how it came about.

    With an error among the `notes` there is no text: something cannot be carried into a new file, and the note says
    where it is.
    """

    text: str
    notes: tuple[Finding, ...] = ()

    @property
    def blocked(self) -> bool:
        """True when there is no text."""
        return any(note.blocks for note in self.notes)


def compose(
    operations: Sequence[Any],
    *,
    app: str,
    name: str,
    dependencies: Iterable[Node],
    replaces: Sequence[Node] = (),
    run_before: Sequence[Node] = (),
    initial: bool | None = None,
    atomic: bool = True,
    heading: str = "",
    origins: Collection[Node] = (),
) -> Composed:
    """One migration of `app` with these operations, as Django's own writer would put it.

    Needs Django set up, and the migrations imported. A dependency on a setting is ``("__setting__",
    "AUTH_USER_MODEL")``. `heading` are the lines of the comment that the file begins with, without ``#``. `origins`
    are the migrations that it stands for: what else is in their files is told in the notes, and their comments are
    kept, if not with an operation then under the heading. The base class is that of all of them.
    """
    from django.db.migrations.writer import MigrationWriter

    migration = _migration(operations, app, name, dependencies, replaces, initial)
    modules = migration_modules()
    package = _module((app, name)).rpartition(".")[0]
    # Without origins it is one of those that stand for all of the app.
    stands_for = [*map(_module, origins)] or [each for each in modules if each.rpartition(".")[0] == package]
    replaced = [each for each in stands_for if each in modules]
    bases = shared_bases([modules[each] for each in replaced], modules)
    severity = Severity.ERROR if origins else Severity.WARNING
    try:
        with as_given(migration.operations), carrying(modules) as carrier:
            stood_for = [carrier[module] for module in replaced if origins]
            holding = _holding(carrier, stood_for, operations)
            remarks = attributed(holding, operations)
            writer = MigrationWriter(migration, include_header=False)
            written = writer.as_string()
            if writer.needs_manual_porting:
                # Of what it cannot import, it makes a list in a comment.
                raise by_path(written.partition("\n\nclass Migration")[0].rpartition("# ")[2].strip())
            composed = whole(with_bases(written, bases), carrier, package, remarks.above)
            lost = [*remarks.lost, *between(holding, composed.text)]
            told = [*notes(composed.named, stood_for, app, name)]
            for module in (carrier[each] for each in replaced if not is_plain(modules[each])):
                of = name if origins else module.migration
                told += unlike_others(module, bases, severity, app, of)
                told += lost_attributes(module, app, of)
    except (CannotCarryError, CannotEdit, ValueError, SyntaxError) as error:
        return Composed("", (_refused(app, name, error),))
    heading = "\n\n".join(part for part in (heading, _left_over(holding, lost)) if part)
    text = finished(composed.text, run_before=run_before, initial=initial, atomic=atomic, heading=heading)
    return Composed("" if any(note.blocks for note in told) else text, tuple(told))


def _migration(
    operations: Iterable[Any],
    app: str,
    name: str,
    dependencies: Iterable[Node],
    replaces: Iterable[Node],
    initial: bool | None,
) -> Any:  # noqa: ANN401 -- Django has no types
    from django.db.migrations import Migration

    attributes = {
        "operations": list(operations),
        "dependencies": list(dependencies),
        "replaces": list(replaces),
        "initial": initial,
    }
    return type("Migration", (Migration,), attributes)(name, app)


def _module(node: Node) -> str:
    """The name of a migration's module."""
    from django.db.migrations.loader import MigrationLoader

    package, _ = MigrationLoader.migrations_module(node[0])
    return f"{package}.{node[1]}"


def _holding(
    carrier: Carrier, stood_for: Sequence[MigrationModule], operations: Iterable[Any]
) -> list[MigrationModule]:
    """The modules whose comments count: those that the file stands for, and those that its operations come from."""
    wanted = {id(operation) for operation in operations}
    found = {module.name: module for module in stood_for}
    for name, module in carrier.modules.items():
        if name not in found and any(id(operation) in wanted for operation in vars(module)["Migration"].operations):
            found[name] = carrier[name]
    return [*found.values()]


def _left_over(order: Sequence[MigrationModule], lost: Iterable[tuple[MigrationModule, Comment]]) -> str:
    found = sorted(lost, key=lambda each: (order.index(each[0]), each[1].line))
    if not found:
        return ""
    lines = [f"  {module.migration}, line {comment.line}: {comment.text.lstrip('# ')}" for module, comment in found]
    return "\n".join(["Comments that stood in other files, and have no place below:", *lines])


def _refused(app: str, name: str, error: Exception) -> Finding:
    """What cannot be written into a file, as the finding that says so."""
    match error:
        case CannotCarryError() | CannotEdit():
            found, meaning, hint, file, line = error.found, error.meaning, error.hint, error.path, error.line
        case _:
            said = str(error).strip().partition("\n")[0].rstrip(".:")
            found = f"Django cannot write an operation of {app}.{name} into a file: {said}."
            meaning = "The value exists only where it was made."
            hint = "Give it a name at the top of its module, and use that name."
            file, line = "", 0
    return Finding("cannot-compose", Severity.ERROR, found, meaning, hint, app, name, file, line)
