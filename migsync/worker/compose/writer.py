"""The text of one migration file for a list of Django's operations.

Django's ``MigrationWriter`` writes most of it. Around it, :func:`compose` mends what the writer would lose:

1. operations of a project's own class are made to say all that they were made with (``_complete_deconstruct``);
2. what is defined in migrations is written as stand-ins (:mod:`.serializer`), and linked afterwards (:mod:`.linker`);
3. the class gets the base class that the old ones share (``_with_bases``), and the attributes that the writer leaves
   out (``_with_attributes``);
4. comments of the old files come along (:mod:`.comments`), and what does not is reported (:mod:`.notes`).
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from migsync.edits.source import CannotEdit
from migsync.findings import Finding
from migsync.findings.composition import cannot_compose
from migsync.key import Key
from migsync.worker.compose.comments import attributed, left_over, unattached
from migsync.worker.compose.definitions import CannotCarryError
from migsync.worker.compose.linker import imported_migration, link
from migsync.worker.compose.migration_module import MIGRATION, MigrationModule
from migsync.worker.compose.notes import class_notes, is_plain, notes
from migsync.worker.compose.serializer import StandIns, migration_modules, stand_ins_written

Node = tuple[str, str]

CLASS = re.compile(r"\nclass Migration\(.*\):\n")
OPERATIONS = "\n    operations = ["


@dataclass(frozen=True)
class MigrationText:
    """The `text` of a migration module, and what a person must know of how it came about.

    With an error among the `notes` there is no text: something cannot be copied into a new file, and the note says
    where it is.
    """

    text: str
    notes: tuple[Finding, ...] = ()


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
) -> MigrationText:
    """One migration of `app` with these operations, as Django's own writer would put it.

    Needs Django set up, and the migrations imported. A dependency on a setting is ``("__setting__",
    "AUTH_USER_MODEL")``. `heading` are the lines of the comment that the file begins with, without ``#``. `origins`
    are the migrations that it stands for: what else is in their files is told in the notes, and their comments are
    kept, if not with an operation then under the heading. The base class is that of all of them.
    """
    from django.db.migrations.writer import MigrationWriter

    migration = _migration(operations, app, name, dependencies, replaces, initial)
    modules = migration_modules()
    package = _module_name((app, name)).rpartition(".")[0]
    # Without origins it is one of those that stand for all of the app.
    stands_for = [*map(_module_name, origins)] or [each for each in modules if each.rpartition(".")[0] == package]
    replaced = [each for each in stands_for if each in modules]
    bases = _shared_bases([modules[each] for each in replaced], modules)
    # A squash can leave the migration out of its range. For a remake, a class with an apply() of its own is here only
    # if it was dropped by name.
    try:
        with _complete_deconstruct(migration.operations), stand_ins_written(modules) as stand_ins:
            old = [stand_ins[module] for module in replaced if origins]
            commented = _commented(stand_ins, old, operations)
            comments = attributed(commented, operations)
            writer = MigrationWriter(migration, include_header=False)
            written = writer.as_string()
            if writer.needs_manual_porting:
                # The writer lists in a comment what it cannot import.
                raise imported_migration(written.partition("\n\nclass Migration")[0].rpartition("# ")[2].strip())
            linked = link(_with_bases(written, bases), stand_ins, package, comments.above)
            lost = [*comments.lost, *unattached(commented, linked.text)]
            told = [*notes(linked.namespace, old, Key(app, name))]
            # A plain class has no notes, and may have no source either.
            for module in (stand_ins[each] for each in replaced if not is_plain(modules[each])):
                told += class_notes(module, bases, Key(app, name if origins else module.migration), dropped=not origins)
    except (CannotCarryError, CannotEdit, ValueError, SyntaxError) as error:
        return MigrationText("", (_refusal(app, name, error),))
    heading = "\n\n".join(part for part in (heading, left_over(commented, lost)) if part)
    text = _with_attributes(linked.text, run_before, initial, atomic)
    return MigrationText("" if any(note.blocks for note in told) else _comment(heading) + text, tuple(told))


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


def _module_name(node: Node) -> str:
    """The name of a migration's module."""
    from django.db.migrations.loader import MigrationLoader

    package, _ = MigrationLoader.migrations_module(node[0])
    return f"{package}.{node[1]}"


def _commented(stand_ins: StandIns, old: Sequence[MigrationModule], operations: Iterable[Any]) -> list[MigrationModule]:
    """The modules whose comments count: those that the file stands for, and those that its operations come from."""
    wanted = {id(operation) for operation in operations}
    found = {module.name: module for module in old}
    for name, module in stand_ins.modules.items():
        if name not in found and any(id(operation) in wanted for operation in vars(module)[MIGRATION].operations):
            found[name] = stand_ins[name]
    return [*found.values()]


