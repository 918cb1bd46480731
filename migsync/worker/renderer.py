"""A project state as text that can be compared across processes, and read by a person."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from enum import Enum
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Final

from django.utils.functional import Promise

from migsync.worker.protocol import RenderedModel

if TYPE_CHECKING:
    from django.db.migrations.state import ModelState, ProjectState

PLAIN: Final = (type(None), bool, int, float, complex, str, bytes, range)
# Their order means nothing: each has a name, or is a rule for itself.
UNORDERED_OPTIONS: Final = frozenset({"indexes", "constraints", "unique_together", "index_together", "permissions"})
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
# A value can hold itself.
DEEPEST = 40


class Renderer:
    """Turns the values of a state into text.

    `modules` says for a migration's module how that migration is named in the text: a function that a field uses may
    be defined in a migration file, whose name changes.
    """

    def __init__(self, modules: Mapping[str, str]) -> None:
        self.modules = modules

    def state(self, state: ProjectState) -> dict[str, dict[str, RenderedModel]]:
        """App by app, model by model."""
        apps: dict[str, dict[str, RenderedModel]] = {}
        for (app, name), model in sorted(state.models.items()):
            apps.setdefault(app, {})[name] = self._model(model)
        return apps

    def _model(self, model: ModelState) -> RenderedModel:
        return RenderedModel(
            name=model.name,
            fields={name: self.value(field) for name, field in model.fields.items()},
            options={
                name: self._option(name, value)
                for name, value in sorted(model.options.items())
                if value or name not in UNORDERED_OPTIONS  # none at all is what an empty one means
            },
            bases=self.value(tuple(model.bases)),
            managers={name: self._manager(manager) for name, manager in model.managers},
        )

    def _manager(self, manager: Any) -> str:  # noqa: ANN401
        of_queryset, path, queryset, args, kwargs = manager.deconstruct()
        if of_queryset:
            return f"{self._known(queryset)}.as_manager()"
        return self._call(path, args, kwargs, 0)

    def _option(self, name: str, value: Any) -> str:  # noqa: ANN401
        if name in UNORDERED_OPTIONS and isinstance(value, (list, tuple, set, frozenset)):
            # Fields that are unique together may be a list or a tuple.
            items = (tuple(item) if isinstance(item, list) else item for item in value)
            # RenameIndex can leave an index in the state twice, and it is one index all the same.
            return f"[{', '.join(sorted(set(map(self.value, items))))}]"
        return self.value(value)

    def operation(self, operation: Any) -> str:  # noqa: ANN401 -- Django has no types
        """An operation of a migration, with everything that it was made with."""
        name, args, kwargs = operation.deconstruct()
        return self._call(name, args, kwargs, 0)

    def value(self, value: Any, depth: int = 0) -> str:  # noqa: ANN401
        """Any value that a migration can hold."""
        if depth > DEEPEST:
            return "…"
        inner = functools.partial(self.value, depth=depth + 1)
        if isinstance(value, Enum):
            return self._member(value, depth)
        if type(value) in PLAIN:
            return repr(value)
        match value:
            case Promise():
                return repr(str(value))
            case list() | tuple():
                opening, closing = "[]" if isinstance(value, list) else "()"
                return f"{opening}{', '.join(map(inner, value))}{closing}"
            case set() | frozenset():
                return f"{{{', '.join(sorted(map(inner, value)))}}}"
            case dict():
                return f"{{{', '.join(sorted(f'{inner(key)}: {inner(item)}' for key, item in value.items()))}}}"
            case type() | FunctionType() | BuiltinFunctionType():
                return self._path(value)
            case MethodType():
                return f"{inner(value.__self__)}.{value.__name__}"
            case functools.partial():
                return self._call(f"partial {inner(value.func)}", value.args, value.keywords, depth)
        if hasattr(value, "deconstruct"):
            *_, path, args, kwargs = value.deconstruct()
            return self._call(path, args, kwargs, depth)
        return self._unknown(value, depth)

    def _member(self, member: Enum, depth: int) -> str:
        from django.db.models.enums import Choices

        # Django writes a member of its Choices as the value, so a new file has that where an old one has the member.
        if isinstance(member, Choices):
            return self.value(member.value, depth + 1)
        return f"{self._path(type(member))}.{member.name}"

    def _unknown(self, value: Any, depth: int) -> str:  # noqa: ANN401
        # object's own repr() has the class and an address, and the same value would differ in two processes.
        own: object = type(value).__repr__
        if own is not object.__repr__:
            return ADDRESS.sub("", repr(value))
        return self._call(self._path(type(value)), (), vars(value) if hasattr(value, "__dict__") else {}, depth)

    def _call(self, path: str, args: Iterable[Any], kwargs: Mapping[str, Any], depth: int) -> str:
        inner = functools.partial(self.value, depth=depth + 1)
        given = [inner(value) for value in args]
        given += [f"{name}={inner(value)}" for name, value in sorted(kwargs.items())]
        return f"{self._known(path).removeprefix('django.db.')}({', '.join(given)})"

    def _known(self, path: str) -> str:
        """A dotted path, with a migration's module as it is to be named."""
        module, _, name = path.rpartition(".")
        return f"{self.modules[module]}.{name}" if module in self.modules else path

    def _path(self, value: Any) -> str:  # noqa: ANN401
        module = getattr(value, "__module__", None) or ""
        return f"{self.modules.get(module, module)}.{getattr(value, '__qualname__', value.__class__.__qualname__)}"
