"""``migsync graph`` and ``migsync squash --suggest`` on a big project, against Django's ``showmigrations``."""

from __future__ import annotations

from tests.benchmarks.measuring import Command, ratio, table
from tests.benchmarks.planning import MIGSYNC, Project, measured_in_order

COMMANDS = {
    "`graph`": ("graph",),
    "`graph -d default`": ("graph", "-d", "default"),
    "`graph --candidates`": ("graph", "--candidates"),
    "`graph --format json`": ("graph", "--format", "json"),
    "`graph --format mermaid`": ("graph", "--format", "mermaid"),
    "`graph --format dot`": ("graph", "--format", "dot"),
    "`graph --format html`": ("graph", "--format", "html"),
    "`squash --suggest`": ("squash", "--suggest"),
}


def report(project: Project, times: int) -> str:
    """The table; everything is warm: migsync with its cache, Django with its bytecode."""
    django = "`showmigrations`"
    commands = [project.show_migrations(django)]
    for name, arguments in COMMANDS.items():
        commands.append(Command(name, [*MIGSYNC, *arguments], project.root, environment=project.environment))
    figures = measured_in_order(commands, times)
    floor = figures[django]
    return table(
        ["", "by the clock", "work", "peak memory", "showmigrations takes", "in work"],
        [
            [
                found.name,
                f"{found.wall:.2f} s",
                f"{found.work:.2f} s",
                f"{found.peak:.0f} MiB",
                f"{ratio(floor.wall / found.wall)} x",
                f"{ratio(floor.work / found.work)} x",
            ]
            for found in figures.values()
        ],
    )
