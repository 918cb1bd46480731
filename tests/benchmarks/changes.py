"""Plans with something to do: 3,000 names changed by a rewrite, and names changed by hand that only git explains."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from tests.benchmarks.measuring import Command, measure, ratio, table
from tests.benchmarks.planning import Project

PAIR = re.compile(r"""\((['"])(\w+)\1, (['"])(\w+)\3\)""")
GIT = ["git", "-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost", "-c", "gc.auto=0"]


def names_of(project: Project) -> dict[str, list[str]]:
    """Every app with the names of its migrations."""
    return {
        directory.parent.name: sorted(file.stem for file in directory.glob("[0-9]*.py"))
        for directory in sorted(project.root.glob("*/migrations"))
    }


def shift(project: Project, apps: Collection[str]) -> dict[tuple[str, str], str]:
    """Number all migrations of these apps one higher, in files and references; the answer is what became of whom."""
    names = names_of(project)
    new = {(app, name): f"{int(name[:4]) + 1:04d}{name[4:]}" for app in apps for name in names[app]}

    def renamed(found: re.Match[str]) -> str:
        app, name = found[2], found[4]
        return f'("{app}", "{new.get((app, name), name)}")'

    for app, found in names.items():
        directory = project.root / app / "migrations"
        texts = {name: (directory / f"{name}.py").read_text() for name in found}
        for name, text in texts.items():
            changed = PAIR.sub(renamed, text)
            if app in apps:
                (directory / f"{name}.py").unlink()
            elif changed == text:
                continue
            texts[name] = changed
        for name, text in texts.items():
            (directory / f"{new.get((app, name), name)}.py").write_text(text)
    return new


def copied(project: Project, name: str) -> Project:
    """A copy of the project, to be changed."""
    copy = replace(project, root=project.root.with_name(name), cache=project.cache.with_name(f"cache-{name}"))
    shutil.copytree(project.root, copy.root, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def apps_with(project: Project, count: int) -> list[str]:
    """So many apps, the first in the alphabet, that they have `count` migrations."""
    chosen: list[str] = []
    for app, names in names_of(project).items():
        if count <= 0:
            break
        chosen.append(app)
        count -= len(names)
    return chosen


def report(project: Project, times: int, *, rewritten: int = 3000, unexplained: int = 10) -> str:
    """Each plan beside the warm plan of the same project with nothing to do."""
    nothing = project.plan("nothing to do")
    by_rewrite = copied(project, "by-rewrite")
    new = shift(by_rewrite, apps_with(by_rewrite, rewritten))
    by_rewrite_command = by_rewrite.plan(f"{len(new):,} names changed by a rewrite")
    rewrite = write_rewrite(by_rewrite, new)

    by_hand = copied(project, "by-hand")
    commit(by_hand.root)
    apps = list(names_of(by_hand))
    chosen = apps[:: max(1, len(apps) // unexplained)][:unexplained]
    moved = shift(by_hand, chosen)
    by_hand_command = by_hand.plan(f"{len(moved)} names changed by hand in {len(chosen)} apps, explained by git")
    written = measure([rewrite], 1)
    commands = [nothing, by_rewrite_command, by_hand_command]
    measure(commands, 1)
    figures = {**measure(commands, times), **written}
    floor = figures[nothing.name]
    return table(
        ["`migsync plan`, warm", "by the clock", "work", "peak memory", "ratio of work"],
        [
            [
                found.name,
                f"{found.wall:.2f} s",
                f"{found.work:.2f} s",
                f"{found.peak:.0f} MiB",
                ratio(found.work / floor.work),
            ]
            for found in figures.values()
        ],
    )


def write_rewrite(project: Project, new: dict[tuple[str, str], str]) -> Command:
    """``migsync rewrite`` with every change of a name stated."""
    maps = [word for (app, old), name in new.items() for word in ("--map", f"{app}.{old}={name}")]
    return Command(
        f"(`migsync rewrite` with {len(new):,} times `--map`)",
        [sys.executable, "-m", "migsync", "rewrite", *maps],
        project.root,
        environment=project.environment,
    )


def commit(root: Path) -> None:
    """Put every file into a new repository."""

    def git(*arguments: str) -> Sequence[str]:
        return [*GIT, "-C", str(root), *arguments]

    subprocess.run(git("init", "--quiet"), check=True)
    subprocess.run(git("add", "--all", "--", ":!*.sqlite3"), check=True)
    subprocess.run(git("commit", "--quiet", "--message", "As recorded"), check=True)
