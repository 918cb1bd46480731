"""Finds modules by their dotted names without executing any of them, nor the packages above them."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.machinery import ModuleSpec
from pathlib import Path

from migsync.filesystem.archives import read_member


@dataclass(frozen=True)
class Module:
    """A module on the search path. `file` is empty where there is no source (a namespace package, an extension).

    `locations` are the directories of a package, None for a plain module.
    """

    name: str
    file: str = ""
    locations: tuple[str, ...] | None = None

    @property
    def package(self) -> str:
        """The package that relative imports in this module start from."""
        return self.name if self.locations is not None else self.name.rpartition(".")[0]

    @cached_property
    def tree(self) -> ast.Module | None:
        """The syntax tree; None when the source cannot be had or does not parse."""
        if not self.file:
            return None
        try:
            # Bytes, so that a BOM or a coding line is heeded. A NUL among them is a ValueError or a SyntaxError.
            return ast.parse(_content(self.file))
        except (OSError, SyntaxError, ValueError):
            return None


class Modules:
    """The modules that ``import`` would find on ``sys.path``, or on `path` where it is given.

    What was found, or not found, is remembered for the life of the object.
    """

    def __init__(self, path: Sequence[str] | None = None) -> None:
        self._path = None if path is None else list(path)
        self._found: dict[str, Module | None] = {}

    def find(self, name: str) -> Module | None:
        """The module, or None when the import system's finders do not know it."""
        if name not in self._found:
            self._found[name] = self._find(name)
        return self._found[name]

    def _find(self, name: str) -> Module | None:
        parent, _, last = name.rpartition(".")
        if not last.isidentifier() and not last.isalnum():
            return None
        loaded = sys.modules.get(name)
        if loaded is not None and getattr(loaded, "__spec__", None) is not None:
            # What runs already knows best, above all a __path__ that was extended.
            path = getattr(loaded, "__path__", None)
            file = getattr(loaded, "__file__", None) or ""
            return _module(name, file, None if path is None else tuple(path))
        if not parent:
            return _from_spec(_search(name, self._path))
        package = self.find(parent)
        if package is None or package.locations is None:
            return None
        try:
            return _from_spec(_search(name, list(package.locations)))
        except KeyError:
            # A namespace package: PathFinder looks its parent up in sys.modules, where it is not.
            places = [os.path.join(location, last) for location in package.locations]  # noqa: PTH118 -- texts in, texts out
            return _module(name, "", tuple(place for place in places if Path(place).is_dir()))


def _content(file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except NotADirectoryError:
        return read_member(file)


def _search(name: str, path: list[str] | None) -> ModuleSpec | None:
    """Ask the finders in turn, as ``import`` does; editable installs put theirs among them."""
    for finder in sys.meta_path:
        find_spec = getattr(finder, "find_spec", None)
        if find_spec is None:
            continue
        spec: ModuleSpec | None = find_spec(name, path)
        if spec is not None:
            return spec
    return None


def _from_spec(spec: ModuleSpec | None) -> Module | None:
    if spec is None:
        return None
    locations = spec.submodule_search_locations
    return _module(
        spec.name,
        spec.origin if spec.has_location and spec.origin else "",
        None if locations is None else tuple(locations),
    )


def _module(name: str, file: str, locations: tuple[str, ...] | None) -> Module:
    places = None if locations is None else tuple(dict.fromkeys(os.path.abspath(place) for place in locations))  # noqa: PTH100 -- Path.resolve would follow symlinks
    return Module(name, file if file.endswith(".py") else "", places)
