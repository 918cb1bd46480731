"""Shell completion: which names may stand where.

What is completed follows from the metavar that the help shows. The shell waits for the answer, so nothing of the
project runs, and no database is asked: the names are those of :mod:`migsync.filesystem.names_file`, and the
directories of migrations and rewrites are listed. Whatever goes wrong, there are no names, and nothing is said.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import click
    from click.shell_completion import CompletionItem

    from migsync.filesystem.names_file import Names
    from migsync.project import Project
    from migsync.sync.run import Run

Candidates = Iterable["tuple[str, str]"]
"""What may stand there, each with what the shell says beside it."""

INSTRUCTION: Final = "_MIGSYNC_COMPLETE"
"""The variable by which the shell's function asks."""

PLAIN: Final = re.compile(r"[\w.:=+@-]+")
"""The shell puts a name into the command line as it is: any other one might be a command (``0002_$(rm x).py``)."""


def completed(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """The settings of a click parameter, with the names that belong to its metavar."""
    names = COMPLETED.get(settings.get("metavar", "").lstrip("[").rstrip(".]"))
    if names is None:
        return settings
    return {**settings, "shell_complete": lambda ctx, _, incomplete: _items(names, ctx, incomplete)}


def _items(
    names: Callable[[Names, click.Context, str], Candidates], ctx: click.Context, incomplete: str
) -> list[CompletionItem[str]]:
    from click.shell_completion import CompletionItem

    from migsync.filesystem.names_file import names_above

    try:
        known = names_above(Path(ctx.params.get("root") or Path.cwd()).resolve())
        found = dict(names(known, ctx, incomplete)) if known else {}
    except (OSError, ValueError):
        return []
    return [
        CompletionItem(name, help=about if about.isprintable() else None)
        for name, about in found.items()
        if name.startswith(incomplete) and PLAIN.fullmatch(name)
    ]


def _databases(names: Names, ctx: click.Context, _: str) -> Candidates:
    # With --url there is one database, which needs no name.
    return () if ctx.params.get("url") else ((alias, "") for alias in names.databases)


def _apps(names: Names, _: click.Context, __: str) -> Candidates:
    return ((label, "") for label in sorted(names.apps))


def _migrations(names: Names, _: click.Context, incomplete: str) -> Candidates:
    """``APP.NAME``; behind a ``=`` or ``+`` only the name, of the same app."""
    stated = re.match(r".*[=+]", incomplete)
    if stated:
        app = incomplete.partition(".")[0]
        return ((stated[0] + name, "") for name in _files(names, app))
    return ((f"{app}.{name}", "") for app in _chosen(names, incomplete) for name in _files(names, app))


def _chosen(names: Names, incomplete: str) -> Iterator[str]:
    app, dot, _ = incomplete.partition(".")
    yield from (label for label in sorted(names.apps) if (label == app if dot else label.startswith(app)))


def _files(names: Names, app: str) -> Iterator[str]:
    from migsync.history.directory import read_directory

    found = read_directory(names.apps[app]) if app in names.apps else None
    yield from (file.name for file in (found.files if found else ()))


def _runs(names: Names, _: click.Context, __: str) -> Candidates:
    return reversed([*names.runs.items()])


def _shown(names: Names, ctx: click.Context, incomplete: str) -> Candidates:
    return [*_runs(names, ctx, incomplete), *_migrations(names, ctx, incomplete)]


def _positions(names: Names, _: click.Context, incomplete: str) -> Candidates:
    app, equals, _rest = incomplete.partition("=")
    if not equals:
        return ((f"{label}=", "") for label in sorted(names.apps))
    rewrites = sorted(entry.name for entry in os.scandir(names.rewrites) if entry.name.endswith(".toml"))
    return ((f"{app}={name}", "") for name in ("none", *rewrites))


def _range(names: Names, ctx: click.Context, incomplete: str) -> Candidates:
    """An app, then two of its migrations; with --suggest and --all-safe more apps."""
    words = ctx.params.get("words") or ()
    if not words or ctx.params.get("suggest") or ctx.params.get("all_safe"):
        return _apps(names, ctx, incomplete)
    return ((name, "") for name in _files(names, words[0])) if len(words) < 3 else ()


COMPLETED: Final[Mapping[str, Callable[..., Candidates]]] = {
    "ALIAS": _databases,
    "APP": _apps,
    "OLD": _apps,
    "APP.NAME": _migrations,
    "APP.]NAME": _migrations,
    "APP.OLD=NEW": _migrations,
    "APP.NEW=OLD+OLD": _migrations,
    "APP=REWRITE": _positions,
    "APP FIRST LAST | APP": _range,
    "RUN": _runs,
    "PLAN|RUN|APP.NAME": _shown,
}
"""By the metavar, without the brackets and dots around it."""


def remember(project: Project) -> None:
    """Keep the names of a project that a command has found."""
    from migsync.filesystem.names_file import Names, names_file
    from migsync.project.project import URL_ALIAS

    # Without settings there are no databases to tell of, and --url stands for all others.
    databases = () if URL_ALIAS in project.databases else (*project.databases, *project.passed_over)
    apps = {app.label: app.directory for app in project.apps if app.first_party and app.directory}
    path = names_file(project.root)
    known = Names.read(path) or Names()
    known.replace(databases or known.databases, apps, str(project.rewrites)).write(path)


def remember_runs(project: Project, runs: Mapping[str, Sequence[Run]]) -> None:
    """Keep the databases that a command has opened, and the runs that it has read or made there."""
    from migsync.cli.views.runs import short
    from migsync.filesystem.names_file import Names, names_file
    from migsync.project.project import URL_ALIAS
    from migsync.sync.run import second

    path = names_file(project.root)
    # No other command knows the database of --url by its alias.
    if URL_ALIAS in project.databases or not (known := Names.read(path)):
        return
    every = sorted((run.at, alias, run.kind.value, run.id) for alias, each in runs.items() for run in each)
    known.seen(runs, {short(id_): f"{kind} {alias} {second(at)}" for at, alias, kind, id_ in every}).write(path)
