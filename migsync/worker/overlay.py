"""The files of a proposal as Python would import them, without one of them on disk.

Changed directories are served by a path hook: ``sys.path_hooks`` is asked for every directory that is on ``sys.path``
or in a package's ``__path__``, whatever dotted name the package has. So ``MIGRATION_MODULES``, a label unlike the
directory, relative imports and ``__file__`` work as they will once the files are there, and nothing is written.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from importlib.machinery import (
    BYTECODE_SUFFIXES,
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    SourceFileLoader,
    SourcelessFileLoader,
)
from importlib.util import spec_from_file_location
from inspect import getmodulename
from pathlib import Path
from types import ModuleType

LOADERS = (
    (ExtensionFileLoader, EXTENSION_SUFFIXES),
    (SourceFileLoader, SOURCE_SUFFIXES),
    (SourcelessFileLoader, BYTECODE_SUFFIXES),
)
PACKAGE = "__init__.py"

Files = Mapping[str, bytes | None]
"""Real paths of ``.py`` files and what will be in them; None for a file that goes."""


def install(files: Files) -> None:
    """Have this process import the project as it will be."""
    entries = by_directory(files)

    def hook(path: str) -> OverlaidDirectory:
        real = os.path.realpath(path)
        if real not in entries:
            raise ImportError(path=path)
        return OverlaidDirectory(path, entries[real])

    # First, since Python takes the first hook that does not raise ImportError, and FileFinder's takes every directory.
    sys.path_hooks.insert(0, hook)
    # A directory that was imported from has a finder in the cache, and its hooks are not asked again.
    for path in [path for path in sys.path_importer_cache if os.path.realpath(path) in entries]:
        del sys.path_importer_cache[path]


def by_directory(files: Files) -> dict[str, dict[str, bytes | None]]:
    """What changes in each directory, by names relative to it.

    A package that comes or goes (``name/__init__.py``) is an entry of the directory that it is in as well.
    """
    entries: dict[str, dict[str, bytes | None]] = {}
    for path, content in files.items():
        directory, _, name = path.rpartition(os.sep)
        entries.setdefault(directory, {})[name] = content
        if name == PACKAGE:
            above, _, package = directory.rpartition(os.sep)
            entries.setdefault(above, {})[f"{package}{os.sep}{name}"] = content
    return entries


class OverlaidDirectory:
    """A directory with changes in it, as an entry of ``sys.path`` or ``__path__``."""

    def __init__(self, path: str, entries: Files) -> None:
        self.path = path
        self.entries = entries
        self._disk = FileFinder(path, *LOADERS)

    def find_spec(self, fullname: str, target: ModuleType | None = None) -> ModuleSpec | None:
        """The module as it will be; one that nothing changes is found on disk."""
        tail = fullname.rpartition(".")[2]
        package = f"{self.path}{os.sep}{tail}"
        # A package goes before a module of the same name, as in FileFinder.
        for name, locations in ((f"{tail}{os.sep}{PACKAGE}", [package]), (f"{tail}.py", None)):
            if name in self.entries:
                content = self.entries[name]
                # The file is still on disk, so the disk must not be asked.
                if content is None:
                    return None
                path = f"{self.path}{os.sep}{name}"
                loader = _Content(fullname, path, content)
                return spec_from_file_location(fullname, path, loader=loader, submodule_search_locations=locations)
        return self._disk.find_spec(fullname, target)

    def invalidate_caches(self) -> None:
        """Look at the disk again."""
        self._disk.invalidate_caches()

    def iter_modules(self, prefix: str = "") -> Iterator[tuple[str, bool]]:
        """For :func:`pkgutil.iter_modules`, by which Django finds migrations: (name, whether it is a package)."""
        found: dict[str, bool] = {}
        for name in [*self._on_disk(), *self.entries]:
            if self.entries.get(name, b"") is None:
                continue
            module, _, inner = name.partition(os.sep)
            if not inner:
                module = getmodulename(name) or ""
            if module and module != "__init__" and "." not in module:
                found[module] = bool(inner)
        for module in sorted(found):
            yield prefix + module, found[module]

    def _on_disk(self) -> Iterator[str]:
        """The names in the directory; of a package, its ``__init__.py``."""
        if not Path(self.path).is_dir():
            return
        for entry in os.scandir(self.path):
            if not entry.is_dir():
                yield entry.name
            elif Path(entry.path, PACKAGE).is_file():
                yield f"{entry.name}{os.sep}{PACKAGE}"


class _Content(SourceFileLoader):
    """Loads one module from bytes; ``__file__`` is where they will be, and no bytecode is read or written."""

    # Not importlib.abc's SourceLoader, which takes as long to import as half of all that a worker starts with.

    def __init__(self, fullname: str, path: str, content: bytes) -> None:
        super().__init__(fullname, path)
        self.content = content

    def get_data(self, path: str) -> bytes:
        return self.content if path == self.path else super().get_data(path)

    def path_stats(self, path: str) -> Mapping[str, float]:
        # SourceLoader.get_code() takes this for a file without a time stamp, and leaves bytecode alone: the cached one
        # would be that of the old content.
        raise OSError("not on disk yet")
