"""Django's own serializers, led to write a stand-in for whatever is defined in a migration's module.

Such a module may go away, and the name of most cannot even be written in an import. A stand-in is a name that occurs
nowhere else, ``migsync_carried_3.forwards``, so what Django writes is Python and can be searched by its syntax.
"""

from __future__ import annotations

import ast
import functools
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FunctionType, MethodType, ModuleType
from typing import Any, Final

from migsync.worker.compose.gathering import CannotCarryError
from migsync.worker.compose.modules import ATTRIBUTES, MIGRATION, MigrationModule
from migsync.worker.compose.written import find_lambda, pairs

STAND_IN: Final = "migsync_carried_"
INLINE: Final = "inline_"

Written = tuple[str, set[str]]
"""A value as Django's serializers give it: its text, and the imports that this needs."""


class Carrier(Mapping[str, MigrationModule]):
    """The modules that hold migrations, by name, and the stand-in of each.

    As a mapping it gives their sources, read when they are asked for; that raises CannotCarryError where there is none.
    `inline` has the expressions that are to be written in place, by number.
    """

    def __init__(self, modules: Mapping[str, ModuleType]) -> None:
        self.modules = modules
        self.stand_ins = {name: f"{STAND_IN}{number}" for number, name in enumerate(modules)}
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
        """A function or method; None for one that Django can write itself."""
        if isinstance(value, MethodType):
            return self._method(value)
        home, qualified = _home(value), getattr(value, "__qualname__", "")
        if home == "django.db.migrations.operations.special" and qualified in ("RunPython.noop", "RunSQL.noop"):
            return f"migrations.{qualified}", {"from django.db import migrations"}
        if home not in self.modules and home in sys.modules and _found(sys.modules[home], qualified) is value:
            return None
        if home in self.modules and _found(self.modules[home], qualified) is value:
            return self._stand_in(home, qualified)
        written = self.other(value)
        if written is None and home in self.modules:
            raise self._refused(value, home)
        return written

    def other(self, value: Any) -> Written | None:  # noqa: ANN401
        """A value that Django cannot write, by its name in a module, or as it was written; None for one without."""
        if isinstance(value, staticmethod):
            return self.function(value.__func__)
        if id(value) in self._names:
            return self._stand_in(*self._names[id(value)])
        home = _home(value)
        if isinstance(value, FunctionType) and home in self.modules and not value.__closure__:
            node = find_lambda(self[home], value.__code__) if value.__name__ == "<lambda>" else None
            if node is not None:
                return self._inline(self[home], node)
        return next((self._inline(self[name], node) for name, node in self._given(value)), None)

    def _method(self, value: MethodType) -> Written | None:
        owner = value.__self__
        if isinstance(owner, type):
            return None
        if id(owner) in self._names:
            text, imports = self._stand_in(*self._names[id(owner)])
            return f"{text}.{value.__name__}", imports
        written = self.other(value)
        if written is None:
            raise self._refused(value, _home(value))
        return written

    def _given(self, value: Any) -> Iterator[tuple[str, ast.expr]]:  # noqa: ANN401
        """The sources of a value that an operation was given."""
        for name in self.modules:
            yield from ((name, node) for given, node in pairs(self[name]) if given is value)

    def _stand_in(self, module: str, name: str) -> Written:
        stand_in = self.stand_ins[module]
        return f"{stand_in}.{name}", {f"import {stand_in}"}

    def _inline(self, module: MigrationModule, node: ast.expr) -> Written:
        self.inline.append((module, node))
        return self._stand_in(module.name, f"{INLINE}{len(self.inline) - 1}")

    def _refused(self, value: Any, home: str) -> CannotCarryError:  # noqa: ANN401
        """What is to be said of a function whose source cannot be found by a name."""
        inner = value.__func__ if isinstance(value, MethodType) else value
        code = getattr(inner, "__code__", None)
        name = getattr(value, "__qualname__", repr(value))
        return CannotCarryError(
            self[home].path if home in self.modules else home,
            code.co_firstlineno if code else 0,
            f"the function {name} is made while the module is imported, and has no name at its top",
            "Its source alone does not say what it does: it may use values of the function that made it.",
            "Give it a name at the top of the module, and use that name in the operation.",
        )


@contextmanager
def carrying(modules: Mapping[str, ModuleType]) -> Iterator[Carrier]:
    """Have Django write stand-ins."""
    from django.db.migrations.serializer import BaseSerializer, FunctionTypeSerializer, Serializer

    carrier = Carrier(modules)

    class Function(FunctionTypeSerializer):
        def serialize(self) -> Written:
            return carrier.function(self.value) or super().serialize()

    class Other(BaseSerializer):
        def serialize(self) -> Written:
            written = carrier.other(self.value)
            if written is None:
                raise ValueError(f"Cannot serialize: {self.value!r}")
            return written

    registry: dict[Any, type[BaseSerializer]] = Serializer._registry  # type: ignore[attr-defined]
    before = dict(registry)
    kinds = next(kind for kind, serializer in registry.items() if serializer is FunctionTypeSerializer)
    registry[kinds] = Function
    registry[object] = Other  # the last: for what no other serializer takes
    with _renamed_classes(carrier):
        try:
            yield carrier
        finally:
            registry.clear()
            registry.update(before)


@contextmanager
def _renamed_classes(carrier: Carrier) -> Iterator[None]:
    """Have the classes say that they are in a stand-in, which can be imported: Django looks whether they are."""
    changed: list[tuple[type, str, str]] = []
    for name, module in carrier.modules.items():
        sys.modules[carrier.stand_ins[name]] = module
        todo = [(bound, value) for bound, value in vars(module).items() if isinstance(value, type)]
        while todo:
            bound, value = todo.pop()
            made_elsewhere = "<" in value.__qualname__
            if value.__module__ != name and not made_elsewhere:
                continue
            changed.append((value, value.__module__, value.__qualname__))
            value.__module__ = carrier.stand_ins[name]
            if made_elsewhere:
                value.__qualname__ = bound
            todo += [("", inner) for inner in vars(value).values() if isinstance(inner, type) and bound != MIGRATION]
    try:
        yield
    finally:
        for value, module_name, qualified in changed:
            value.__module__, value.__qualname__ = module_name, qualified
        for stand_in in carrier.stand_ins.values():
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
