"""The installed apps as the settings module states them, read without running it: for commands that need no settings.

Only literals count, also over ``+=``, ``import *`` and names of other lists. What a statement in a branch adds counts
too: the app is installed in one of the project's environments.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from migsync.filesystem.boundary import Irregular, read_source

INSTALLED, MODULES = "INSTALLED_APPS", "MIGRATION_MODULES"

Value: TypeAlias = "list[str] | dict[str, str | None] | None"
"""A list or tuple of texts, a dict, or None for what cannot be read."""


@dataclass(frozen=True)
class StatedApps:
    """The entries of ``INSTALLED_APPS``, those of ``MIGRATION_MODULES`` by label, and the `files` that state them."""

    entries: frozenset[str] = frozenset()
    migration_modules: Mapping[str, str | None] = field(default_factory=dict)
    files: tuple[Path, ...] = ()

    def names(self, package: str, packages: Sequence[str]) -> bool:
        """Whether an entry is `package`, or an AppConfig in it; `packages` are all that may be meant."""
        inner = [other for other in packages if other.startswith(f"{package}.")]
        return any(
            entry == package
            or (entry.startswith(f"{package}.") and not any(f"{entry}.".startswith(f"{each}.") for each in inner))
            for entry in self.entries
        )


def read_stated_apps(module: str, search_path: Sequence[str]) -> StatedApps | None:
    """What the settings `module` states; None where it is not there, or its INSTALLED_APPS cannot be read.

    `search_path` is where the project's modules are.
    """
    reader = _Reader(search_path)
    values = reader.module(module)
    entries, modules = values.get(INSTALLED), values.get(MODULES, {})
    if not isinstance(entries, list) or not isinstance(modules, dict):
        return None
    return StatedApps(frozenset(entries), modules, tuple(reader.files))


@dataclass
class _Reader:
    """The values of modules' names. A name that is given something else than a literal is None from then on."""

    search_path: Sequence[str]
    files: list[Path] = field(default_factory=list)
    known: dict[str, dict[str, Value]] = field(default_factory=dict)

    def module(self, name: str) -> dict[str, Value]:
        if name not in self.known:
            self.known[name] = {}  # for modules that import each other
            self.known[name] = self._read(name)
        return self.known[name]

    def _read(self, name: str) -> dict[str, Value]:
        path = self._path(name)
        if path is None:
            return {}
        try:
            tree = ast.parse(read_source(path))
        except (Irregular, OSError, SyntaxError, ValueError):
            return {}
        self.files.append(path)
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        values: dict[str, Value] = {}
        self._run(tree.body, values, package)
        return values

    def _path(self, name: str) -> Path | None:
        parts = name.split(".")
        places = (Path(place, *parts) for place in self.search_path)
        found = (path for place in places for path in (place / "__init__.py", place.with_suffix(".py")))
        return next((path for path in found if path.is_file()), None)

    def _run(self, body: Sequence[ast.stmt], values: dict[str, Value], package: str) -> None:
        for statement in body:
            match statement:
                case (
                    ast.Assign(targets=[ast.Name(id=name)], value=node)
                    | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as node)
                ):
                    values[name] = _value(node, values)
                case ast.AugAssign(target=ast.Name(id=name), op=ast.Add(), value=node):
                    values[name] = _sum(values.get(name), _value(node, values))
                case ast.ImportFrom(module=module, names=names, level=level) if any(map(_may_be_setting, names)):
                    found = self.module(_absolute(module or "", level, package))
                    for each in names:
                        if each.name == "*":
                            values |= found
                        elif each.name in found:
                            values[each.asname or each.name] = found[each.name]
                case ast.If() | ast.Try() | ast.With() | ast.For() | ast.While():
                    self._branch(statement, values, package)
                case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method), args=arguments)):
                    values[name] = _called(values.get(name), method, arguments, values)

    def _branch(self, statement: ast.stmt, values: dict[str, Value], package: str) -> None:
        """What a branch adds is added; what it replaces counts beside what was there."""
        for body in _bodies(statement):
            inside = dict(values)
            self._run(body, inside, package)
            for name, value in inside.items():
                before = values.get(name)
                if isinstance(before, list) and isinstance(value, list):
                    values[name] = list(dict.fromkeys([*before, *value]))
                elif isinstance(before, dict) and isinstance(value, dict):
                    values[name] = {**before, **value}
                elif name not in values or value is None:
                    values[name] = value


def _may_be_setting(imported: ast.alias) -> bool:
    return imported.name == "*" or imported.name.isupper()


def _bodies(statement: ast.stmt) -> Iterator[Sequence[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        yield getattr(statement, name, [])
    for handler in getattr(statement, "handlers", []):
        yield handler.body


def _absolute(module: str, level: int, package: str) -> str:
    if not level:
        return module
    parts = package.split(".")
    return ".".join([*parts[: len(parts) - level + 1], *([module] if module else [])])


def _value(node: ast.expr, values: Mapping[str, Value]) -> Value:
    match node:
        case ast.Name(id=name):
            return values.get(name)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _sum(_value(left, values), _value(right, values))
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            found: list[str] = []
            for element in elements:
                match element:
                    case ast.Constant(value=str(text)):
                        found.append(text)
                    case ast.Starred(value=inner):
                        more = _value(inner, values)
                        if not isinstance(more, list):
                            return None
                        found += more
                    case _:
                        return None
            return found
        case ast.Dict():
            with suppress(ValueError, TypeError):
                read = ast.literal_eval(node)
                if all(isinstance(key, str) and (each is None or isinstance(each, str)) for key, each in read.items()):
                    return dict(read)
    return None


def _sum(left: Value, right: Value) -> Value:
    return [*left, *right] if isinstance(left, list) and isinstance(right, list) else None


def _called(value: Value, method: str, arguments: Sequence[ast.expr], values: Mapping[str, Value]) -> Value:
    """A list after a call of one of its methods; None for one that cannot be followed."""
    if not isinstance(value, list):
        return value
    match method, arguments:
        case ("append", [ast.Constant(value=str(text))]) | ("insert", [_, ast.Constant(value=str(text))]):
            return [*value, text]
        case "extend", [node]:
            return _sum(value, _value(node, values))
        case ("remove", _) | ("sort", _) | ("reverse", _):
            return value  # what is removed counts as installed: elsewhere it may be
    return None
