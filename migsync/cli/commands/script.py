"""``migsync script``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from migsync.cli.command import Command
from migsync.cli.options import Where, journal_option, output_options, planning_options, project_options
from migsync.cli.output import Output
from migsync.cli.recovery import settle_files
from migsync.cli.views.blocks import Span, Style, line
from migsync.errors import ExitStatus, FileDiffers, MigsyncError, UsageError
from migsync.filesystem.boundary import file_name

if TYPE_CHECKING:
    from migsync.project import Project


@click.command(
    cls=Command,
    short_help="Write a plan as SQL files, for people who must run SQL by hand.",
    examples="""
    migsync script --out sql                    # sql/default.apply.sql, sql/default.undo.sql, and so on
    migsync script plan.json --out sql          # of a plan that was reviewed
    migsync script --journal-tables --out sql   # sql/default.journal.sql, for an administrator
    psql -f sql/default.apply.sql bookshop      # or: mariadb bookshop < FILE, sqlite3 bookshop.db < FILE
    """,
)
@click.argument("file", metavar="[PLAN]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--out",
    "directory",
    metavar="DIR",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where to write ALIAS.apply.sql and ALIAS.undo.sql.",
)
@click.option(
    "--journal-tables",
    is_flag=True,
    help="Write ALIAS.journal.sql instead, which creates the journal's tables and lets this user write to them.",
)
@click.option("--force", is_flag=True, help="Overwrite files that are there and differ.")
@planning_options
@journal_option
@project_options
@output_options()
@click.pass_obj
def script(
    output: Output,
    file: Path | None,
    directory: Path,
    journal_tables: bool,
    force: bool,
    no_journal: bool,
    where: Where,
    asked: dict[str, Any],
) -> ExitStatus:
    """Write, for every database with something to do, one script that applies the plan and one that undoes it.

    The scripts do what migsync apply and undo do. They can be run twice, and they change nothing when the rows are
    not those that the plan was made from, even under a client that runs on after errors.
    """
    from migsync.cli.output import write_outputs
    from migsync.cli.plan_set import work_of, write_proposed
    from migsync.cli.results import tell_result
    from migsync.sync.scripts import apply_script, undo_script

    project = where.project()
    if journal_tables:
        if file or no_journal or any(value for name, value in asked.items() if name != "databases"):
            raise UsageError("--journal-tables needs no plan.", "", "Beside --out, give only --database.")
        return _journal_tables(output, project, directory, asked["databases"], force=force)
    settle_files(output, project)
    with work_of(output, project, file, asked, trust_names=no_journal, ask=False) as work:
        texts = {}
        for plan in work.ready:
            texts[_place(directory, plan.target.alias, "apply")] = apply_script(plan, journal=not no_journal)
            texts[_place(directory, plan.target.alias, "undo")] = undo_script(plan, journal=not no_journal)
        _check(texts, force=force)
        rewrite = write_proposed(output, work)
        write_outputs(directory, texts)
        if work.status:
            output.tell(work.shown)
            for result in work.settled:
                tell_result(output, result)
        output.show(line("Written: ", Span(str(path), Style.COMMAND)) for path in texts)
        if not texts and not work.status:
            output.show([line(Span("Nothing to do, so no script.", Style.GOOD))])
        output.document({"files": [str(path) for path in texts], "rewrite": rewrite, **work.document})
        return work.status


def _place(directory: Path, alias: str, what: str) -> Path:
    """Where a script goes. Raises MigsyncError for an alias that would lead out of the directory."""
    try:
        return directory / file_name(f"{alias}.{what}.sql")
    except ValueError as error:
        raise MigsyncError(
            f"No script can be named after the database {alias!a}: {error}.",
            "No file was written.",
            "Give the database another alias, or choose others: --database ALIAS",
        ) from error


def _journal_tables(
    output: Output, project: Project, directory: Path, aliases: Sequence[str], *, force: bool
) -> ExitStatus:
    """The files for an administrator, where migsync's own user may not create tables."""
    from migsync.cli.output import write_outputs
    from migsync.sync.planning import choose
    from migsync.sync.scripts import journal_script
    from migsync.sync.target import open_target

    texts = {}
    for config in choose(project, aliases):
        with open_target(config) as target:
            place, grants = _place(directory, config.alias, "journal"), target.journal_grants(writing=True)
            texts[place] = journal_script(target.engine, target.survey.schema, grants, file=place.name)
    _check(texts, force=force)
    write_outputs(directory, texts)
    output.show(line("Written: ", Span(str(path), Style.COMMAND)) for path in texts)
    output.document({"files": [str(path) for path in texts]})
    return ExitStatus.DONE


def _check(texts: Mapping[Path, str], *, force: bool) -> None:
    """Raise FileDiffers where a file is there with other content, before any is written."""
    differing = [str(path) for path, text in texts.items() if path.is_file() and path.read_bytes() != text.encode()]
    if differing and not force:
        raise FileDiffers(f"There already, with other content: {', '.join(differing)}.", "No file was written.")
