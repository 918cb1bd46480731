"""``migsync graph``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from migsync.cli.command import Command
from migsync.cli.options import Where, output_options, project_options
from migsync.cli.output import Output
from migsync.cli.settling import settle_files
from migsync.cli.views.blocks import Span, Style, line, near
from migsync.errors import ExitStatus, UsageError

if TYPE_CHECKING:
    from migsync.graph import Graph
    from migsync.history import LoaderState
    from migsync.sync.planning import Survey

FORMS = ("text", "mermaid", "dot", "json")


@click.command(
    cls=Command,
    short_help="Show how migrations hang together: as text, Mermaid, Graphviz, JSON or a page.",
    examples="""
    migsync graph                                        # the project's own apps
    migsync graph shop -d default                        # one app, and what is applied in one database
    migsync graph shop --indirect                        # and all that it hangs together with
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
@click.option("--indirect", is_flag=True, help="In text and JSON: also what is depended on indirectly.")
@click.option(
    "--collapse-chains", is_flag=True, help="In Mermaid and dot: one box for a chain that no other app touches."
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
    indirect: bool,
    collapse_chains: bool,
    file: Path | None,
    where: Where,
) -> ExitStatus:
    """Show the graph of migrations: what each one depends on, and what needs it, in every app.

    It is read from the files alone, so also where the project does not start. A graph that Django could not load, with
    a cycle or a dependency on what is gone, is drawn as far as it goes, and what is wrong is said on standard error.
    """
    from migsync.cli.views.findings import error_blocks, findings_blocks
    from migsync.graph import make_graph
    from migsync.sync.planning import open_survey

    _check(output.form, indirect=indirect, collapse=collapse_chains)
    project = where.project(files_only=not databases)
    settle_files(output, project)
    with open_survey(project) as found:
        states = _states(found, databases)
        made = make_graph(found.history, apps, everything=everything, states=states)
        findings = dict.fromkeys([*found.findings, *found.history.findings])
        if not output.json:
            output.tell(findings_blocks(findings))
        for alias, error in found.errors.items():
            output.tell([line(Span(alias, Style.HEADING)), *error_blocks(error, indent=2)])
        rest = {"findings": [finding.as_dict() for finding in findings]}
        _give(output, file, _shown(output, made, rest, indirect=indirect, collapse=collapse_chains, whole=bool(file)))
        return ExitStatus.REFUSED if found.errors else ExitStatus.DONE


def _check(form: str, *, indirect: bool, collapse: bool) -> None:
    """Raise UsageError for an option that says nothing in the chosen format."""
    if indirect and form not in ("text", "json"):
        raise UsageError("--indirect is for text and JSON.", "", "A drawing shows it by its lines.")
    if collapse and form not in ("mermaid", "dot"):
        raise UsageError("--collapse-chains is for --format mermaid and dot.")


def _states(found: Survey, databases: tuple[str, ...]) -> dict[str, LoaderState]:
    """What Django's loader makes of the rows of each database that was asked for and could be read."""
    if not databases:
        return {}
    rows = {
        reading.target.alias: {record.key for record in reading.records} for reading in found.read_targets(databases)
    }
    rows |= {alias: set() for alias in found.fresh}
    return {alias: found.history.state(rows[alias]) for alias in databases if alias in rows}


def _shown(
    output: Output, made: Graph, rest: dict[str, Any], *, indirect: bool, collapse: bool, whole: bool
) -> str | None:
    """The text of the whole answer; None for text that was shown already, as a terminal shows it."""
    from migsync.graph.reach import make_reach

    reach = make_reach(made.history) if indirect else None
    if output.form == "text":
        from migsync.cli.views.graphs import graph_blocks
        from migsync.cli.views.plain import render as plain

        if whole:
            return plain(graph_blocks(made, reach, shorten=False))
        output.show(graph_blocks(made, reach, shorten=output.shorten))
        return None
    if output.form == "json":
        from migsync.cli.views.documents import render
        from migsync.graph.document import graph_document

        return render({**graph_document(made, reach), **rest})
    return _drawn(output, made, collapse=collapse)


def _drawn(output: Output, made: Graph, *, collapse: bool) -> str:
    from migsync.graph.drawing import draw

    drawing = draw(made, collapse=collapse)
    if output.form == "dot":
        from migsync.graph.dot import to_dot

        return to_dot(drawing)
    from migsync.graph.mermaid import MOST_EDGES, diagrams_of, to_mermaid

    diagrams = diagrams_of(drawing)
    if len(diagrams) > 1:
        why = f"Mermaid draws at most {MOST_EDGES} edges at once: it is split into {len(diagrams)} diagrams, by app."
        output.tell([line(Span("Note: ", Style.DIM), why)])
    return to_mermaid(drawing, diagrams)


def _give(output: Output, file: Path | None, text: str | None) -> None:
    """Write it where it was asked for, and say where."""
    if text is None:
        return
    if file is None:
        output.raw(text)
        return
    from migsync.cli.written import write_whole

    write_whole(file, text)
    if output.json:
        from migsync.cli.views.documents import render

        output.raw(render({"file": str(file)}))
    else:
        output.raw(f"Written: {near(file)}\n")
