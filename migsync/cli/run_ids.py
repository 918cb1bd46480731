"""The ids of the runs of one command: each is kept as pending before its run begins, and until its outcome is known.

To write and sync a file takes longer than much of a small run. So where many targets are changed, the ids of those that
come next are written together. A command that is killed leaves the ids of some runs that never began; no database has
them, which is what ``migsync recover`` says.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from threading import Lock

from migsync.cli.recovery import PendingRuns

TOGETHER = 50
"""So many ids are in one file at most."""


class RunIds:
    """Gives each run its id; used by several threads."""

    def __init__(self, pending: PendingRuns, *, journaled: bool) -> None:
        self._pending = pending
        self._journaled = journaled
        self._next: Iterator[str] = iter(())
        self._given: dict[str, str] = {}
        self._file: dict[str, Path] = {}
        self._left: dict[Path, set[str]] = {}
        self._lock = Lock()

    def expect(self, aliases: Sequence[str]) -> None:
        """Runs of these targets begin next, in this order."""
        self._next = iter(aliases)

    def begin(self, alias: str) -> str:
        """The id of a run that begins now: it is on the disk."""
        with self._lock:
            if alias not in self._given and not self._keep_with_next(alias):
                run_id = uuid.uuid4().hex
                self._pending.add(alias, run_id, journaled=self._journaled)
                return run_id
            return self._given.pop(alias)

    def _keep_with_next(self, alias: str) -> bool:
        """Keep ids for this target and those that come next; False where it is not expected, or is alone."""
        while some := list(islice(self._next, TOGETHER)):
            if alias not in some:  # not begun, and skipped: --max-failures, or a canary that failed
                continue
            if len(some) == 1:
                return False
            ids = {uuid.uuid4().hex: each for each in some}
            path = self._pending.add_all(ids, journaled=self._journaled)
            self._left[path] = set(ids)
            self._file |= dict.fromkeys(ids, path)
            self._given |= {each: run_id for run_id, each in ids.items()}
            return True
        return False

    def end(self, run_id: str) -> None:
        """The outcome of the run is known."""
        with self._lock:
            path = self._file.pop(run_id, None)
            if path is None:
                self._pending.discard(run_id)
                return
            self._left[path].discard(run_id)
            if not self._left[path]:
                self._pending.discard(path.stem)

    def doubt(self, alias: str, run_id: str) -> None:
        """The outcome of the run is not known: it stays pending."""
        self._pending.add(alias, run_id, journaled=self._journaled)
        if run_id in self._file:
            self.end(run_id)

    def close(self) -> None:
        """No other run begins, and all that began have ended or are in doubt."""
        with self._lock:
            for path, left in self._left.items():
                if left:
                    self._pending.discard(path.stem)
