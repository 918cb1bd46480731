"""Remembers what migration files said, so that an unchanged file is not read again.

One JSON file per project. It may be deleted at any time, several processes may use it at once (it is replaced as a
whole, the last one wins), and whatever is not a sound cache of this very migsync counts as none.
"""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path
from typing import Any

from migsync.filesystem.atomic import write_file
from migsync.filesystem.boundary import read_regular
from migsync.filesystem.own_source import own_source
from migsync.history.directory import Stamp
from migsync.history.migration import Key, Problem
from migsync.history.parser import Header
from migsync.history.source_cache import ROOMS, SourceCache

_Entries = dict[str, dict[str, list[Any]]]
_DEFAULTS = Header()


class Cache:
    """Headers by file and stamp. Only what was asked for or stored since it was loaded is saved.

    `digests` are those of the operations, which few commands ask for; they are saved by themselves.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.digests = SourceCache(path.with_suffix(".digests"))
        self._loaded: _Entries = {}
        self._kept: _Entries = {}
        self._changed = False

    def load(self) -> None:
        """Read the file; a missing, unreadable or foreign one is an empty cache."""
        try:
            document = json.loads(read_regular(self.path))
            if document["migsync"] == own_source(*ROOMS):
                self._loaded = dict(document["directories"])
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            self._loaded = {}

    def get(self, directory: str, name: str, stamp: Stamp) -> Header | None:
        """What the file said, if it still has this stamp."""
        try:
            entry = self._loaded[directory][name]
            # The ctime too: tar, rsync or touch can set an old mtime on new content, but nobody can set a ctime.
            if entry[0] != stamp.size or entry[1] != stamp.mtime or entry[2] != stamp.ctime:
                return None
            header = _header(entry)
        except (KeyError, IndexError, TypeError, ValueError):
            return None
        self._kept.setdefault(directory, {})[name] = entry
        return header

    def put(self, directory: str, name: str, stamp: Stamp, header: Header, now: int) -> None:
        """Remember what a file said that was read at `now` (ns since 1970), unless it may change unnoticed.

        A file that is written twice within one tick of its file system's clock keeps its stamp, so a stamp as young
        as that proves nothing (git calls such an entry racy).
        """
        if max(stamp.mtime, stamp.ctime) < now - _tick(stamp):
            self._kept.setdefault(directory, {})[name] = [*stamp, *_stored(header)]
            self._changed = True

    def save(self) -> None:
        """Replace the file when there is news; a directory that cannot be written is no error."""
        # Nothing was read anew, but directories may be gone: then the file is written without them.
        if not self._changed and self._kept.keys() == self._loaded.keys():
            return
        document = {"migsync": own_source(*ROOMS), "directories": self._kept}
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_file(self.path, json.dumps(document, separators=(",", ":")).encode(), durable=False)


def now() -> int:
    """The time for :meth:`Cache.put`, taken before the file is looked at."""
    return time.time_ns()


def _tick(stamp: Stamp) -> int:
    """A bound for the resolution of the clock that set the stamp: whole seconds come from a coarse one (FAT: 2 s)."""
    return 2_500_000_000 if stamp.mtime % 1_000_000_000 == 0 else 100_000_000


def _stored(header: Header) -> list[Any]:
    """The source, and the fields up to the last that is not at its default: of most files, the dependencies alone."""
    *fields, source = header
    while len(fields) > 1 and fields[-1] == _DEFAULTS[len(fields) - 1]:
        fields.pop()
    return [source, *fields]


def _header(entry: list[Any]) -> Header:
    # An entry is size, mtime and ctime, then the source and the other fields of Header.
    source = entry[3]
    dependencies = tuple([Key(*pair) for pair in entry[4]])
    if len(entry) == 5:
        return Header(dependencies, source=source)
    fields = [*entry[5:], *_DEFAULTS[len(entry) - 4 : -1]]
    run_before, replaces, initial, atomic, operations, problems = fields
    return Header(
        dependencies,
        tuple([Key(*pair) for pair in run_before]),
        tuple([Key(*pair) for pair in replaces]),
        initial,
        atomic,
        operations,
        tuple([Problem(*pair) for pair in problems]),
        source,
    )
