"""The graph as boxes and arrows, for the languages that draw them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from migsync.graph.nodes import Graph, Node, NodeKind
from migsync.history import Key

SHORTEST_CHAIN = 3
"""Two migrations in one box are no easier to read than two boxes."""


@dataclass(frozen=True)
class Box:
    """`keys` are in order, and more than one only in a chain. `safe` where they are in a range that can be squashed."""

    keys: tuple[Key, ...]
    kind: NodeKind
    safe: bool = False
    replaces: int = 0

    @property
    def app(self) -> str:
        """The app that all of its migrations are in."""
        return self.keys[0].app

    @property
    def label(self) -> str:
        """What is written in it: a name, ``0003 … 0017 (15)``, or APP.NAME where it stands outside of its app."""
        first = self.keys[0]
        if self.kind is NodeKind.CHAIN:
            return f"{number_of(first.name)} … {number_of(self.keys[-1].name)} ({len(self.keys)})"
        if self.kind is NodeKind.OUTSIDE:
            return str(first)
        return f"{first.name} (replaces {self.replaces})" if self.kind is NodeKind.SQUASH else first.name


@dataclass(frozen=True)
class Arrow:
    """From the box `tail` to the box `head` (places in `Drawing.boxes`), from what comes first to what follows.

    `stands`: the head is a squash that replaces the tail.
    """

    tail: int
    head: int
    stands: bool = False


@dataclass(frozen=True)
class Drawing:
    """`boxes` are app by app, those outside last."""

    apps: tuple[str, ...]
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]

    @cached_property
    def inside(self) -> Mapping[str, Sequence[int]]:
        """The places of each app's boxes; those outside are in none."""
        found: dict[str, list[int]] = {app: [] for app in self.apps}
        for place, box in enumerate(self.boxes):
            if box.kind is not NodeKind.OUTSIDE:
                found[box.app].append(place)
        return found


def draw(graph: Graph, *, collapse: bool = False) -> Drawing:
    """Every migration in a box of its own; with `collapse`, chains without an edge to another app in one."""
    boxes = [box for app in graph.apps for box in _boxes(graph.by_app[app], collapse=collapse)]
    place = {key: number for number, box in enumerate(boxes) for key in box.keys}
    for edge in graph.edges():
        for key in edge:
            if key not in place:
                place[key] = len(boxes)
                boxes.append(Box((key,), NodeKind.OUTSIDE))
    arrows = [Arrow(place[tail], place[head]) for tail, head in graph.edges() if place[tail] != place[head]]
    for node in graph.nodes.values():
        arrows += [Arrow(place[node.key], place[key], stands=True) for key in node.replaced_by if key in place]
    return Drawing(graph.apps, tuple(boxes), tuple(dict.fromkeys(arrows)))


def _boxes(nodes: Sequence[Node], *, collapse: bool) -> Iterator[Box]:
    chains = _chains(nodes) if collapse else {}
    for node in nodes:
        chain = chains.get(node.key)
        if chain is None:
            yield Box((node.key,), node.kind, node.range is not None, len(node.replaces))
        elif chain[0] == node.key:
            yield Box(chain, NodeKind.CHAIN, node.range is not None)


def _chains(nodes: Sequence[Node]) -> dict[Key, tuple[Key, ...]]:
    """For each migration in a chain that is long enough, the chain."""
    by_key = {node.key: node for node in nodes}
    follower = {
        node.key: node.children[0]
        for node in nodes
        if len(node.children) == 1 and _joins(node, by_key.get(node.children[0]))
    }
    followers = set(follower.values())
    found: dict[Key, tuple[Key, ...]] = {}
    for key in by_key:
        if key in followers or key not in follower:
            continue
        chain = [key]
        while chain[-1] in follower:
            chain.append(follower[chain[-1]])
        if len(chain) >= SHORTEST_CHAIN:
            found.update(dict.fromkeys(chain, tuple(chain)))
    return found


def _joins(node: Node, child: Node | None) -> bool:
    """Whether `child` may share a box with `node`, which it alone follows."""
    return (
        child is not None
        and child.parents == (node.key,)
        # Else a box would hide where the range ends.
        and node.range == child.range
        and _is_inner(node)
        and _is_inner(child)
    )


def _is_inner(node: Node) -> bool:
    """No edge to another app, and nothing to do with a squash."""
    neighbours = (*node.parents, *node.children)
    return not node.replaces and not node.replaced_by and all(key.app == node.key.app for key in neighbours)


def number_of(name: str) -> str:
    """``0003`` of ``0003_price``; the whole name where it has no number."""
    found = re.match(r"\d+", name)
    return found[0] if found else name