def _refusal(app: str, name: str, error: Exception) -> Finding:
    """What cannot be written into a file, as the finding that says so."""
    migration = Key(app, name)
    match error:
        case CannotCarryError() | CannotEdit():
            return cannot_compose(
                migration=migration,
                reason=error.found,
                consequence=error.meaning,
                remedy=error.hint,
                file=error.path,
                line=error.line,
            )
        case _:
            return cannot_compose(migration=migration, reason=str(error).strip().partition("\n")[0].rstrip(".:"))


@contextmanager
def _complete_deconstruct(operations: Sequence[Any]) -> Iterator[None]:
    """Have operations of a project's own class say what they were made with, where Django's writer would write less.

    The writer calls an operation's ``deconstruct()``, and leaves out each argument that its ``__init__`` does not name.
    A subclass of ``RunPython`` with another ``__init__`` answers as its base does: all that it was given would be lost.
    Every operation keeps its arguments in ``_constructor_args``, and these are what it says in place of its answer.
    Raises CannotCarryError where they cannot be written either.
    """
    changed = [it for it in _with_inner(operations) if not _can_be_written(it, *it.deconstruct()[1:])]
    for operation in changed:
        name = type(operation).__name__
        args, kwargs = operation._constructor_args
        if not _can_be_written(operation, args, kwargs):
            raise CannotCarryError(
                "",
                0,
                f"Django would write {name} without some of its arguments",
                "Its deconstruct() does not return the arguments that its __init__() takes.",
                f"Change {name}: __init__() must take plain arguments, and deconstruct() must return them.",
            )
        # On the instance, for the time of writing: the class is the project's.
        operation.deconstruct = lambda name=name, args=args, kwargs=kwargs: (name, list(args), kwargs)
    try:
        yield
    finally:
        for operation in changed:
            del operation.deconstruct


def _with_inner(operations: Iterable[Any]) -> Iterator[Any]:
    """The operations, and those inside of them."""
    for operation in operations:
        yield operation
        for inner in ("database_operations", "state_operations"):
            yield from _with_inner(getattr(operation, inner, None) or ())


def _can_be_written(operation: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:  # noqa: ANN401
    """Whether Django's writer writes all these arguments, and the class can be made with them."""
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = [it for it in inspect.signature(operation.__init__).parameters.values() if it.kind in kinds]
    names = [each.name for each in parameters if each.kind is kinds[0]]
    if len(args) > len(names) or not set(kwargs) <= {each.name for each in parameters} - {*names[: len(args)]}:
        return False
    written = {*names[: len(args)], *kwargs}
    return all(each.name in written or each.default is not inspect.Parameter.empty for each in parameters)


def _shared_bases(modules: Collection[ModuleType], migrations: Collection[str]) -> tuple[type, ...]:
    """The bases that the classes of all these modules have, if they are not Django's alone and can be imported."""
    from django.db.migrations import Migration

    found = {vars(module)[MIGRATION].__bases__ for module in modules}
    bases: tuple[type, ...] = found.pop() if len(found) == 1 else ()
    # A class that is defined in a migration goes with that file; one that was made in a function has no name to import.
    can_be_named = (
        base.__module__ not in migrations and getattr(sys.modules.get(base.__module__), base.__name__, None) is base
        for base in bases
    )
    return bases if bases != (Migration,) and all(can_be_named) else ()


def _with_bases(written: str, bases: Collection[type]) -> str:
    """The module that Django wrote, where its class has these bases."""
    from django.db.migrations import Migration

    if not bases:
        return written
    imports = "".join(f"import {base.__module__}\n" for base in bases if base is not Migration)
    names = ["migrations.Migration" if it is Migration else f"{it.__module__}.{it.__name__}" for it in bases]
    return imports + CLASS.sub(lambda _: f"\nclass Migration({', '.join(names)}):\n", written, count=1)


def _with_attributes(text: str, run_before: Sequence[Node], initial: bool | None, atomic: bool) -> str:
    """The module that Django wrote, with all of its attributes. Django itself writes `initial` only when it is true."""
    if initial is False:
        text = CLASS.sub(r"\g<0>\n    initial = False\n", text, count=1)
    attributes = ""
    if run_before:
        entries = "".join(f"        {node!r},\n" for node in run_before)
        attributes += f"\n    run_before = [\n{entries}    ]\n"
    if not atomic:
        attributes += "\n    atomic = False\n"
    return text.replace(OPERATIONS, attributes + OPERATIONS, 1)


def _comment(heading: str) -> str:
    """The lines as a comment, and an empty line after it; nothing for nothing."""
    lines = [f"# {line}".rstrip() for line in heading.splitlines()]
    return "\n".join([*lines, "", ""]) if lines else ""
