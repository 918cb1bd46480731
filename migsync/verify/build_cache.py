"""Remembers what the migrations build, as long as nothing changes that it depends on."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from migsync.filesystem.atomic import write_file
from migsync.filesystem.boundary import read_regular
from migsync.filesystem.own_source import own_source
from migsync.history import History
from migsync.worker.codec import decode, encode
from migsync.worker.migration_traces import BuildResult

ROOMS: Final = ("engines", "verify", "worker")
"""What builds, and reads what was built."""

KEPT: Final = 20
"""So many builds are kept for a project, the newest."""


class BuildCache:
    """Builds of one project. A file is one build; any of them may be deleted at any time."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def load(self, key: str) -> BuildResult | None:
        """The build under this key, unless a file of the project that it imported is another one now."""
        try:
            found = decode(BuildResult, read_regular(self._path(key)).decode())
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None
        return found if all(_digest(path) == digest for path, digest in found.files.items()) else None

    def save(self, key: str, result: BuildResult) -> None:
        """Keep a build that is whole; a directory that cannot be written is no error."""
        # What could not be built may depend on what is outside: a server's extension, a service.
        if result.unbuilt:
            return
        with contextlib.suppress(OSError):
            self.directory.mkdir(parents=True, exist_ok=True)
            write_file(self._path(key), encode(result).encode(), durable=False)
            files = sorted(self.directory.glob("*.json"), key=lambda path: path.stat().st_mtime)
            for path in files[:-KEPT]:
                path.unlink()

    def _path(self, key: str) -> Path:
        return self.directory / f"{key}.json"


def build_key(history: History, parts: Iterable[object]) -> str:
    """A digest of all that a build depends on: the files of all migrations, installed packages, and these `parts`."""
    files = sorted((str(key), migration.source) for key, migration in history.migrations.items())
    document = json.dumps([own_source(*ROOMS), sys.version, files, sorted(_packages()), *map(str, parts)])
    return hashlib.sha256(document.encode()).hexdigest()[:32]


def _packages() -> Iterable[str]:
    """The installed packages with their versions, as the names of their directories have it."""
    for place in sys.path:
        yield from (path.name for path in Path(place or ".").glob("*.dist-info"))


def _digest(path: str) -> str:
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return ""
