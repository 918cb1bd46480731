"""A graph as text: app by app, each migration with what it depends on and what needs it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from migsync.cli.views.blocks import EMPTY, Block, Line, Span, Style, line
from migsync.cli.views.lists import MORE, cut, more
from migsync.graph.nodes import NodeState
from migsync.words import count, truncated

if TYPE_CHECKING:
    from migsync.graph.closure import Closure
    from migsync.graph.nodes import Graph, Node, SquashRange
    from migsync.history import Key

SHOWN = 6
"""On a terminal, so many names of one list are shown."""

LABEL = 15
"""The width of what stands before a list."""

MARKS = {
    NodeState.APPLIED: ("[x]", Style.GOOD),
    NodeState.PENDING: ("[ ]", Style.WARNING),
    NodeState.LEFT_OUT: ("[-]", Style.DIM),
}
LEGEND = "[x] applied  [ ] not applied  [-] not applied, and Django leaves it out there, because of a squash"


def graph_blocks(graph: Graph, closure: Closure | None = None, *, shorten: bool) -> Iterator[Block]:
    """Every app under its name; with `closure` also what hangs together indirectly, with `shorten` no long lists."""
    for number, app in enumerate(graph.apps):
        if number:
            yield EMPTY
        yield _heading(graph, app)
        for node in graph.by_app[app]:
            yield from _node(node, graph, closure, shorten)
    if graph.aliases and graph.apps:
        yield EMPTY
        yield line(Span(LEGEND, Style.DIM))
    if graph.ranges is not None:
        yield EMPTY
        yield from _ranges(graph.ranges, shorten)


def _heading(graph: Graph, app: str) -> Line:
    nodes = graph.by_app[app]
    said = [count(len(nodes), "migration")]
    if squashes := sum(bool(node.replaces) for node in nodes):
        said.append(count(squashes, "squash", "squashes"))
    for alias in graph.aliases:
        applied = sum(node.states[alias] is NodeState.APPLIED for node in nodes)
        said.append(f"{applied} applied in {alias}")
    return line(Span(app, Style.HEADING), f"  {', '.join(said)}", hang=2)


def _node(node: Node, graph: Graph, closure: Closure | None, shorten: bool) -> Iterator[Line]:
    marks: list[str | Span] = []
    for alias, state in node.states.items():
        mark, style = MARKS[state]
        marks += ["  ", Span(f"{mark} {alias}", style)]
    if node.merge:
        marks += ["  ", Span("merge", Style.DIM)]
    if node.range is not None:
        marks += ["  ", Span(f"in range {node.range + 1}", Style.GOOD)]
    yield line(Span(node.key.name, Style.COMMAND), *marks, indent=2)
    app = node.key.app
    yield from _list("depends on", _own_first(node.parents, app), app, shorten)
    yield from _list("needed by", _own_first(node.children, app), app, shorten)
    yield from _list("replaces", node.replaces, app, shorten, gone=graph)
    yield from _list("replaced by", node.replaced_by, app, shorten)
    if closure:
        direct = {*node.parents, *node.children}
        yield from _list("indirectly on", _without(closure.ancestors(node.key), direct), app, shorten, counted=True)
        yield from _list("indirectly by", _without(closure.descendants(node.key), direct), app, shorten, counted=True)


def _own_first(keys: Sequence[Key], app: str) -> list[Key]:
    return sorted(keys, key=lambda key: (key.app != app, key))


def _without(keys: Sequence[Key], direct: set[Key]) -> list[Key]:
    return [key for key in keys if key not in direct]


def _list(
    what: str, keys: Sequence[Key], app: str, shorten: bool, *, counted: bool = False, gone: Graph | None = None
) -> Iterator[Line]:
    """One line, none for nothing; names of the same app stand without it. `gone`: say which are not on disk."""
    if not keys:
        return
    names = [key.name if key.app == app else str(key) for key in keys]
    if gone:
        on_disk = gone.history.migrations
        names = [name if key in on_disk else f"{name} (no file)" for name, key in zip(names, keys, strict=True)]
    if shorten:
        names = truncated(names, SHOWN, MORE, spare=1)
    number = f"{len(keys)}: " if counted else ""
    yield line(Span(f"{what:<{LABEL}}", Style.DIM), number + ", ".join(names), indent=4, hang=LABEL)


def _ranges(ranges: Sequence[SquashRange], shorten: bool) -> Iterator[Block]:
    if not ranges:
        yield line("No range of migrations is safe to squash.")
        return
    saved = sum(each.saves for each in ranges)
    yield line(Span(f"Safe to squash: {count(len(ranges), 'range')}, saves {count(saved, 'file')}", Style.GOOD))
    for number, each in enumerate(ranges, start=1):
        first, last = each.keys[0], each.keys[-1]
        head = f"  {first.name} .. {last.name}  {count(len(each.keys), 'migration')}, saves {count(each.saves, 'file')}"
        yield line(Span(f"range {number}  {first.app}", Style.HEADING), head, indent=2, hang=2)
        ends = zip(("starts here", "ends here"), each.stops, strict=False)
        yield from (line(Span(f"{what:13}", Style.DIM), why, indent=4, hang=13) for what, why in ends)
        risks, hidden = cut(each.risks, SHOWN, shorten=shorten)
        yield from (line(Span(f"{'risk':13}", Style.WARNING), risk, indent=4, hang=13) for risk in risks)
        yield from more(hidden, indent=4)
