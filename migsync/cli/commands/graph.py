"""``migsync graph``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from migsync.cli.command import MigsyncCommand
from migsync.cli.options import ProjectOptions, arguments, flag, option, option_group, options, repeated
from migsync.cli.output import Output
from migsync.cli.recovery import settle_files
from migsync.cli.views.blocks import Span, Style, line, near
from migsync.errors import ExitStatus, UsageError
from migsync.escapes import printable
from migsync.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from migsync.graph import Graph, SquashRange
    from migsync.graph.before_after import RewriteGraph
    from migsync.graph.closure import Closure
    from migsync.history import History, LoaderState
    from migsync.sync.survey import Survey

FORMATS = ("text", "mermaid", "dot", "json", "html")


@option_group
class GraphOptions:
    """What ``migsync graph`` shows, and in which form."""

    apps: tuple[str, ...] = arguments(metavar="[APP]...")
    everything: bool = flag("--all", help="Without APP: also show installed apps that are not the project's own.")
    databases: tuple[str, ...] = repeated(
        "--database",
        "-d",
        metavar="ALIAS",
        help="Show what is applied in this database. Can be repeated. Default: read no database.",
    )
    candidates: bool = flag(help="Mark the ranges of migrations that are safe to squash.")
    indirect: bool = flag(help="Also list indirect dependencies. For text and json.")
    collapse: bool = flag(
        "--collapse-chains", help="Draw each chain without links to other apps as one box. For mermaid and dot."
    )
    rewrite: str | None = option(
        metavar="FILE|ID|last",
        help="Show the apps of a rewrite before and after it, instead of the graph. For html and json.",
    )
    file: Path | None = option(
        "-o",
        "--output",
        metavar="FILE",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Write to FILE. Default: standard output.",
    )

    def check(self, form: str) -> None:
        """Raise UsageError for an option that says nothing in the chosen format, or beside another."""
        if self.indirect and form not in ("text", "json"):
            raise UsageError("--indirect works only with --format text and json.", "", "A drawing shows it anyway.")
        if self.collapse and form not in ("mermaid", "dot"):
            raise UsageError("--collapse-chains works only with --format mermaid and dot.")
        if not self.rewrite:
            return
        if form not in ("html", "json"):
            raise UsageError("--rewrite works only with --format html and json.", "", "As text, read the file itself.")
        if self.apps or self.everything or self.databases or self.candidates or self.indirect:
            raise UsageError(
                "--rewrite cannot be combined with APP, --all, --database, --candidates and --indirect.",
                "It shows the apps of the rewrite.",
            )


@click.command(
    cls=MigsyncCommand,
    short_help="Show the dependencies of migrations, as text, diagram or web page.",
    examples="""
    migsync graph                                          # every app of the project
    migsync graph shop -d default                          # with what is applied in default
    migsync graph shop --indirect                          # with indirect dependencies
    migsync graph --candidates                             # with the ranges safe to squash
    migsync graph --format html -o graph.html              # a web page that works offline
    migsync graph --format html --rewrite last -o r.html   # the last rewrite, before and after
    migsync graph --format mermaid --collapse-chains       # for a pull request; GitHub draws it
    migsync graph --format dot -o graph.dot                # then: dot -Tsvg graph.dot > graph.svg
    """,
)
@options(GraphOptions, ProjectOptions, formats=FORMATS)
def graph(output: Output, asked: GraphOptions, where: ProjectOptions) -> ExitStatus:
    """Show the graph of migrations: what each migration depends on, and which migrations depend on it.

    migsync reads only the migration files, so the project need not start. It also shows a graph that Django cannot
    load, for example with a cycle or a missing dependency, and reports what is wrong on standard error.
    """
    from migsync.cli.views.findings import error_blocks, findings_blocks
    from migsync.graph import make_graph
    from migsync.sync.survey import open_survey

    asked.check(output.form)
    project = where.project(files_only=not asked.databases)
    settle_files(output, project)
    with open_survey(project) as found:
        states = _states_of(found, asked.databases)
        findings = list(dict.fromkeys([*found.findings, *found.history.findings, *_behind(found.history, states)]))
        rest = {"findings": [finding.as_dict() for finding in findings]}
        if not output.json:
            output.tell(findings_blocks(findings, shorten=output.shorten))
        if asked.rewrite:
            from migsync.graph.before_after import choose_rewrite, make_rewrite_graph

            rewritten = make_rewrite_graph(choose_rewrite(found.rewrites, asked.rewrite), found.rewrites, found.history)
            _give_rewrite(output, rewritten, asked, project.root, rest)
            return ExitStatus.DONE
        for alias, error in found.errors.items():
            output.tell([line(Span(alias, Style.HEADING)), *error_blocks(error, indent=2)])
        drawing = output.form in ("mermaid", "dot")
        ranges = _ranges_of(found.history, asked.apps, risks=not drawing) if asked.candidates else None
        made = make_graph(found.history, asked.apps, everything=asked.everything, states=states, ranges=ranges)
        _give_graph(output, made, asked, project.root, rest)
        return ExitStatus.REFUSED if found.errors else ExitStatus.DONE


def _states_of(found: Survey, aliases: Collection[str]) -> dict[str, LoaderState]:
    """What Django's loader makes of the rows of each of these databases that could be read."""
    if not aliases:
        return {}
    rows = {state.ref.alias: {record.key for record in state.held.records} for state in found.read_targets([*aliases])}
    rows |= {alias: set() for alias in found.fresh}
    return {alias: found.history.state(rows[alias]) for alias in aliases if alias in rows}


