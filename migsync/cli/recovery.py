"""What an earlier command left unfinished: runs whose outcome is not known, and an interrupted change of files.

A run id is kept from before the first statement of its run until the outcome is known. It is in a small file, alone or
with those of runs that begin soon after it (:mod:`migsync.cli.run_ids`), so that a command that is killed leaves it
behind; ``migsync recover`` asks the databases about it. The directory may be inside
the project and have come with it, so only files with the name and the content that migsync gives them are read, and no
others are removed.

Every command settles an interrupted change of files first, before it reads any migration.
"""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from migsync.cli.output import Output
from migsync.cli.views.blocks import line
from migsync.decoder import Fields, array, boolean, load_json
from migsync.errors import Unsettled
from migsync.files.state_directory import is_open
from migsync.filesystem.atomic import write_file
from migsync.filesystem.boundary import hexadecimal_id, plain_text, read_regular

if TYPE_CHECKING:
    from migsync.files.commit import Settlement
    from migsync.project import Project

LIMIT = 100_000
"""The largest file that is read, in bytes."""


@dataclass(frozen=True)
class PendingRun:
    """One run. `journaled` is False for a run that writes no journal, and where an older migsync did not say."""

    alias: str
    id: str
    journaled: bool

    def as_dict(self) -> dict[str, object]:
        """The run as JSON values."""
        return {"alias": self.alias, "run": self.id, "journaled": self.journaled}


@dataclass(frozen=True)
class PendingRuns:
    """The files of one project's pending runs, in `directory`. Where nothing can be written, nothing is kept."""

    directory: Path

    @classmethod
    def beside(cls, cache: Path) -> PendingRuns:
        """The pending runs of the project that has this cache file."""
        return cls(cache.with_name(f"{cache.stem}.pending"))

    def add(self, alias: str, run_id: str, *, journaled: bool = True) -> None:
        """Keep a run id. A read-only home must not keep anybody from applying, so this never fails."""
        self._write(self._path(run_id), PendingRun(alias, run_id, journaled).as_dict())

    def add_all(self, runs: Mapping[str, str], *, journaled: bool) -> Path:
        """Keep the ids of several runs, each with its alias, in one file: to sync a file for each takes longer."""
        path = self._path(uuid.uuid4().hex)
        self._write(path, {"runs": [PendingRun(alias, run, journaled).as_dict() for run, alias in runs.items()]})
        return path

    def discard(self, run_id: str) -> None:
        """Forget a run id: its outcome is known."""
        with contextlib.suppress(OSError):
            self._path(run_id).unlink(missing_ok=True)

    def forget(self, runs: Collection[PendingRun]) -> None:
        """The same for runs that were read; some of them may be in a file with others."""
        for path, held in self._files():
            left = [each for each in held if each not in runs]
            if not left:
                self.discard(path.stem)
            elif left != held:
                self._write(path, {"runs": [each.as_dict() for each in left]})

    def all(self) -> list[PendingRun]:
        """Every pending run, the oldest first; each once."""
        return list(dict.fromkeys(run for _, runs in self._files() for run in runs))

    def _files(self) -> list[tuple[Path, list[PendingRun]]]:
        """The files, the oldest first, with the runs in each."""
        return [(path, runs) for _, path, runs in sorted(self._read(), key=lambda each: each[0])]

    def _read(self) -> Iterator[tuple[int, Path, list[PendingRun]]]:
        if self.directory.is_symlink():  # it may have come with the project, and lead anywhere
            return
        for path in self.directory.glob("*.json"):
            # A file that migsync has not written like this is none of ours: it is neither believed nor removed.
            with contextlib.suppress(OSError, ValueError):
                yield path.lstat().st_mtime_ns, path, _runs(path)

    def _write(self, path: Path, document: Mapping[str, object]) -> None:
        with contextlib.suppress(OSError):
            self.directory.mkdir(parents=True, exist_ok=True)
            write_file(path, json.dumps(document).encode())

    def _path(self, run_id: str) -> Path:
        return self.directory / f"{hexadecimal_id(run_id)}.json"


def _runs(path: Path) -> list[PendingRun]:
    """What one file says. Raises OSError and ValueError."""
    document = load_json(read_regular(path, LIMIT).decode())
    if isinstance(document, dict) and "runs" in document:
        hexadecimal_id(path.stem)
        return list(Fields(document, ("runs",)).get("runs", array(_run)))
    run = _run(document)
    # discard() finds a file by the run's id. Under another name it would stay, and be reported again for ever.
    if path.stem != run.id:
        raise ValueError(f"{path} is about the run {run.id}")
    return [run]


def _run(document: object) -> PendingRun:
    fields = Fields(document, ("alias", "run"), ("journaled",))
    return PendingRun(
        fields.get("alias", plain_text), fields.get("run", hexadecimal_id), fields.get_or("journaled", boolean, False)
    )


def settle_files(output: Output, project: Project, *, dry_run: bool = False) -> Settlement | None:
    """Finish an interrupted change of files, or take it back, as the databases say; report it on standard error.

    None where no change is open.

    Raises Unsettled in a dry run, and where it cannot be done; InDoubt when a database must be asked and cannot tell.
    """
    # One look at the disk, before anything is imported: nearly always there is nothing to settle.
    if not is_open(project.root):
        return None
    from migsync.files.commit import journals_of, recover_files

    if dry_run:
        raise Unsettled(
            "An earlier change of migration files was interrupted.",
            "A dry run neither finishes nor reverts it.",
            "Run: migsync recover",
        )
    settled = recover_files(project.root, journals_of(project), timeout=project.lock_timeout)
    if settled:
        output.tell([line(_words(settled))])
    return settled


def _words(settled: Settlement) -> str:
    """What was settled, as a sentence."""
    if settled.forward:
        return f"{settled.command} was interrupted earlier and is finished now: the new files are in place."
    return f"{settled.command} was interrupted earlier and is reverted now: the old files are in place."
