"""The graph as one HTML file that needs nothing else: no network, no other file.

Its policy (Content-Security-Policy) lets it run and load nothing but what is in it, told by their digests, so also a
name that found a way out of the data would do nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Any

from migsync.escapes import html_text, printable
from migsync.graph.before_after import RewriteGraph, RewriteNode
from migsync.graph.drawing import number_of
from migsync.graph.nodes import Graph, Node, SquashRange
from migsync.history import Key

SCRIPTS = ("layout.js", "pane.js", "links.js", "page.js")
ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


def graph_page(graph: Graph, title: str, root: str) -> str:
    """The page of a graph; files are shown as they are called from `root`, and not at all outside of it."""
    outside = dict.fromkeys(key for edge in graph.edges() for key in edge if key not in graph.nodes)
    place = {key: number for number, key in enumerate([*graph.nodes, *outside])}
    nodes = [_node(node, place, root) for node in graph.nodes.values()]
    parents: dict[Key, list[int]] = {key: [] for key in outside}
    for tail, head in graph.edges():
        if head in outside:
            parents[head].append(place[tail])
    nodes += [{**_named(key), "kind": "outside", "parents": parents[key]} for key in outside]
    return _page(title, [{"title": "", "nodes": nodes}], aliases=graph.aliases, ranges=graph.ranges or ())


def rewrite_page(graph: RewriteGraph, title: str) -> str:
    """The page of a rewrite: before and after, side by side."""
    before = {key: number for number, key in enumerate(graph.before)}
    after = {key: number for number, key in enumerate(graph.after)}
    label, command = graph.rewrite.label, graph.rewrite.command
    notes = ["a rewrite does not tell dependencies between apps before it"]
    if not graph.on_disk:
        notes.append("the names after it are not all on disk: dependencies there are those in each app")
    return _page(
        title,
        [
            {"title": f"before {label}", "nodes": _rewrite_nodes(graph.before, before)},
            {"title": f"after {label} ({command})", "nodes": _rewrite_nodes(graph.after, after)},
        ],
        links=[[before[old], after[new]] for old, new in graph.links],
        notes=notes,
    )


def _node(node: Node, place: Mapping[Key, int], root: str) -> dict[str, Any]:
    file = os.path.relpath(node.path, root) if node.path else ""
    found = {
        **_named(node.key),
        "kind": node.kind,
        "parents": [place[parent] for parent in node.parents],
        "file": "" if file.startswith("..") else file,
        "replaces": [str(key) for key in node.replaces],
        "by": [place[key] for key in node.replaced_by if key in place],
        "run": node.range,
        "state": {alias: state.value for alias, state in node.states.items()},
    }
    return {name: value for name, value in found.items() if name == "parents" or value not in (None, "", [], {})}


def _rewrite_nodes(nodes: Mapping[Key, RewriteNode], place: Mapping[Key, int]) -> list[dict[str, Any]]:
    return [
        {
            **_named(node.key),
            "kind": "plain",
            "fate": node.effect.value,
            "parents": [place[parent] for parent in node.parents if parent in place],
        }
        for node in nodes.values()
    ]


def _named(key: Key) -> dict[str, str]:
    return {"app": key.app, "name": key.name}


def _range(found: SquashRange) -> dict[str, Any]:
    first, last = found.keys[0], found.keys[-1]
    name = f"{number_of(first.name)} … {number_of(last.name)} ({len(found.keys)}), saves {found.saves}"
    return {"name": name, "stops": list(found.stops), "risks": list(found.risks)}


def _page(
    title: str,
    sides: Sequence[Mapping[str, Any]],
    *,
    aliases: Sequence[str] = (),
    ranges: Iterable[SquashRange] = (),
    links: Sequence[Sequence[int]] = (),
    notes: Sequence[str] = (),
) -> str:
    data = {
        "aliases": list(aliases),
        "runs": [_range(each) for each in ranges],
        "links": links,
        "notes": list(notes),
        "sides": sides,
    }
    return standalone_page("migsync.graph", "page", SCRIPTS, title=html_text(title), data=embedded(data))


def standalone_page(package: str, name: str, scripts: Sequence[str], **parts: str) -> str:
    """A page made of `name`.html, `name`.css and the scripts in the directory ``web`` of a package.

    `parts` take the place of their names in the template. They are HTML, or what :func:`embedded` returns.
    """

    def text(file: str) -> str:
        return files(package).joinpath("web", file).read_text(encoding="utf-8")

    style, script = text(f"{name}.css"), "".join(map(text, scripts))
    parts = {
        **parts,
        "style": style,
        "style_hash": _digest(style),
        "script": script,
        "script_hash": _digest(script),
    }
    # In one pass: a name in the data that looks like ``{{script}}`` is not replaced in turn.
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], text(f"{name}.html"))


def embedded(data: Mapping[str, Any]) -> str:
    """JSON that stays inside of its script element, whatever names are in it."""
    text = json.dumps(_shown(data), ensure_ascii=False, separators=(",", ":"))
    return re.sub("[<>&]", lambda found: ESCAPES[found[0]], text)


def _shown(value: Any) -> Any:  # noqa: ANN401 -- a JSON value, as it is in and out
    """The value with every text as the page shows it."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, Mapping):
        return {printable(key): _shown(one) for key, one in value.items()}
    return [_shown(one) for one in value] if isinstance(value, list | tuple) else value


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
