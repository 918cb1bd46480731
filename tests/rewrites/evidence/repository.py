"""A real git repository with one Django app, changed by hand as people change it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from migsync.history import App, History, read_history
from migsync.rewrites.evidence.database import AppRecords
from migsync.rewrites.evidence.evidence import Evidence, find_evidence
from migsync.rewrites.evidence.past_files import PastFiles
from migsync.rewrites.git import GitHistory

GIT = [
    "git",
    "-c",
    "user.name=Ada",
    "-c",
    "user.email=ada@example.org",
    "-c",
    "init.defaultBranch=main",
    "-c",
    "commit.gpgsign=false",
    "-c",
    "core.hooksPath=/dev/null",
]


class Project:
    """An app `shop` whose migration files are written with :meth:`write` and which git sees with :meth:`commit`."""

    def __init__(self, root: Path, directory: str = "shop/migrations", git: bool = True) -> None:
        self.root = root
        self.migrations = root / directory
        self.migrations.mkdir(parents=True, exist_ok=True)
        (self.migrations / "__init__.py").touch()
        self.app = App("shop", str(self.migrations))
        if git:
            self.git("init", "-q")

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        environment |= {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "TZ": "UTC"}
        done = subprocess.run(
            [*GIT, *arguments], cwd=cwd or self.root, check=True, capture_output=True, text=True, env=environment
        )
        return done.stdout

    def commit(self, message: str = "work") -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)

    def write(
        self, name: str, *after: str, op: str | None = "", replaces: Iterable[str] = (), others: Iterable[str] = ()
    ) -> None:
        """One file that comes after others. `op` names its operations (its own name by default), None: it has none."""
        (self.migrations / f"{name}.py").write_text(source(after, name if op == "" else op, replaces, others))

    def rename(self, old: str, new: str, *after: str) -> None:
        """Rename a file and put it after others, as a person does by hand."""
        path = self.migrations / f"{old}.py"
        text = path.read_text()
        path.unlink()
        start, rest = text.split("    dependencies = ", 1)
        (self.migrations / f"{new}.py").write_text(
            f"{start}    dependencies = {_dependencies(after)}\n{rest.split(chr(10), 1)[1]}"
        )

    def delete(self, *names: str) -> None:
        for name in names:
            (self.migrations / f"{name}.py").unlink()

    def history(self) -> History:
        return read_history([self.app])

    def evidence(self, *recorded: str, stated: Sequence[Mapping[str, str]] = ()) -> Evidence:
        with GitHistory([self.app]) as git:
            return find_evidence(
                self.history(),
                "shop",
                AppRecords(recorded),
                PastFiles(lambda: git.of("shop"), lambda: git.abandoned("shop")),
                stated,
            )


def source(
    after: Iterable[str],
    op: str | None,
    replaces: Iterable[str] = (),
    others: Iterable[str] = (),
    wording: int = 0,
) -> str:
    reverse = f", '-- {wording}'" if wording else ""
    body = "" if op is None else f"migrations.RunSQL(\"SELECT '{op}'\"{reverse}),"
    listed = [("shop", name) for name in replaces]
    return f"""from django.db import migrations


class Migration(migrations.Migration):
    dependencies = {_dependencies(after, others)}
    replaces = {listed}
    operations = [{body}]
"""


def _dependencies(after: Iterable[str], others: Iterable[str] = ()) -> str:
    return str([("shop", name) for name in after] + [(app, "0001_initial") for app in others])
