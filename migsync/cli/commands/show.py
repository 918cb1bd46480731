"""``migsync show``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from migsync.cli.command import MigsyncCommand
from migsync.cli.options import ProjectOptions, TargetOptions, argument, group, option_group, options
from migsync.cli.output import Output
from migsync.cli.views.blocks import EMPTY, Block
from migsync.errors import ExitStatus, UsageError, common_status
from migsync.words import did_you_mean

if TYPE_CHECKING:
    from migsync.project import Project


FORMS = "Give a plan file, the id of a run (migsync log lists them), or the APP.NAME of a migration."
RUN = frozenset("0123456789abcdefABCDEF")
"""What an id or a number of a run is made of."""


@option_group
class ShowOptions:
    """What ``migsync show`` shows."""

    what: str = argument(metavar="PLAN|RUN|APP.NAME")
    chosen: TargetOptions = group(TargetOptions)


@click.command(
    cls=MigsyncCommand,
    short_help="Show a saved plan, a run, or what is known of a migration.",
    examples="""
    migsync show plan.json        # a plan that migsync plan -o plan.json saved
    migsync show 3f9c1a           # a run; migsync log lists the ids
    migsync show shop.0002_price  # what ran under this name, and how that is known
    """,
)
@options(ShowOptions, ProjectOptions)
def show(output: Output, asked: ShowOptions, where: ProjectOptions) -> ExitStatus:
    """Show what a saved plan would change, every row that a run changed, or what is known of a migration.

    PLAN is a file that `migsync plan -o PLAN` saved; no database is read for it. RUN is the id of a run, the beginning
    of the id, or the number of the run in `migsync log`.

    APP.NAME is a migration, which need not have a file any more. migsync shows what ran under this name in each
    database: which operations, and whether that is known from the guard of `migrate`, from looks of `migsync apply` or
    from git. Sources that are not on disk are shown if git or a database has them; see `contents` in the settings.
    """
    what = asked.what
    # What looks like a path is one, even if nothing is there: "there is no run plans/a.json" would not help.
    if Path(what).is_file() or what.endswith(".json") or "/" in what:
        _show_plans(output, Path(what))
        return ExitStatus.DONE
    if "." in what:
        return _show_migration(output, asked, where.project())
    if not RUN.issuperset(what):
        raise UsageError(f"{what} is no plan file, no run and no APP.NAME.", "", FORMS)
    from migsync.cli.targets import find_runs, open_targets, rewrite_labels
    from migsync.cli.views.documents import run_document
    from migsync.cli.views.findings import error_blocks
    from migsync.cli.views.runs import log_groups, run_blocks
    from migsync.sync.plan_groups import error_groups
    from migsync.sync.run import applies_in_force

    project = where.project()
    with open_targets(project, asked.chosen.databases) as found:
        blocks: list[Block] = []
        shown = []
        for group in error_groups(found.errors):
            output.tell(error_blocks(group.error))
        chosen = find_runs(found.runs, what)
        # One run is in several schemas where one was copied from another.
        for first, *others in log_groups({alias: [run] for alias, run in chosen.items()}):
            more = run_blocks(
                found.targets[first].ref,
                chosen[first],
                found.runs[first],
                others=others,
                shorten=output.shorten,
                labels=rewrite_labels(project),
            )
            blocks += [*([EMPTY] if blocks else []), *more]
        for alias, run in chosen.items():
            runs = found.runs[alias]
            shown.append({"alias": alias, "run": run_document(run, in_force=run in applies_in_force(runs))})
        output.show(blocks)
        output.document({"databases": shown})
        return ExitStatus.DONE


def _show_migration(output: Output, asked: ShowOptions, project: Project) -> ExitStatus:
    from migsync.cli.views.findings import error_blocks
    from migsync.cli.views.migrations import migration_blocks, migration_document
    from migsync.history.migration import Key
    from migsync.sync.inquiry import inquire, known_names
    from migsync.sync.plan_groups import error_groups
    from migsync.sync.survey import open_survey

    app, _, name = asked.what.partition(".")
    if not app or not name:
        raise UsageError(f"{asked.what} does not have the form APP.NAME.", "", FORMS)
    with open_survey(project) as found:
        states = found.read_targets(asked.chosen.databases)
        facts = inquire(found, states, Key(app, name))
        for group in error_groups(found.errors):
            output.tell(error_blocks(group.error))
        known = known_names(found, states)
        if not facts.is_found and asked.what not in known:
            near = did_you_mean(asked.what, known)
            raise UsageError(f"No migration {asked.what} is known here.", near, FORMS)
        output.show(migration_blocks(facts, shorten=output.shorten))
        output.document(migration_document(facts))
        return common_status(found.errors.values())


def _show_plans(output: Output, file: Path) -> None:
    from migsync.cli.views.surveys import targets_blocks
    from migsync.sync.plan_file import load_plans

    saved = load_plans(file)
    output.show(targets_blocks(saved.plans, shorten=output.shorten))
    output.document(saved.as_dict())
