"""Special operations, which the models do not show, and what can become of each in a remake.

The autodetector makes ``CreateModel``, ``AddField`` and their like anew from the models. It cannot know of
``RunPython`` and ``RunSQL`` (Django has them in ``operations/special.py``), of what ``SeparateDatabaseAndState`` does
only to the database, or of an operation of a project's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from migsync.engines import ENGINES
from migsync.worker.protocol import Disposition

Node = tuple[str, str]

SCHEMA: Final = ("django.db.migrations.operations.models", "django.db.migrations.operations.fields")
"""Where Django's operations are whose result the autodetector makes of the models."""
OF_ONE_ENGINE: Final = frozenset(engine.operations_module for engine in ENGINES if engine.operations_module)
"""Where Django's operations are that only one engine has."""
FIRST: Final = frozenset((engine.operations_module, name) for engine in ENGINES for name in engine.operations_first)
"""Those of them, (module, name), whose result tables can need."""
CREATE: Final = r"\s*(--[^\n]*\n\s*)*CREATE\s+"
NEEDED: Final = re.compile(
    rf"{CREATE}(EXTENSION|COLLATION)\b.*|({CREATE}(EXTENSION|COLLATION|SCHEMA|TYPE|DOMAIN)\b[^;]*(;\s*|$))+",
    re.IGNORECASE | re.DOTALL,
)
"""Statements that make what tables can need; after a schema something may follow that needs tables itself."""
RUN: Final = ("database_forwards", "database_backwards", "_run_sql")
"""The methods by which a ``RunSQL`` of a project's own could do something else with its SQL."""


@dataclass(frozen=True)
class SpecialOperation:
    """One operation of the migration `origin`, what it is `called`, and what becomes of it.

    `operation` is what goes into a new file: often itself, but without what it does to the state.
    """

    origin: Node
    called: str
    disposition: Disposition
    operation: Any = None


def special_operations(
    origin: Node,
    migration: Any,  # noqa: ANN401 -- Django has no types
    state: Any,  # noqa: ANN401
    *,
    dropped: bool,
) -> Iterator[SpecialOperation]:
    """The special operations of a migration, in order; `state` is taken through the migration."""
    if _has_own_methods(migration):
        disposition = Disposition.DROPPED if dropped else Disposition.STUCK
        yield SpecialOperation(origin, "a Migration class with its own apply", disposition)
    for operation in migration.operations:
        before = _Before(state, origin[0])
        for found in _judged(origin, operation, before):
            yield SpecialOperation(origin, found.called, Disposition.DROPPED) if dropped and _may_drop(found) else found
        # After it was judged: an operation of a project's own is asked what it changes in the state that it finds.
        operation.state_forwards(origin[0], state)


def changes_schema(migration: Any) -> bool:  # noqa: ANN401
    """Whether a migration has an operation whose result the autodetector makes anew, on the state's side at least."""
    return any(
        is_schema(each)
        for operation in migration.operations
        for each in (operation, *getattr(operation, "state_operations", ()))
    )


def is_schema(operation: Any) -> bool:  # noqa: ANN401
    """Whether the models show all that an operation does."""
    return type(operation).__module__ in SCHEMA


@dataclass(frozen=True)
class _Before:
    """The state that an operation finds."""

    state: Any
    app: str

    def is_changed_by(self, operation: Any) -> bool:  # noqa: ANN401
        after = self.state.clone()
        operation.state_forwards(self.app, after)
        return bool(after.models != self.state.models)


def _may_drop(found: SpecialOperation) -> bool:
    return found.disposition in (Disposition.FIRST, Disposition.CARRIED, Disposition.STUCK)


def _has_own_methods(migration: Any) -> bool:  # noqa: ANN401
    from django.db.migrations import Migration

    return any(getattr(type(migration), name) is not getattr(Migration, name) for name in ("apply", "mutate_state"))


