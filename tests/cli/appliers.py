"""A process that runs ``migsync apply`` again and again, at the same moments as others."""

from __future__ import annotations

import threading
from pathlib import Path
from queue import Queue

import migsync.cli.plan_set
import migsync.sync.apply
import migsync.sync.journal.schema  # noqa: F401 -- imported before the fork, so that all appliers start at once
from tests.cli.entries import Project


def apply_repeatedly(root: Path, rounds: int, barrier: threading.Barrier, results: Queue[tuple[int, str, str]]) -> None:
    """In each round wait for the others, apply, and put (exit status, what became of the database, what was said)."""
    for _ in range(rounds):
        barrier.wait()
        ended = Project(root).run("apply", "--noinput", "--lock-timeout", "120", "--format", "json")
        databases = ended.json.get("databases", []) if ended.out else []
        status = databases[0]["status"] if databases else "nothing to do"
        results.put((ended.status, status, f"{ended.out}{ended.err}"))
