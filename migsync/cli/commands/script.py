"""``migsync script``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from migsync.cli.command import Command
from migsync.cli.options import Where, journal_option, output_options, planning_options, project_options
from migsync.cli.output import Output
from migsync.cli.settling import settle_files
from migsync.cli.views.blocks import Span, Style, line
from migsync.errors import ExitStatus, FileDiffers, MigsyncError


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
    from migsync.sync.scripts import apply_script, undo_script

    project = where.project()
    settle_files(output, project)
    with work_of(output, project, file, asked, trust_names=no_journal, ask=False) as work:
        texts = {}
        for plan in work.ready:
            texts[directory / f"{plan.target.alias}.apply.sql"] = apply_script(plan, journal=not no_journal)
            texts[directory / f"{plan.target.alias}.undo.sql"] = undo_script(plan, journal=not no_journal)
        _check(texts, force=force)
        rewrite = write_proposed(output, work)
        _write(directory, texts)
        if work.status:
            output.tell(work.shown)
            for result in work.settled:
                tell_result(output, result)
        output.show(line("Written: ", Span(str(path), Style.COMMAND)) for path in texts)
        if not texts and not work.status:
            output.show([line(Span("Nothing to do, so no script.", Style.GOOD))])
        output.document({"files": [str(path) for path in texts], "rewrite": rewrite, **work.document})
        return work.status


def _check(texts: Mapping[Path, str], *, force: bool) -> None:
    """Raise FileDiffers where a file is there with other content, before any is written."""
    differing = [str(path) for path, text in texts.items() if path.exists() and path.read_bytes() != text.encode()]
    if differing and not force:
        raise FileDiffers(f"There already, with other content: {', '.join(differing)}.", "No file was written.")


def _write(directory: Path, texts: Mapping[Path, str]) -> None:
    try:
        if texts:
            directory.mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            path.write_bytes(text.encode())
    except OSError as error:
        raise MigsyncError(f"The scripts cannot be written to {directory}: {error.strerror}.") from error
