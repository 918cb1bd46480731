"""The graph as JSON values."""

from __future__ import annotations

from typing import Any

from migsync.graph.nodes import Graph, Node, Run
from migsync.graph.reach import Reach
from migsync.graph.sides import Point, Sides


def graph_document(graph: Graph, reach: Reach | None = None) -> dict[str, Any]:
    """The graph's part of the document; keys are written ``APP.NAME``.

    `apps` and `migrations` are those shown, in order; the neighbours of a migration may be of any app. With `reach`
    each has its `ancestors` and `descendants`; `candidates` are there where they were asked for, and a migration's
    `candidate` is the place of the one that it is in.
    """
    document: dict[str, Any] = {
        "apps": [{"label": app, "first_party": app in graph.history.first_party} for app in graph.apps],
        "migrations": [_migration(graph, node, reach) for node in graph.nodes.values()],
    }
    if graph.runs is not None:
        document["candidates"] = [_run(run) for run in graph.runs]
    return document


def _migration(graph: Graph, node: Node, reach: Reach | None) -> dict[str, Any]:
    document: dict[str, Any] = {
        "app": node.key.app,
        "name": node.key.name,
        "file": node.path,
        "dependencies": [str(key) for key in node.parents],
        "dependents": [str(key) for key in node.children],
        "replaces": [str(key) for key in node.replaces],
        "replaced_by": [str(key) for key in node.replaced_by],
        "merge": node.merge,
    }
    if reach:
        document["ancestors"] = [str(key) for key in reach.above(node.key)]
        document["descendants"] = [str(key) for key in reach.below(node.key)]
    if graph.aliases:
        document["state"] = {alias: standing.value for alias, standing in node.standings.items()}
    if graph.runs is not None:
        document["candidate"] = node.run
    return document


def _run(run: Run) -> dict[str, Any]:
    return {
        "migrations": [str(key) for key in run.keys],
        "saves": run.saves,
        "stops": list(run.stops),
        "risks": list(run.risks),
    }


def sides_document(sides: Sides) -> dict[str, Any]:
    """A rewrite's part of the document: `before`, `after`, and `became`, which pairs migrations of the two."""
    return {
        "rewrite": {"id": sides.rewrite.id, "file": sides.rewrite.path, "command": sides.rewrite.command},
        "before": [_point(point) for point in sides.before.values()],
        "after": [_point(point) for point in sides.after.values()],
        "became": [[str(old), str(new)] for old, new in sides.links],
        "after_is_on_disk": sides.on_disk,
    }


def _point(point: Point) -> dict[str, Any]:
    return {
        "app": point.key.app,
        "name": point.key.name,
        "dependencies": [str(parent) for parent in point.parents],
        "fate": point.fate.value,
    }
