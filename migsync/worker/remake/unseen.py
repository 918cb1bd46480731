"""Operations that the models do not show, and what can become of each."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

Node = tuple[str, str]

SCHEMA: Final = ("django.db.migrations.operations.models", "django.db.migrations.operations.fields")
"""Where Django's operations are whose result the autodetector makes of the models."""
POSTGRES: Final = "django.contrib.postgres.operations"
FIRST: Final = ("CreateExtension", "CreateCollation", "RemoveCollation")
CREATE: Final = r"\s*(--[^\n]*\n\s*)*CREATE\s+"
NEEDED: Final = re.compile(
    rf"{CREATE}(EXTENSION|COLLATION)\b.*|({CREATE}(EXTENSION|COLLATION|SCHEMA|TYPE|DOMAIN)\b[^;]*(;\s*|$))+",
    re.IGNORECASE | re.DOTALL,
)
"""Statements that make what tables can need; after a schema something may follow that needs tables itself."""
RUN: Final = ("database_forwards", "database_backwards", "_run_sql")


class Fate(StrEnum):
    """What becomes of an operation.

    It stands `FIRST` in the app's first file or is `CARRIED` into a further one; or it is left out, for its result is
    `SHOWN` by the models, it is `ELIDABLE`, does `NOTHING`, or was `DROPPED` by name. `STUCK` can neither be carried
    nor is it known to be needless.
    """

    FIRST = "first"
    CARRIED = "carried"
    SHOWN = "shown"
    ELIDABLE = "elidable"
    NOTHING = "nothing"
    DROPPED = "dropped"
    STUCK = "stuck"


@dataclass(frozen=True)
class Unseen:
    """One operation of the migration `origin`: what it is `called`, its fate, and what is carried in its place."""

    origin: Node
    called: str
    fate: Fate
    operation: Any = None


def unseen(origin: Node, migration: Any, state: Any, *, dropped: bool) -> Iterator[Unseen]:  # noqa: ANN401
    """What a migration does that the models do not show, in order; `state` is taken through the migration."""
    if _has_own_way(migration):
        yield Unseen(origin, "a Migration class with its own apply", Fate.DROPPED if dropped else Fate.STUCK)
    for operation in migration.operations:
        before = _Before(state, origin[0])
        for found in _judged(origin, operation, before):
            yield Unseen(origin, found.called, Fate.DROPPED) if dropped and _may_drop(found) else found
        operation.state_forwards(origin[0], state)


def has_schema(migration: Any) -> bool:  # noqa: ANN401
    """Whether a migration changes the state by what Django itself has for that: the autodetector makes it anew."""
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


def _may_drop(found: Unseen) -> bool:
    return found.fate in (Fate.FIRST, Fate.CARRIED, Fate.STUCK)


def _has_own_way(migration: Any) -> bool:  # noqa: ANN401
    from django.db.migrations import Migration

    return any(getattr(type(migration), name) is not getattr(Migration, name) for name in ("apply", "mutate_state"))


def _judged(origin: Node, operation: Any, before: _Before) -> Iterator[Unseen]:  # noqa: ANN401
    from django.db.migrations import RunPython, RunSQL, SeparateDatabaseAndState

    called = _called(operation)
    if is_schema(operation):
        return
    if operation.elidable:
        yield Unseen(origin, called, Fate.ELIDABLE)
    elif isinstance(operation, SeparateDatabaseAndState):
        yield from _of_database(origin, operation, before)
    elif isinstance(operation, RunPython):
        nothing = operation.code is RunPython.noop
        yield Unseen(origin, called, Fate.NOTHING if nothing else Fate.CARRIED, operation)
    elif isinstance(operation, RunSQL):
        fate, carried = _fate_of_sql(operation), _without_state(operation)
        yield Unseen(origin, called, Fate.STUCK if carried is None and fate is not Fate.NOTHING else fate, carried)
    elif _is_of_postgres(operation, FIRST):
        yield Unseen(origin, called, Fate.FIRST, operation)
    elif type(operation).__module__ == POSTGRES:
        yield Unseen(origin, called, Fate.SHOWN)  # the index or constraint itself is the model's
    else:
        yield Unseen(origin, called, Fate.STUCK if before.is_changed_by(operation) else Fate.CARRIED, operation)


def _of_database(origin: Node, operation: Any, before: _Before) -> Iterator[Unseen]:  # noqa: ANN401
    """The database's part of a SeparateDatabaseAndState: its state's part is what the models are."""
    from django.db.migrations import SeparateDatabaseAndState

    carried: list[Any] = []
    for part in operation.database_operations:
        if is_schema(part):
            yield Unseen(origin, f"{_called(part)} (in database_operations)", Fate.SHOWN)
            continue
        for found in _judged(origin, part, before):
            if found.fate is Fate.CARRIED:
                carried.append(found.operation)
            else:
                yield found
    if carried:
        called = ", ".join(_called(part) for part in carried)
        whole = SeparateDatabaseAndState(database_operations=carried)
        yield Unseen(origin, f"{called} (in database_operations)", Fate.CARRIED, whole)


def _fate_of_sql(operation: Any) -> Fate:  # noqa: ANN401
    statements = list(_statements(operation.sql))
    if not any(statement.strip() for statement in statements):
        return Fate.NOTHING
    return Fate.FIRST if all(map(NEEDED.fullmatch, statements)) else Fate.CARRIED


def _statements(sql: Any) -> Iterable[str]:  # noqa: ANN401 -- a text, or a list of texts and (text, parameters)
    if isinstance(sql, str):
        return (sql,)
    return (part if isinstance(part, str) else part[0] for part in sql)


def _without_state(operation: Any) -> Any:  # noqa: ANN401
    """A RunSQL that only runs its SQL; None for a class of its own that makes none."""
    from django.db.migrations import RunSQL

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


def _is_of_postgres(operation: Any, names: Iterable[str]) -> bool:  # noqa: ANN401
    """Whether it is one of these operations of django.contrib.postgres, which needs psycopg to be imported."""
    module = sys.modules.get(POSTGRES)
    return module is not None and isinstance(operation, tuple(getattr(module, name) for name in names))


def _called(operation: Any) -> str:  # noqa: ANN401
    """The operation's class, and the function that it runs."""
    name = type(operation).__name__
    code = getattr(getattr(operation, "code", None), "__name__", "")
    return f"{name}({code})" if code else name
