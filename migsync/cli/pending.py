"""Run ids that were made and whose end is not known: what `migsync recover` asks the databases about.

An id is kept from before the first statement of its run until the outcome is known. It is one small file, so that a
command that is killed leaves it behind. The directory may be inside the project and have come with it, so only files
with the name and the content that migsync gives them are read, and no others are removed.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from migsync.decoder import Fields, boolean, load_json
from migsync.filesystem.atomic import write_file
from migsync.filesystem.boundary import hexadecimal_id, plain_text, read_regular

LIMIT = 10_000
"""The largest file that is read, in bytes."""


@dataclass(frozen=True)
class PendingRun:
    """One run. `journaled` is False for a run that writes no journal, and where an older migsync did not say."""

    alias: str
    id: str
    journaled: bool


@dataclass(frozen=True)
class Pending:
    """The files of one project's pending runs, in `directory`. Where nothing can be written, nothing is kept."""

    directory: Path

    @classmethod
    def beside(cls, cache: Path) -> Pending:
        """The pending runs of the project that has this cache file."""
        return cls(cache.with_name(f"{cache.stem}.pending"))

    def add(self, alias: str, run_id: str, *, journaled: bool = True) -> None:
        """Keep a run id. A read-only home must not keep anybody from applying, so this never fails."""
        document = json.dumps({"alias": alias, "run": run_id, "journaled": journaled})
        with contextlib.suppress(OSError):
            self.directory.mkdir(parents=True, exist_ok=True)
            write_file(self._path(run_id), document.encode())

    def discard(self, run_id: str) -> None:
        """Forget a run id: its outcome is known."""
        with contextlib.suppress(OSError):
            self._path(run_id).unlink(missing_ok=True)

    def all(self) -> list[PendingRun]:
        """Every pending run, the oldest first."""
        return [run for _, run in sorted(self._read(), key=lambda each: each[0])]

    def _read(self) -> Iterator[tuple[int, PendingRun]]:
        if self.directory.is_symlink():
            return
        for path in self.directory.glob("*.json"):
            with contextlib.suppress(OSError, ValueError):
                yield path.lstat().st_mtime_ns, _run(path)

    def _path(self, run_id: str) -> Path:
        return self.directory / f"{hexadecimal_id(run_id)}.json"


def _run(path: Path) -> PendingRun:
    """What one file says. Raises OSError and ValueError."""
    fields = Fields(load_json(read_regular(path, LIMIT).decode()), ("alias", "run"), ("journaled",))
    run = PendingRun(
        fields.get("alias", plain_text), fields.get("run", hexadecimal_id), fields.get_or("journaled", boolean, False)
    )
    if path.stem != run.id:
        raise ValueError(f"{path} is about the run {run.id}")
    return run