def _judged(origin: Node, operation: Any, before: _Before) -> Iterator[SpecialOperation]:  # noqa: ANN401
    """What becomes of one operation, unless it was dropped; nothing for one that the autodetector makes anew."""
    from django.db.migrations import RunPython, RunSQL, SeparateDatabaseAndState

    called = _called(operation)
    if is_schema(operation):
        return
    # Elidable says that a database made from scratch does not need it, which is what the new files make.
    if operation.elidable:
        yield SpecialOperation(origin, called, Disposition.ELIDABLE)
    elif isinstance(operation, SeparateDatabaseAndState):
        yield from _of_database(origin, operation, before)
    elif isinstance(operation, RunPython):
        nothing = operation.code is RunPython.noop
        yield SpecialOperation(origin, called, Disposition.NOTHING if nothing else Disposition.CARRIED, operation)
    elif isinstance(operation, RunSQL):
        disposition, carried = _disposition_of_sql(operation), _without_state(operation)
        if carried is None and disposition is not Disposition.NOTHING:
            disposition = Disposition.STUCK
        yield SpecialOperation(origin, called, disposition, carried)
    elif _needed_first(operation):
        yield SpecialOperation(origin, called, Disposition.FIRST, operation)
    elif type(operation).__module__ in OF_ONE_ENGINE:
        yield SpecialOperation(origin, called, Disposition.SHOWN)  # the index or constraint itself is the model's
    else:
        # An operation of a project's own. If it changes the state, the models show a part of it; which one is unknown.
        stuck = before.is_changed_by(operation)
        yield SpecialOperation(origin, called, Disposition.STUCK if stuck else Disposition.CARRIED, operation)


def _of_database(origin: Node, operation: Any, before: _Before) -> Iterator[SpecialOperation]:  # noqa: ANN401
    """The database's part of a SeparateDatabaseAndState: its state's part is what the models are."""
    from django.db.migrations import SeparateDatabaseAndState

    carried: list[Any] = []
    for part in operation.database_operations:
        if is_schema(part):
            yield SpecialOperation(origin, f"{_called(part)} (in database_operations)", Disposition.SHOWN)
            continue
        for found in _judged(origin, part, before):
            if found.disposition is Disposition.CARRIED:
                carried.append(found.operation)
            else:
                yield found
    if carried:
        called = ", ".join(_called(part) for part in carried)
        whole = SeparateDatabaseAndState(database_operations=carried)
        yield SpecialOperation(origin, f"{called} (in database_operations)", Disposition.CARRIED, whole)


def _disposition_of_sql(operation: Any) -> Disposition:  # noqa: ANN401
    statements = list(_statements(operation.sql))
    if not any(statement.strip() for statement in statements):
        return Disposition.NOTHING
    return Disposition.FIRST if all(map(NEEDED.fullmatch, statements)) else Disposition.CARRIED


def _statements(sql: Any) -> Iterable[str]:  # noqa: ANN401 -- a text, or a list of texts and (text, parameters)
    if isinstance(sql, str):
        return (sql,)
    return (part if isinstance(part, str) else part[0] for part in sql)


def _without_state(operation: Any) -> Any:  # noqa: ANN401
    """A RunSQL that only runs its SQL; None for a class of its own that makes none."""
    from django.db.migrations import RunSQL

    # What it does to the state is in the models, and so in the initial migration. There once more, it would fail: the
    # field or model is there already.
    if not operation.state_operations:
        return operation
    if all(getattr(type(operation), name) is getattr(RunSQL, name) for name in RUN):
        return RunSQL(operation.sql, operation.reverse_sql, hints=operation.hints)
    _, args, kwargs = operation.deconstruct()
    kwargs.pop("state_operations", None)
    with suppress(TypeError):  # its __init__ takes something else
        made = type(operation)(*args, **kwargs)
        return None if made.state_operations else made
    return None


def _needed_first(operation: Any) -> bool:  # noqa: ANN401
    """Whether it is one of Django's own for an engine that makes what tables can need, or a subclass of one.

    By name: to import them would need the engine's driver.
    """
    return any((kind.__module__, kind.__name__) in FIRST for kind in type(operation).__mro__)


def _called(operation: Any) -> str:  # noqa: ANN401
    """The operation's class, and the function that it runs."""
    name = type(operation).__name__
    code = getattr(getattr(operation, "code", None), "__name__", "")
    return f"{name}({code})" if code else name
