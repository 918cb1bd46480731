"""How soon ``migsync --version``, ``--help`` and the shell's Tab are answered, beside a Python that imports click."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from tests.benchmarks.measuring import Command, measure, ratio, table
from tests.benchmarks.planning import Project

MARK = 2.5


def report(project: Project, times: int) -> str:
    """The table; `times` runs of each command. Tab is pressed in the `project`, which a command has seen."""
    directory = Path.home()
    program = shutil.which("migsync", path=str(Path(sys.executable).parent)) or "migsync"
    click = "python -c 'import click'"
    commands = [
        Command(click, [sys.executable, "-c", "import click"], directory),
        Command("migsync --version", [program, "--version"], directory),
        Command("migsync --help", [program, "--help"], directory),
        Command("migsync plan --help", [program, "plan", "--help"], directory),
        *(
            Command(f"{typed}<Tab>", [program], project.root, environment=project.environment | asked(typed))
            for typed in ("migsync pl", "migsync plan -d ", "migsync undo ", "migsync plan --map ")
        ),
    ]
    measure([project.plan("plan")], 1)
    measure(commands, 2)  # so that every .pyc is there
    figures = measure(commands, times)
    floor = figures[click]
    rows = [
        [
            f"`{found.name}`",
            f"{found.wall * 1000:.0f} ms",
            f"{found.work * 1000:.0f} ms",
            ratio(found.wall / floor.wall),
            ratio(found.work / floor.work),
        ]
        for found in figures.values()
    ]
    return table(["", "by the clock", "work", "ratio", "ratio of work"], rows)


def asked(typed: str) -> dict[str, str]:
    """What bash tells, with the cursor behind `typed`."""
    return {"_MIGSYNC_COMPLETE": "bash_complete", "COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))}
