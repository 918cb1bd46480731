"""The text of one migration module for a list of Django's operations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from migsync.companion.composing.skeleton import finished
from migsync.findings import Finding, Severity

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
) -> Composed:
    """One migration of `app` with these operations, as Django's own writer would put it.

    Needs Django set up. A dependency on a setting is ``("__setting__", "AUTH_USER_MODEL")``. `heading` are the lines
    of the comment that the file begins with, without ``#``.
    """
    from django.db.migrations import Migration
    from django.db.migrations.writer import MigrationWriter

    attributes = {
        "operations": list(operations),
        "dependencies": list(dependencies),
        "replaces": list(replaces),
        "initial": initial,
    }
    migration = type("Migration", (Migration,), attributes)(name, app)
    try:
        text = MigrationWriter(migration, include_header=False).as_string()
    except ValueError as error:
        return Composed("", (_refused(app, name, error),))
    return Composed(finished(text, run_before=run_before, initial=initial, atomic=atomic, heading=heading))


def _refused(app: str, name: str, error: ValueError) -> Finding:
    """A value that Django cannot write into a migration."""
    said = str(error).strip().partition("\n")[0].rstrip(".:")
    return Finding(
        "cannot-compose",
        Severity.ERROR,
        f"Django cannot write an operation of {app}.{name} into a file: {said}.",
        "The value exists only where it was made.",
        "Give it a name at the top of its module, and use the name.",
        app=app,
        name=name,
    )
