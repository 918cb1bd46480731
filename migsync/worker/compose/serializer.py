"""Django's own serializers, patched to write a stand-in for whatever is defined in a migration's module.

Django would write an import of that module: it may go away, and most names (``0003_fill``) cannot be imported so. A
stand-in is a name that occurs nowhere else, ``migsync_carried_3.forwards``. What Django writes is then Python still,
and :mod:`.linker` finds the stand-ins in its syntax tree. A value that has no name, such as a lambda, stands for the
expression that made it: ``migsync_carried_3.inline_0``.
"""

from __future__ import annotations

import ast
import functools
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, Final

from migsync.worker.compose.definitions import CannotCarryError
from migsync.worker.compose.migration_module import ATTRIBUTES, MIGRATION, MigrationModule

STAND_IN: Final = "migsync_carried_"
INLINE: Final = "inline_"

Position = tuple[int, int]
"""(line, column)."""

Written = tuple[str, set[str]]
"""A value as Django's serializers give it: its text, and the imports that this needs."""


def migration_modules() -> dict[str, ModuleType]:
    """The imported modules that hold a migration, by name."""
    from django.db.migrations import Migration

    found = {}
    for name, module in [*sys.modules.items()]:
        held = getattr(module, "__dict__", {}).get(MIGRATION)
        if isinstance(held, type) and issubclass(held, Migration) and held.__module__ == name:
            found[name] = module
    return found


class StandIns(Mapping[str, MigrationModule]):
    """The modules that hold migrations, by name, and the stand-ins that were written for what is in them.

    As a mapping it gives their sources, read on first use; that raises CannotEdit where there is none. `prefixes` has
    what stands for each module, and `inline` the expressions that are to be written in place, by number.
    """

    def __init__(self, modules: Mapping[str, ModuleType]) -> None:
        self.modules = modules
        self.prefixes = {name: f"{STAND_IN}{number}" for number, name in enumerate(modules)}
        self.inline: list[tuple[MigrationModule, ast.expr]] = []
        self._sources: dict[str, MigrationModule] = {}

    def __getitem__(self, name: str) -> MigrationModule:
        if name not in self._sources:
            self._sources[name] = MigrationModule(self.modules[name])
        return self._sources[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.modules)

    def __len__(self) -> int:
        return len(self.modules)

    def __contains__(self, name: object) -> bool:
        return name in self.modules

    @functools.cached_property
    def _names(self) -> dict[int, tuple[str, str]]:
        """Where every value is found at the top of a module, by its identity; its own name before another."""
        # By identity: two constants that are equal need not be the same.
        found: dict[int, tuple[str, str]] = {}
        for module in self.modules.values():
            inner = vars(vars(module)[MIGRATION]).items()
            own = [(f"{MIGRATION}.{name}", value) for name, value in inner if name not in ATTRIBUTES]
            for name, value in [*vars(module).items(), *own]:
                if not name.rpartition(".")[2].startswith("__") and (
                    id(value) not in found or _is_home(value, module, name)
                ):
                    found[id(value)] = (module.__name__, name)
        return found

    def function(self, value: Any) -> Written | None:  # noqa: ANN401
        """The stand-in for a function or method; None for one that Django can write itself."""
        if isinstance(value, MethodType):
            return self._method(value)
        home, qualified = _home(value), getattr(value, "__qualname__", "")
        if home == "django.db.migrations.operations.special" and qualified in ("RunPython.noop", "RunSQL.noop"):
            return f"migrations.{qualified}", {"from django.db import migrations"}
        # __qualname__ can be wrong, after functools.wraps for one: only what is found there is there.
        if home not in self.modules and home in sys.modules and _found(sys.modules[home], qualified) is value:
            return None
        if home in self.modules and _found(self.modules[home], qualified) is value:
            return self._stand_in(home, qualified)
        written = self.other(value)
        if written is None and home in self.modules:
            raise self._refused(value, home)
        return written

    def other(self, value: Any) -> Written | None:  # noqa: ANN401
        """The stand-in for any other value that Django cannot write itself; None where it has no name and no source.

        Tried in this order: the name it has in a module, the lambda that it is, the expression in an operation.
        """
        if isinstance(value, staticmethod):
            return self.function(value.__func__)
        if id(value) in self._names:
            return self._stand_in(*self._names[id(value)])
        home = _home(value)
        if isinstance(value, FunctionType) and home in self.modules and not value.__closure__:
            node = _lambda(self[home], value.__code__) if value.__name__ == "<lambda>" else None
            if node is not None:
                return self._inline(self[home], node)
        return next((self._inline(self[name], node) for name, node in self._expressions(value)), None)

    def _method(self, value: MethodType) -> Written | None:
        owner = value.__self__
        if isinstance(owner, type):
            # A class method: Django writes it by its class, which has a stand-in for a module.
            return None
        if id(owner) in self._names:
            text, imports = self._stand_in(*self._names[id(owner)])
            return f"{text}.{value.__name__}", imports
        written = self.other(value)
        if written is None:
            raise self._refused(value, _home(value))
        return written

    def _expressions(self, value: Any) -> Iterator[tuple[str, ast.expr]]:  # noqa: ANN401
        """The expressions by which an operation was given this very object, each with its module."""
        for name in self.modules:
            yield from ((name, node) for argument, node in _arguments(self[name]) if argument is value)

    def _stand_in(self, module: str, name: str) -> Written:
        stand_in = self.prefixes[module]
        return f"{stand_in}.{name}", {f"import {stand_in}"}

    def _inline(self, module: MigrationModule, node: ast.expr) -> Written:
        self.inline.append((module, node))
        return self._stand_in(module.name, f"{INLINE}{len(self.inline) - 1}")

    def _refused(self, value: Any, home: str) -> CannotCarryError:  # noqa: ANN401
        """The error for a function whose source cannot be found by a name."""
        inner = value.__func__ if isinstance(value, MethodType) else value
        code = getattr(inner, "__code__", None)
        name = getattr(value, "__qualname__", repr(value))
        return CannotCarryError(
            self[home].path if home in self.modules else home,
            code.co_firstlineno if code else 0,
            f"the function {name} is created when the module is imported, and has no name at its top level",
            "It cannot be copied: it may use values of the function that created it.",
            "Assign it to a name at the top level of the module, and use that name in the operation.",
        )


