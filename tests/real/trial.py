"""Every command that changes files, tried on one project on one engine: what it said, and whether all comes back."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.databases import Database
from tests.real.disorder import bring_ends, bring_forks, bring_gaps
from tests.real.project import ENVIRONMENT, Kind, RealProject, make_project, use_databases

UNPROVEN = ("--no-prove-schema", "--no-prove-transition")
"""The proofs run every migration on a scratch database; one of the two ways to squash is proven."""

Tree = dict[str, tuple[bytes, int]]
Rows = list[tuple[str, str, str, str]]


def bring_gaps_and_forks(history: Path) -> None:
    """Every number is multiplied by ten, and there are forks with merges."""
    bring_gaps(history)
    bring_forks(history)


COMMANDS: dict[str, tuple[tuple[str, ...], Callable[[Path], object]]] = {
    "linearize": (("linearize",), bring_gaps_and_forks),
    "renumber": (("renumber",), bring_gaps),
    "fix-conflicts": (("fix-conflicts",), bring_ends),
    "squash --suggest": (("squash", "--suggest"), lambda _: None),
    "squash --all-safe": (("squash", "--all-safe"), lambda _: None),
    "squash --all-safe --keep-replaces": (("squash", "--all-safe", "--keep-replaces", *UNPROVEN), lambda _: None),
    "tidy": (("tidy", "--remove-replaced"), lambda _: None),
    "remake": (("remake",), lambda _: None),
}
"""By name: the arguments, and the disorder that the files are brought into first."""
ONLY_LOOKS = ("squash --suggest",)
PENDING = ("fix-conflicts",)
"""The branches that this makes are recorded nowhere."""


@dataclass(frozen=True)
class Ended:
    """How one command ended: its exit status, what it said, and the seconds that it took."""

    status: int
    said: str
    seconds: float


@dataclass(frozen=True)
class Attempt:
    """One command on one project. `wrong` is empty where all was as promised."""

    command: str
    ended: Ended
    files: int
    left: int
    wrong: str = ""

    @property
    def result(self) -> str:
        """In short, for a table."""
        if self.wrong:
            return f"WRONG: {self.wrong}"
        if self.ended.status:
            return "refused: " + " ".join(reasons(self.ended.said))
        return f"{self.files} to {self.left} files" if self.files != self.left else "done"


def reasons(said: str) -> list[str]:
    """The first line of each refusal."""
    return list(dict.fromkeys(re.findall(r"^(?:Refused|Error|Blocked)\b:?\s*(.*)", said, re.MULTILINE)))


@dataclass
class Trial:
    """A template of the project, with every migration recorded, that each command gets a copy of."""

    kind: Kind
    directory: Path
    database: Database

    def prepare(self) -> None:
        """Write the project once."""
        root = self.directory / "template"
        root.mkdir()
        self.template = make_project(root, {"default": self.database}, self.kind)

    def attempt(self, name: str) -> Attempt:
        """Run one command on a copy, and look at what it left; then take it back."""
        command, disorder = COMMANDS[name]
        root = self.directory / re.sub(r"\W+", "_", name)
        shutil.copytree(self.template.root, root, ignore=shutil.ignore_patterns("__pycache__"))
        project = RealProject(root, self.kind)
        use_databases(project, {"default": self.database})
        self.empty()
        if name in PENDING:
            project.record(["default"])
            disorder(project.history)
        else:
            disorder(project.history)
            try:
                project.record(["default"])
            except AssertionError:  # where a dependency is computed, renaming by hand breaks it: as the files are, then
                shutil.rmtree(project.history)
                shutil.copytree(self.template.history, project.history)
                self.empty()
                project.record(["default"])
        before, rows, count = tree(project), self.database.dump(), files(project)
        options = () if name in ONLY_LOOKS else ("--update-db", "--noinput")
        ended = migsync(project, *command, *options)
        left = files(project)
        (root / "said.txt").write_text(ended.said)
        found = [*self.faults(project, name, ended, before, rows)]
        return Attempt(name, ended, count, left, "; ".join(found))

    def faults(self, project: RealProject, name: str, ended: Ended, before: Tree, rows: Rows) -> Iterator[str]:
        """What is not as it must be."""
        if "Traceback" in ended.said or ended.status not in (0, 1):
            yield f"ended with {ended.status}: {ended.said.strip().splitlines()[-1]}"
        changed = tree(project) != before
        if changed and (ended.status or name in ONLY_LOOKS):
            yield "files changed"
        if ended.status == 0:
            plan = migsync(project, "plan", "--check")
            if plan.status:
                yield f"plan: {plan.said[-300:]}"
        if changed:
            undone = migsync(project, "undo", "--noinput", "--files")
            if undone.status:
                yield f"undo: {undone.said[-300:]}"
            after = tree(project)
            if differ := sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name)):
                yield f"files after undo: {differ[:5]}"
        if self.database.dump() != rows:
            yield "rows differ"

    def empty(self) -> None:
        """No records, and no journal."""
        query = {
            "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
            "postgresql": "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()",
        }[self.database.engine]
        ours = [row[0] for row in self.database.execute(query) if row[0].startswith(("migsync_", "django_migrations"))]
        for table in sorted(ours, key=lambda name: name != "migsync_change"):
            self.database.execute(
                f'DROP TABLE "{table}"' + (" CASCADE" if self.database.engine == "postgresql" else "")
            )
        self.database.create_table()


def migsync(project: RealProject, *arguments: str) -> Ended:
    """Run migsync, whatever it says."""
    started = time.perf_counter()
    done = subprocess.run(
        [project.kind.python, "-m", "migsync", *arguments],
        cwd=project.root,
        env=os.environ | ENVIRONMENT | dict(project.kind.environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Ended(done.returncode, done.stdout, time.perf_counter() - started)


def tree(project: RealProject) -> Tree:
    """Every file of the history and its mode; Python's own aside."""
    paths = [path for path in project.history.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return {str(path.relative_to(project.history)): (path.read_bytes(), path.stat().st_mode) for path in paths}


def files(project: RealProject) -> int:
    """How many migrations there are."""
    return len(list(project.history.glob("*/[0-9]*.py")))
