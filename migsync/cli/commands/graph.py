"""``migsync graph``."""

from __future__ import annotations

from pathlib import Path

import click

from migsync.cli.command import Command
from migsync.cli.graphing import FORMS, Shape
from migsync.cli.options import Where, output_options, project_options
from migsync.cli.output import Output
from migsync.cli.settling import settle_files
from migsync.cli.views.blocks import Span, Style, line
from migsync.errors import ExitStatus, UsageError


@click.command(
    cls=Command,
    short_help="Show how migrations hang together: text, Mermaid, Graphviz, JSON or a page.",
    examples="""
    migsync graph                                        # the project's own apps
    migsync graph shop -d default                        # one app, and what is applied in one database
    migsync graph shop --indirect                        # and all that it hangs together with
    migsync graph --candidates                           # with the runs that are safe to squash
    migsync graph --format html -o graph.html            # a page to search, zoom and click in; works offline
    migsync graph --format html --rewrite last -o r.html # before and after the last rewrite, side by side
    migsync graph --format mermaid --collapse-chains     # for a pull request: GitHub draws it
    migsync graph --format dot -o graph.dot              # then: dot -Tsvg graph.dot > graph.svg
    """,
)
@click.argument("apps", metavar="[APP]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Without APP: the apps of others, too.")
@click.option(
    "--database",
    "-d",
    "databases",
    metavar="ALIAS",
    multiple=True,
    help="Say what is applied in this database; give it again for more. Default: no database is read.",
)
@click.option("--candidates", is_flag=True, help="Mark the runs of migrations that are safe to squash.")
@click.option("--indirect", is_flag=True, help="In text and JSON: also what is depended on indirectly.")
@click.option(
    "--collapse-chains",
    "collapse",
    is_flag=True,
    help="In Mermaid and dot: one box for a chain that no other app touches.",
)
@click.option(
    "--rewrite",
    metavar="FILE|ID|last",
    help="In a page and JSON: the apps of a rewrite before and after it, in place of the graph.",
)
@click.option(
    "-o",
    "--output",
    "file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write it to this file.",
)
@project_options
@output_options(forms=FORMS)
@click.pass_obj
def graph(
    output: Output,
    apps: tuple[str, ...],
    everything: bool,
    databases: tuple[str, ...],
    candidates: bool,
    indirect: bool,
    collapse: bool,
    rewrite: str | None,
    file: Path | None,
    where: Where,
) -> ExitStatus:
    """Show the graph of migrations: what each one depends on, and what needs it, in every app.

    It is read from the files alone, so also where the project does not start. A graph that Django could not load, with
    a cycle or a dependency on what is gone, is drawn as far as it goes, and what is wrong is said on standard error.
    """
    from migsync.cli.graphing import behind, give_graph, give_sides, runs_of, states_of
    from migsync.cli.views.findings import error_blocks, findings_blocks
    from migsync.graph import make_graph
    from migsync.sync.planning import open_survey

    shape = Shape(indirect, collapse, file)
    shape.check(output.form)
    if rewrite:
        _check_rewrite(output.form, others=bool(apps or everything or databases or candidates or indirect))
    project = where.project(files_only=not databases)
    settle_files(output, project)
    with open_survey(project) as found:
        states = states_of(found, databases)
        findings = list(dict.fromkeys([*found.findings, *found.history.findings, *behind(found.history, states)]))
        rest = {"findings": [finding.as_dict() for finding in findings]}
        if not output.json:
            output.tell(findings_blocks(findings))
        if rewrite:
            from migsync.graph.sides import choose_rewrite, make_sides

            sides = make_sides(choose_rewrite(found.rewrites, rewrite), found.rewrites, found.history)
            give_sides(output, sides, shape, project.root, rest)
            return ExitStatus.DONE
        for alias, error in found.errors.items():
            output.tell([line(Span(alias, Style.HEADING)), *error_blocks(error, indent=2)])
        drawing = output.form in ("mermaid", "dot")
        runs = runs_of(found.history, apps, risks=not drawing) if candidates else None
        made = make_graph(found.history, apps, everything=everything, states=states, runs=runs)
        give_graph(output, made, shape, project.root, rest)
        return ExitStatus.REFUSED if found.errors else ExitStatus.DONE


def _check_rewrite(form: str, *, others: bool) -> None:
    """Raise UsageError where --rewrite comes with what it has no room for."""
    if form not in ("html", "json"):
        raise UsageError("--rewrite is for --format html and json.", "", "A rewrite as text is its file.")
    if others:
        raise UsageError("--rewrite shows the apps of one rewrite, and takes no APP and nothing of databases or runs.")
