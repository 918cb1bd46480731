"""Runs the demo's commands as a person would type them, and checks what each one did."""

from __future__ import annotations

import os
import shlex
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TypeAlias

from migsync.errors import MigsyncError

Rows: TypeAlias = list[tuple[object, ...]]

REPEATED = 12
"""So many lines in a row that were shown before are not shown again."""


class DemoFailed(MigsyncError):
    """A step of the demo did not do what the demo says it does."""

    default_hint = "This is a bug in migsync, or a problem of this environment. Please report it with the output above."


@dataclass(frozen=True)
class Stage:
    """A directory to run commands in; `say` shows a remark, `type_` a command, `show` what a command wrote.

    `environment` is what the commands have beside the variables of this process.
    """

    root: Path
    say: Callable[[str], None]
    type_: Callable[[str], None]
    show: Callable[[str], None]
    environment: Mapping[str, str] = field(default_factory=dict)
    _shown: set[str] = field(default_factory=set)

    def run(self, command: str, *, status: int = 0, seen: Iterable[str] = (), unseen: Iterable[str] = ()) -> str:
        """Run one command line and show its real output, without the parts that an earlier one has shown.

        `python` is this interpreter and `migsync` this migsync, whatever PATH holds. Raises DemoFailed for another
        exit status, a text of `seen` that is not in the output, or one of `unseen` that is.
        """
        self.type_(command)
        ended = subprocess.run(  # noqa: S603 (the demo's own commands)
            _arguments(command),
            cwd=self.root,
            env={**_environment(), **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        self.show(self._without_repeated(ended.stdout))
        self._check(command, ended.returncode == status, f"it ended with {ended.returncode}, not {status}")
        for text in seen:
            self._check(command, text in ended.stdout, f"its output does not have {text!r}")
        for text in unseen:
            self._check(command, text not in ended.stdout, f"its output has {text!r}")
        return ended.stdout

    def _without_repeated(self, output: str) -> str:
        lines = output.splitlines(keepends=True)
        kept: list[str] = []
        for known, group in groupby(lines, lambda line: not line.strip() or line in self._shown):
            part = list(group)
            if known and len(part) >= REPEATED:
                part = [part[0], f"\u2026 ({len(part) - 1} lines as before)\n\n"]
            kept += part
        self._shown.update(lines)
        return "".join(kept)

    def records(self, database: str) -> Rows:
        """Every row of one database's django_migrations, `applied` as the text that it is."""
        with closing(sqlite3.connect(self.root / f"{database}.sqlite3")) as connection:
            return connection.execute(
                "SELECT id, app, name, CAST(applied AS TEXT) FROM django_migrations ORDER BY id"
            ).fetchall()

    def require(self, truth: bool, what: str) -> None:
        """Raise DemoFailed unless `truth`."""
        if not truth:
            raise DemoFailed(f"The demo went wrong: {what}.", f"Its files are in {self.root}.")

    def _check(self, command: str, truth: bool, what: str) -> None:
        self.require(truth, f"after `{command}`, {what}")


def keep_in_git(root: Path) -> bool:
    """Commit the project, where git is installed: what is in git, migsync can compare. False where it is not."""
    if not shutil.which("git"):
        return False
    # A new machine has no user.name, and git then refuses to commit. A signature would ask for a passphrase.
    identity = ("-c", "user.name=demo", "-c", "user.email=demo@example.com", "-c", "commit.gpgsign=false")
    for arguments in (("init", "-q"), ("add", "."), (*identity, "commit", "-q", "-m", "The shop as it was")):
        ended = subprocess.run(["git", *arguments], cwd=root, capture_output=True, check=False)  # noqa: S603, S607
        if ended.returncode:
            return False
    return True


def _arguments(command: str) -> list[str]:
    program, *arguments = shlex.split(command)
    programs = {"python": [sys.executable], "migsync": [sys.executable, "-m", "migsync"]}
    return [*programs[program], *arguments]


def _environment() -> dict[str, str]:
    """The environment without what would point the commands to another project or change how they write."""
    passed_on = {
        name: value for name, value in os.environ.items() if name not in {"DJANGO_SETTINGS_MODULE", "FORCE_COLOR"}
    }
    return {**passed_on, "PYTHONIOENCODING": "utf-8", "PYTHONDONTWRITEBYTECODE": "1"}
