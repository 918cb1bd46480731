"""``migsync fix-conflicts``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import click

from migsync.cli.command import MigsyncCommand
from migsync.cli.options import AppOptions, group, option_group, options, repeated
from migsync.cli.output import Output
from migsync.cli.refactor import FORMATS, RefactorOptions, change_files
from migsync.cli.views.blocks import EMPTY, line
from migsync.errors import UsageError
from migsync.words import did_you_mean, text_list

if TYPE_CHECKING:
    from migsync.errors import ExitStatus
    from migsync.files.reshape import Reshape
    from migsync.history import History
    from migsync.refactor.ground import Ground


@option_group
class FixConflictsOptions:
    """What ``migsync fix-conflicts`` puts in line, and which branch goes first."""

    chosen: AppOptions = group(AppOptions)
    first: tuple[str, ...] = repeated(
        metavar="[APP.]NAME", help="Put the branch with this migration first. Can be repeated for more apps."
    )


@click.command(
    "fix-conflicts",
    cls=MigsyncCommand,
    short_help="Resolve conflicting migrations without a merge migration.",
    examples="""
    migsync fix-conflicts                                # asks which branch goes first
    migsync fix-conflicts --app shop --first 0003_price  # the branch with 0003_price goes first
    """,
)
@options(FixConflictsOptions, RefactorOptions, formats=FORMATS)
def fix_conflicts(output: Output, asked: FixConflictsOptions, refactor: RefactorOptions) -> ExitStatus:
    """Resolve conflicting migrations: order the branches of an app one after the other, instead of merging them.

    An app has conflicting migrations if several of them have no successor; `makemigrations --merge` would write a merge
    migration. migsync makes one branch depend on the end of another, and renames as few migrations as possible.

    A branch that a database has applied goes first. If the databases do not decide it, --first does, or migsync asks.
    If databases have applied different branches, no order fits all of them yet, and migsync writes a merge migration.
    """

    def reshape(ground: Ground) -> Reshape:
        from migsync.refactor.fix_conflicts import fix_conflicts as in_line

        history = ground.survey.history
        given = _parse_first(asked.first, history)

        def work_out(first: Mapping[str, str]) -> Reshape:
            return in_line(history, apps=asked.chosen.apps, applied=ground.applied, first=first)

        if refactor.consent.noinput:
            return work_out(given)
        return _ask_first(output, history, given, work_out)

    return change_files(output, refactor, reshape)


def _parse_first(given: Iterable[str], history: History) -> dict[str, str]:
    """``NAME`` and ``APP.NAME`` as app to name; raises UsageError for a name of no app, or of several."""
    found: dict[str, str] = {}
    for text in given:
        app, dot, name = text.partition(".")
        if not dot:
            name, apps = text, sorted({key.app for key in history.migrations if key.name == text} & history.first_party)
            if len(apps) != 1:
                what = f"this is a migration of {text_list(apps)}" if apps else "this project has no such migration"
                near = "" if apps else did_you_mean(text, (key.name for key in history.migrations))
                raise UsageError(f"--first {text}: {what}.", near, "Say it with its app: --first APP.NAME")
            (app,) = apps
        found[app] = name
    return found


def _ask_first(
    output: Output, history: History, first: Mapping[str, str], work_out: Callable[[Mapping[str, str]], Reshape]
) -> Reshape:
    """Ask for each app where any branch could go first, until none is open; `work_out` takes the answers."""
    from migsync.findings.order import which_branch_first
    from migsync.refactor.fix_conflicts import branches

    chosen = dict(first)
    while True:
        reshape = work_out(chosen)
        apps = [finding.app for finding in reshape.findings if finding.code == which_branch_first.code]
        if not apps or not output.can_ask:
            return reshape
        for app in apps:
            found = branches(history, app)
            output.show([EMPTY, line(f"{app} has {len(found)} branches:")])
            output.show(line(f"{number}  {branch}", indent=2) for number, branch in enumerate(found, 1))
            answer = click.prompt("Which goes first?", type=click.IntRange(1, len(found)))
            chosen[app] = found[answer - 1].leaf.name
