"""How soon ``migsync --version`` and ``--help`` answer, compared with a Python that imports click."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from tests.benchmarks.measuring import Command, measure, ratio, table

MARK = 2.5


def report(times: int) -> str:
    """The table; `times` runs of each command."""
    directory = Path.home()
    program = shutil.which("migsync", path=str(Path(sys.executable).parent)) or "migsync"
    click = "python -c 'import click'"
    commands = [
        Command(click, [sys.executable, "-c", "import click"], directory),
        Command("migsync --version", [program, "--version"], directory),
        Command("migsync --help", [program, "--help"], directory),
        Command("migsync plan --help", [program, "plan", "--help"], directory),
    ]
    measure(commands, 2)  # so that every .pyc is there
    figures = measure(commands, times)
    floor = figures[click]
    rows = [
        [
            f"`{found.name}`",
            f"{found.wall * 1000:.0f} ms",
            ratio(found.wall / floor.wall),
            ratio(found.work / floor.work),
        ]
        for found in figures.values()
    ]
    return table(["", "by the clock", "ratio", "ratio of work"], rows)
