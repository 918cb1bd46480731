"""A graph in the form that was asked for, and the file that it goes to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migsync.cli.output import Output
from migsync.cli.views.blocks import Span, Style, count, line, near
from migsync.errors import UsageError
from migsync.escapes import printable
from migsync.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from migsync.graph import Graph, Run
    from migsync.graph.reach import Reach
    from migsync.graph.sides import Sides
    from migsync.history import History, LoaderState
    from migsync.sync.planning import Survey

FORMS = ("text", "mermaid", "dot", "json", "html")


@dataclass(frozen=True)
class Shape:
    """How the graph is to be shown: the options of ``migsync graph`` that are about its form."""

    indirect: bool = False
    collapse: bool = False
    file: Path | None = None

    def check(self, form: str) -> None:
        """Raise UsageError for an option that says nothing in the chosen format."""
        if self.indirect and form not in ("text", "json"):
            raise UsageError("--indirect is for text and JSON.", "", "A drawing shows it by its lines.")
        if self.collapse and form not in ("mermaid", "dot"):
            raise UsageError("--collapse-chains is for --format mermaid and dot.")


def states_of(found: Survey, aliases: Collection[str]) -> dict[str, LoaderState]:
    """What Django's loader makes of the rows of each of these databases that could be read."""
    if not aliases:
        return {}
    rows = {
        reading.target.alias: {record.key for record in reading.records} for reading in found.read_targets([*aliases])
    }
    rows |= {alias: set() for alias in found.fresh}
    return {alias: found.history.state(rows[alias]) for alias in aliases if alias in rows}


def behind(history: History, states: Mapping[str, LoaderState]) -> list[Finding]:
    """Of each database whose rows have names that no file has: what is shown as not applied may be, as another."""
    replaced = {key for migration in history.migrations.values() for key in migration.replaces}
    found = []
    for alias, state in states.items():
        strange = sorted(
            key for key in state.recorded - history.migrations.keys() - replaced if key.app in history.apps
        )
        if strange:
            found.append(
                Finding(
                    "unknown-record",
                    Severity.WARNING,
                    f"{alias} holds {count(len(strange), 'record')} of names that are not on disk, {strange[0]} first.",
                    "What is shown as not applied there may be applied under such a name.",
                    f"See what became of them: migsync plan -d {alias}",
                    app=strange[0].app,
                    name=strange[0].name,
                )
            )
    return found


def runs_of(history: History, apps: Collection[str], *, risks: bool) -> list[Run]:
    """The runs that are safe to squash; with `risks` their files are read."""
    from migsync.graph import Run
    from migsync.refactor.squash.candidates import find_runs
    from migsync.refactor.squash.risks import assess

    found = find_runs(history, apps)
    return [
        Run(run.keys, run.saves, tuple(stop.why for stop in run.stops), tuple(map(str, run.risks)))
        for run in (assess(found, history.migrations) if risks else found)
    ]


def give_graph(output: Output, made: Graph, shape: Shape, root: Path, rest: Mapping[str, Any]) -> None:
    """Show the graph, or write it to the file. `rest` is what the JSON document says besides."""
    if output.text:
        _give_text(output, made, shape)
    elif output.json:
        from migsync.cli.views.documents import render
        from migsync.graph.document import graph_document

        _give(output, shape.file, render({**graph_document(made, _reach(made, shape)), **rest}))
    elif output.form == "html":
        from migsync.graph.page import graph_page

        _give(output, shape.file, graph_page(made, f"{root.name}: migrations", str(root)))
    else:
        _give(output, shape.file, _drawn(output, made, shape))


def give_sides(output: Output, sides: Sides, shape: Shape, root: Path, rest: Mapping[str, Any]) -> None:
    """Show a rewrite as a page or as JSON, or write it to the file."""
    if output.json:
        from migsync.cli.views.documents import render
        from migsync.graph.document import sides_document

        _give(output, shape.file, render({**sides_document(sides), **rest}))
    else:
        from migsync.graph.page import sides_page

        _give(output, shape.file, sides_page(sides, f"{root.name}: {sides.rewrite.label}"))


def _give_text(output: Output, made: Graph, shape: Shape) -> None:
    from migsync.cli.views.graphs import graph_blocks
    from migsync.cli.views.plain import render

    reach = _reach(made, shape)
    if shape.file:
        _give(output, shape.file, render(graph_blocks(made, reach, shorten=False)))
    else:
        output.show(graph_blocks(made, reach, shorten=output.shorten))


def _reach(made: Graph, shape: Shape) -> Reach | None:
    if not shape.indirect:
        return None
    from migsync.graph.reach import make_reach

    return make_reach(made.history)


def _drawn(output: Output, made: Graph, shape: Shape) -> str:
    from migsync.graph.drawing import draw

    drawing = draw(made, collapse=shape.collapse)
    if output.form == "dot":
        from migsync.graph.dot import to_dot

        return to_dot(drawing)
    from migsync.graph.mermaid import MOST_EDGES, diagrams_of, to_mermaid

    diagrams = diagrams_of(drawing)
    if len(diagrams) > 1:
        why = f"Mermaid draws at most {MOST_EDGES} edges at once: it is split into {len(diagrams)} diagrams, by app."
        output.tell([line(Span("Note: ", Style.DIM), why)])
    return to_mermaid(drawing, diagrams)


def _give(output: Output, file: Path | None, text: str) -> None:
    """Write it where it was asked for, and say where."""
    if file is None:
        output.raw(text)
        return
    from migsync.cli.written import write_output

    write_output(file, text)
    if output.json:
        from migsync.cli.views.documents import render

        output.raw(render({"file": str(file)}))
    else:
        output.raw(f"Written: {printable(near(file))}\n")
