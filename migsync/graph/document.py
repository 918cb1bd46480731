"""The graph as JSON values."""

from __future__ import annotations

from typing import Any

from migsync.graph.before_after import RewriteGraph, RewriteNode
from migsync.graph.closure import Closure
from migsync.graph.nodes import Graph, Node, SquashRange


def graph_document(graph: Graph, closure: Closure | None = None) -> dict[str, Any]:
    """The graph's part of the document; keys are written ``APP.NAME``.

    `apps` and `migrations` are those shown, in order; the neighbours of a migration may be of any app. With `closure`
    each has its `ancestors` and `descendants`; `candidates` are there where they were asked for, and a migration's
    `candidate` is the place of the one that it is in.
    """
    document: dict[str, Any] = {
        "apps": [{"label": app, "first_party": app in graph.history.first_party} for app in graph.apps],
        "migrations": [_migration(graph, node, closure) for node in graph.nodes.values()],
    }
    if graph.ranges is not None:
        document["candidates"] = [_range(each) for each in graph.ranges]
    return document


def _migration(graph: Graph, node: Node, closure: Closure | None) -> dict[str, Any]:
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
    if closure:
        document["ancestors"] = [str(key) for key in closure.ancestors(node.key)]
        document["descendants"] = [str(key) for key in closure.descendants(node.key)]
    if graph.aliases:
        document["state"] = {alias: state.value for alias, state in node.states.items()}
    if graph.ranges is not None:
        document["candidate"] = node.range
    return document


def _range(found: SquashRange) -> dict[str, Any]:
    return {
        "migrations": [str(key) for key in found.keys],
        "saves": found.saves,
        "stops": list(found.stops),
        "risks": list(found.risks),
    }


def rewrite_document(graph: RewriteGraph) -> dict[str, Any]:
    """A rewrite's part of the document: `before`, `after`, and `became`, which pairs migrations of the two."""
    return {
        "rewrite": {"id": graph.rewrite.id, "file": graph.rewrite.path, "command": graph.rewrite.command},
        "before": [_rewrite_node(node) for node in graph.before.values()],
        "after": [_rewrite_node(node) for node in graph.after.values()],
        "became": [[str(old), str(new)] for old, new in graph.links],
        "after_is_on_disk": graph.on_disk,
    }


def _rewrite_node(node: RewriteNode) -> dict[str, Any]:
    return {
        "app": node.key.app,
        "name": node.key.name,
        "dependencies": [str(parent) for parent in node.parents],
        "fate": node.effect.value,
    }