@contextmanager
def stand_ins_written(modules: Mapping[str, ModuleType]) -> Iterator[StandIns]:
    """Have Django's writer write stand-ins for what is defined in these modules."""
    from django.db.migrations.serializer import BaseSerializer, FunctionTypeSerializer, Serializer

    stand_ins = StandIns(modules)

    class Function(FunctionTypeSerializer):
        def serialize(self) -> Written:
            return stand_ins.function(self.value) or super().serialize()

    class Other(BaseSerializer):
        def serialize(self) -> Written:
            written = stand_ins.other(self.value)
            if written is None:
                raise ValueError(f"Cannot serialize: {self.value!r}")
            return written

    registry: dict[Any, type[BaseSerializer]] = Serializer._registry  # type: ignore[attr-defined]
    before = dict(registry)
    kinds = next(kind for kind, serializer in registry.items() if serializer is FunctionTypeSerializer)
    registry[kinds] = Function
    registry[object] = Other  # the last: for what no other serializer takes
    with _moved_classes(stand_ins):
        try:
            yield stand_ins
        finally:
            registry.clear()
            registry.update(before)


@contextmanager
def _moved_classes(stand_ins: StandIns) -> Iterator[None]:
    """Have the classes of the modules say that they are in the stand-in.

    Django writes a class as its ``__module__`` and ``__qualname__``, after importing that module to see whether it has
    the class: so for the time being the stand-in is in ``sys.modules``.
    """
    changed: list[tuple[type, str, str]] = []
    for name, module in stand_ins.modules.items():
        sys.modules[stand_ins.prefixes[name]] = module
        todo = [(bound, value) for bound, value in vars(module).items() if isinstance(value, type)]
        while todo:
            bound, value = todo.pop()
            # "make.<locals>.Status": made by a function, and bound at the top under another name.
            made_elsewhere = "<" in value.__qualname__
            if value.__module__ != name and not made_elsewhere:
                continue
            changed.append((value, value.__module__, value.__qualname__))
            value.__module__ = stand_ins.prefixes[name]
            if made_elsewhere:
                value.__qualname__ = bound
            todo += [("", inner) for inner in vars(value).values() if isinstance(inner, type) and bound != MIGRATION]
    try:
        yield
    finally:
        for value, module_name, qualified in changed:
            value.__module__, value.__qualname__ = module_name, qualified
        for stand_in in stand_ins.prefixes.values():
            del sys.modules[stand_in]


def _found(module: ModuleType, qualified: str) -> Any:  # noqa: ANN401
    """What a module holds under a dotted name; functions of a class are themselves there."""
    found: Any = module
    for part in qualified.split("."):
        found = getattr(found, part, None)
    return found


def _home(value: Any) -> str:  # noqa: ANN401
    """The module that a value says it is from; empty for none."""
    home = getattr(value, "__module__", None)
    return home if isinstance(home, str) else ""


def _is_home(value: Any, module: ModuleType, name: str) -> bool:  # noqa: ANN401
    return getattr(value, "__module__", None) == module.__name__ and getattr(value, "__name__", None) == name


def _arguments(module: MigrationModule) -> Iterator[tuple[Any, ast.expr]]:
    """Everything that a module's operations were made with, however deep inside, with its expression."""
    todo = [*module.operations]
    while todo:
        value, node = todo.pop()
        yield value, node
        match node:
            case ast.List(elts=nodes) | ast.Tuple(elts=nodes) if isinstance(value, list | tuple):
                todo += _zipped(value, nodes)
            case ast.Call(args=nodes, keywords=keywords) if hasattr(value, "_constructor_args"):
                # Every Operation keeps what it was made with.
                given, named = value._constructor_args
                todo += _zipped(given, nodes)
                todo += [(named[it.arg], it.value) for it in keywords if it.arg in named]


def _zipped(values: Sequence[Any], nodes: Sequence[ast.expr]) -> list[tuple[Any, ast.expr]]:
    if len(values) != len(nodes) or any(isinstance(node, ast.Starred) for node in nodes):
        return []
    return [*zip(values, nodes, strict=True)]


def _lambda(module: MigrationModule, code: CodeType) -> ast.Lambda | None:
    """The source of a lambda; None when two are at one place, or when Python does not say where they are."""
    body = _extent(code)
    found = [
        node
        for node in ast.walk(module.source.tree)
        if isinstance(node, ast.Lambda) and _position(node.body) == body and node.lineno <= code.co_firstlineno
    ]
    return found[0] if len(found) == 1 else None


def _extent(code: CodeType) -> tuple[Position, Position]:
    """From where to where the instructions come; those without columns are Python's own."""
    starts, ends = [], []
    for line, end_line, column, end_column in code.co_positions():
        if line is None or end_line is None or column is None or end_column is None:
            continue
        if (line, column) != (end_line, end_column):
            starts.append((line, column))
            ends.append((end_line, end_column))
    return min(starts, default=(0, 0)), max(ends, default=(0, 0))


def _position(node: ast.expr) -> tuple[Position, Position]:
    return (node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0)
