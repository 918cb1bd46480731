"""Run ids that were made and whose end is not known: what `migsync recover` asks the databases about.

An id is kept from before the first statement of its run until the outcome is known. It is one small file, so that a
command that is killed leaves it behind.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Pending:
    """The files of one project's pending runs, in `directory`. Where nothing can be written, nothing is kept."""

    directory: Path

    @classmethod
    def beside(cls, cache: Path) -> Pending:
        """The pending runs of the project that has this cache file."""
        return cls(cache.with_name(f"{cache.stem}.pending"))

    def add(self, alias: str, run_id: str) -> None:
        """Keep a run id. A read-only home must not keep anybody from applying, so this never fails."""
        with contextlib.suppress(OSError):
            self.directory.mkdir(parents=True, exist_ok=True)
            self._path(run_id).write_text(json.dumps({"alias": alias, "run": run_id}), encoding="utf-8")

    def discard(self, run_id: str) -> None:
        """Forget a run id: its outcome is known."""
        with contextlib.suppress(OSError):
            self._path(run_id).unlink(missing_ok=True)

    def all(self) -> list[tuple[str, str]]:
        """(alias, run id) of every pending run, the oldest first."""
        paths = sorted(self.directory.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
        found = []
        for path in paths:
            try:
                document = json.loads(path.read_text(encoding="utf-8"))
                found.append((str(document["alias"]), str(document["run"])))
            except (ValueError, KeyError, TypeError):  # cut off by a full disk: its run had not begun
                path.unlink(missing_ok=True)
        return found

    def _path(self, run_id: str) -> Path:
        return self.directory / f"{run_id}.json"
