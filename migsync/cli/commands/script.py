"""``migsync script``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from migsync.cli.command import Command
from migsync.cli.options import Where, journal_option, output_options, planning_options, project_options
from migsync.cli.output import Output
from migsync.cli.settling import settle_files
from migsync.cli.views.blocks import Span, Style, line
from migsync.errors import ExitStatus, FileDiffers, MigsyncError
from migsync.files.boundary import file_name

if TYPE_CHECKING:
    from migsync.sync.plan import Plan


@click.command(
    cls=Command,
    short_help="Write a plan as SQL files, for people who must run SQL by hand.",
    examples="""
    migsync script --out sql                    # sql/default.apply.sql, sql/default.undo.sql, and so on
    migsync script plan.json --out sql          # of a plan that was reviewed
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
    force: bool,
    no_journal: bool,
    where: Where,
    asked: dict[str, Any],
) -> ExitStatus:
    """Write, for every database with something to do, one script that applies the plan and one that undoes it.

    The scripts do what migsync apply and undo do. They can be run twice, and they change nothing when the rows are
    not those that the plan was made from, even under a client that runs on after errors.
    """
    from migsync.cli.results import tell_result
    from migsync.cli.work import work_of, write_proposed
    from migsync.cli.written import write_outputs
    from migsync.sync.scripts import apply_script, undo_script

    project = where.project()
    settle_files(output, project)
    with work_of(output, project, file, asked, trust_names=no_journal, ask=False) as work:
        texts = {}
        for plan in work.ready:
            texts[_place(directory, plan, "apply")] = apply_script(plan, journal=not no_journal)
            texts[_place(directory, plan, "undo")] = undo_script(plan, journal=not no_journal)
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


def _place(directory: Path, plan: Plan, what: str) -> Path:
    """Where a script goes. Raises MigsyncError for an alias that would lead out of the directory."""
    try:
        return directory / file_name(f"{plan.target.alias}.{what}.sql")
    except ValueError as error:
        raise MigsyncError(
            f"No script can be named after the database {plan.target.alias!a}: {error}.",
            "No file was written.",
            "Give the database another alias, or choose others: --database ALIAS",
        ) from error


def _check(texts: Mapping[Path, str], *, force: bool) -> None:
    """Raise FileDiffers where a file is there with other content, before any is written."""
    differing = [str(path) for path, text in texts.items() if path.is_file() and path.read_bytes() != text.encode()]
    if differing and not force:
        raise FileDiffers(f"There already, with other content: {', '.join(differing)}.", "No file was written.")
