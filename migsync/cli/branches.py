"""Which of several branches of an app goes first: as it is given, or as a person says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import click

from migsync.cli.output import Output
from migsync.cli.views.blocks import EMPTY, line
from migsync.errors import UsageError

if TYPE_CHECKING:
    from migsync.files.proposal import Reshape
    from migsync.history import History

OPEN = "which-branch-first"


def parse_first(given: Iterable[str], history: History) -> dict[str, str]:
    """``NAME`` and ``APP.NAME`` as app to name; raises UsageError for a name of no app, or of several."""
    found: dict[str, str] = {}
    for text in given:
        app, dot, name = text.partition(".")
        if not dot:
            name, apps = text, sorted({key.app for key in history.migrations if key.name == text} & history.first_party)
            if len(apps) != 1:
                what = f"is in {', '.join(apps)}" if apps else "is no migration of this project"
                raise UsageError(f"--first {text}: that {what}.", "", "Say it with its app: --first APP.NAME")
            (app,) = apps
        found[app] = name
    return found


def ask_first(
    output: Output, history: History, first: Mapping[str, str], work_out: Callable[[Mapping[str, str]], Reshape]
) -> Reshape:
    """Ask for each app where any branch could go first, until none is open; `work_out` takes the answers."""
    from migsync.refactor.conflicts import branches

    chosen = dict(first)
    while True:
        reshape = work_out(chosen)
        apps = [finding.app for finding in reshape.findings if finding.code == OPEN]
        if not apps or not output.can_ask:
            return reshape
        for app in apps:
            found = branches(history, app)
            output.show([EMPTY, line(f"{app} has {len(found)} branches:")])
            output.show(line(f"{number}  {branch}", indent=2) for number, branch in enumerate(found, 1))
            answer = click.prompt("Which goes first?", type=click.IntRange(1, len(found)))
            chosen[app] = found[answer - 1].leaf.name
