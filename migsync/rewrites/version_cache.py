"""The file in which :mod:`~migsync.rewrites.version_index` keeps what it knows between two commands.

Its first line is what a command needs while neither files nor branches change; the second is all that git said. The
file may be deleted at any time, and whatever is not sound counts as none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from migsync.filesystem.atomic import write_file
from migsync.filesystem.boundary import read_regular
from migsync.filesystem.own_source import own_source
from migsync.rewrites.file_versions import FileVersion
from migsync.rewrites.version_log import LoggedVersion, Tips, VersionLog

ROOMS = ("history", "rewrites")
SOUND = (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError)
"""What is raised by a file that is missing or is not a cache."""


class OpenFiles(NamedTuple):
    """The files of one app of which git holds another content than that on disk, or none, by name.

    `disk` is a digest of the files on disk of which this is true, `directory` where they are in the repository.
    """

    directory: str
    disk: str
    files: Mapping[str, Sequence[FileVersion]]


@dataclass
class VersionCache:
    """What is loaded and saved. `changed` says that it is worth saving.

    `tips` and the `directories` that were looked at are by repository, `open` by app.
    """

    path: Path | None
    tips: dict[str, Tips] = field(default_factory=dict)
    directories: dict[str, frozenset[str]] = field(default_factory=dict)
    open: dict[str, OpenFiles] = field(default_factory=dict)
    changed: bool = False
    _rest: bytes = b""
    _log: _Log | None = None

    def load(self) -> None:
        """Read the first line."""
        with suppress(*SOUND):
            first, _, self._rest = read_regular(self.path).partition(b"\n") if self.path else (b"{}", b"", b"")
            document = json.loads(first)
            if document["migsync"] == own_source(*ROOMS) and document["rest"] == len(self._rest):
                self.tips = {top: _tips(each) for top, each in document["tips"].items()}
                self.directories = {top: frozenset(each) for top, each in document["directories"].items()}
                self.open = {app: _open(*each) for app, each in document["open"].items()}
            else:
                self._rest = b""

    def save(self) -> None:
        """Write the file where anything is new; that it cannot be written is no matter."""
        if self.path is None or not self.changed:
            return
        head: dict[str, Any] = {
            "migsync": own_source(*ROOMS),
            "tips": {top: [each.head, each.all, each.shallow] for top, each in self.tips.items()},
            "directories": {top: sorted(each) for top, each in self.directories.items()},
            "open": {app: [each.directory, each.disk, each.files] for app, each in self.open.items()},
        }
        log = self.log
        rest = {
            "logs": {top: [each.versions, sorted(each.line)] for top, each in log.logs.items()},
            "sources": log.sources,
            "alike": sorted(log.alike),
        }
        second = _text(rest)
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_file(self.path, _text({**head, "rest": len(second)}) + b"\n" + second, durable=False)

    @property
    def log(self) -> _Log:
        """The second line, decoded when it is first needed."""
        if self._log is None:
            self._log = _Log()
            with suppress(*SOUND):
                document = json.loads(self._rest)
                logs = {top: _decoded(self.tips[top], *each) for top, each in document["logs"].items()}
                self._log = _Log(logs, dict(document["sources"]), set(document["alike"]))
        return self._log


@dataclass
class _Log:
    """All that git said.

    `sources` are the digests of files by blob. `alike` are pairs of a blob and the digest of another file, with the
    app, which no database can tell apart: ``shop BLOB SOURCE``.
    """

    logs: dict[str, VersionLog] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    alike: set[str] = field(default_factory=set)


def _text(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def _tips(row: Sequence[Any]) -> Tips:
    head, every, shallow = row
    return Tips(head, tuple(every), bool(shallow))


def _open(directory: str, disk: str, files: Mapping[str, Sequence[Sequence[Any]]]) -> OpenFiles:
    return OpenFiles(directory, disk, {name: [FileVersion(*row) for row in rows] for name, rows in files.items()})


def _decoded(tips: Tips, versions: Mapping[str, Any], line: Sequence[str]) -> VersionLog:
    found = {
        directory: {
            name: [LoggedVersion(FileVersion(*version), str(commit)) for version, commit in rows]
            for name, rows in files.items()
        }
        for directory, files in versions.items()
    }
    return VersionLog(tips, found, frozenset(line))