def _behind(history: History, states: Mapping[str, LoaderState]) -> list[Finding]:
    """Of each database whose rows have names that no file has: what is shown as not applied may be, as another."""
    from migsync.findings.records import records_not_on_disk

    replaced = {key for migration in history.migrations.values() for key in migration.replaces}
    found = []
    for alias, state in states.items():
        strange = sorted(
            key for key in state.recorded - history.migrations.keys() - replaced if key.app in history.apps
        )
        if strange:
            found.append(records_not_on_disk(alias=alias, migration=strange[0], records=len(strange)))
    return found


def _ranges_of(history: History, apps: Collection[str], *, risks: bool) -> list[SquashRange]:
    """The ranges that are safe to squash; with `risks` their files are read."""
    from migsync.graph import SquashRange
    from migsync.refactor.squash.safe_ranges import assess, find_safe_ranges

    found = find_safe_ranges(history, apps)
    return [
        SquashRange(safe.keys, safe.saves, tuple(stop.why for stop in safe.stops), tuple(map(str, safe.risks)))
        for safe in (assess(found, history.migrations) if risks else found)
    ]


def _give_graph(output: Output, made: Graph, asked: GraphOptions, root: Path, rest: Mapping[str, Any]) -> None:
    """Show the graph, or write it to the file. `rest` is what the JSON document says besides."""
    if output.text:
        _give_text(output, made, asked)
    elif output.json:
        from migsync.cli.views.documents import render
        from migsync.graph.document import graph_document

        _write(output, asked.file, render({**graph_document(made, _closure(made, asked)), **rest}))
    elif output.form == "html":
        from migsync.graph.page import graph_page

        _write(output, asked.file, graph_page(made, f"{root.name}: migrations", str(root)))
    else:
        _write(output, asked.file, _drawn(output, made, asked))


def _give_rewrite(
    output: Output, rewritten: RewriteGraph, asked: GraphOptions, root: Path, rest: Mapping[str, Any]
) -> None:
    """Show a rewrite as a page or as JSON, or write it to the file."""
    if output.json:
        from migsync.cli.views.documents import render
        from migsync.graph.document import rewrite_document

        _write(output, asked.file, render({**rewrite_document(rewritten), **rest}))
    else:
        from migsync.graph.page import rewrite_page

        _write(output, asked.file, rewrite_page(rewritten, f"{root.name}: {rewritten.rewrite.label}"))


def _give_text(output: Output, made: Graph, asked: GraphOptions) -> None:
    from migsync.cli.views.graphs import graph_blocks
    from migsync.cli.views.plain import render

    closure = _closure(made, asked)
    if asked.file:
        _write(output, asked.file, render(graph_blocks(made, closure, shorten=False)))
    else:
        output.show(graph_blocks(made, closure, shorten=output.shorten))


def _closure(made: Graph, asked: GraphOptions) -> Closure | None:
    if not asked.indirect:
        return None
    from migsync.graph.closure import make_closure

    return make_closure(made.history)


def _drawn(output: Output, made: Graph, asked: GraphOptions) -> str:
    from migsync.graph.drawing import draw

    drawing = draw(made, collapse=asked.collapse)
    if output.form == "dot":
        from migsync.graph.dot import to_dot

        return to_dot(drawing)
    from migsync.graph.mermaid import MOST_EDGES, diagrams_of, to_mermaid

    diagrams = diagrams_of(drawing)
    if len(diagrams) > 1:
        why = f"Mermaid draws at most {MOST_EDGES} edges, so the graph is split into {len(diagrams)} diagrams, by app."
        output.tell([line(Span("Note: ", Style.DIM), why)])
    return to_mermaid(drawing, diagrams)


def _write(output: Output, file: Path | None, text: str) -> None:
    """Write it where it was asked for, and say where."""
    if file is None:
        output.raw(text)
        return
    from migsync.cli.output import write_output

    write_output(file, text)
    if output.json:
        from migsync.cli.views.documents import render

        output.raw(render({"file": str(file)}))
    else:
        output.raw(f"Written: {printable(near(file))}\n")
