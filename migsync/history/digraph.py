"""A directed graph of migration keys, with the two ways in which Django puts a squash in or takes it out."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from migsync.history.migration import Key


class Digraph:
    """Parents and children of each key. Edges may name keys that were not added: Django calls those dummy nodes.

    `parents` and `children` always have the same keys, in the order in which they were added.
    """

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        self.parents: dict[Key, set[Key]] = {key: set() for key in keys}
        self.children: dict[Key, set[Key]] = {key: set() for key in self.parents}

    def __contains__(self, key: object) -> bool:
        return key in self.parents

    def __iter__(self) -> Iterator[Key]:
        return iter(self.parents)

    def copy(self) -> Digraph:
        """A graph of its own."""
        other = Digraph()
        other.parents = {key: set(parents) for key, parents in self.parents.items()}
        other.children = {key: set(children) for key, children in self.children.items()}
        return other

    def add(self, key: Key) -> None:
        """Add a key without edges, unless it is there."""
        if key not in self.parents:
            self.parents[key] = set()
            self.children[key] = set()

    def connect(self, child: Key, parent: Key) -> None:
        """Add an edge between two keys that are there."""
        self.parents[child].add(parent)
        self.children[parent].add(child)

    def put_in(self, squash: Key, replaced: Collection[Key]) -> None:
        """Let `squash` take the place of all `replaced` (``MigrationGraph.remove_replaced_nodes``)."""
        gone = set(replaced)
        for key in gone & self.parents.keys():
            parents, children = self.parents.pop(key), self.children.pop(key)
            # An edge inside `gone` is dropped: moved, it would lead from the squash to itself.
            # Without `key`: a file can name itself as a dependency, and its own sets are popped by now.
            for child in children - {key}:
                self.parents[child].discard(key)
                if child not in gone:
                    self.connect(child, squash)
            for parent in parents - {key}:
                self.children[parent].discard(key)
                if parent not in gone:
                    self.connect(squash, parent)

    def take_out(self, squash: Key, replaced: Collection[Key]) -> None:
        """Drop `squash`; its children depend on the last of `replaced` instead (``remove_replacement_node``)."""
        parents, children = self.parents.pop(squash), self.children.pop(squash)
        present = {key for key in replaced if key in self.parents}
        # Those on which no other one depends: what ran last, where all of them ran.
        last = present - {parent for key in present for parent in self.parents[key]}
        for child in children - {squash}:
            self.parents[child].discard(squash)
            for key in last:
                self.connect(child, key)
        # What the squash depended on is not handed on: the replaced migrations have parents of their own.
        for parent in parents - {squash}:
            self.children[parent].discard(squash)

    def roots(self, keys: Iterable[Key]) -> list[Key]:
        """Those of `keys`, sorted, that depend on nothing in their own app."""
        return sorted(key for key in keys if all(parent[0] != key[0] for parent in self.parents[key]))

    def leaves(self, keys: Iterable[Key]) -> list[Key]:
        """Those of `keys`, sorted, on which nothing in their own app depends."""
        return sorted(key for key in keys if all(child[0] != key[0] for child in self.children[key]))

    def cycle(self) -> tuple[Key, ...]:
        """The keys of one cycle, each depending on the one before it; empty when there is none."""
        return find_cycle(self.parents, topological_order(self.parents, self.children)[1])


def topological_order(
    parents: Mapping[Key, Collection[Key]], children: Mapping[Key, Collection[Key]]
) -> tuple[list[Key], list[Key]]:
    """All keys that can be ordered, parents first and otherwise by key; and the rest: in a cycle or behind one."""
    # The heap holds places in this list: numbers are compared faster than keys.
    by_rank = sorted(parents)
    rank = {key: place for place, key in enumerate(by_rank)}
    waits_for = [len(parents[key]) for key in by_rank]
    ready = [place for place, count in enumerate(waits_for) if not count]
    order: list[Key] = []
    while ready:
        key = by_rank[heapq.heappop(ready)]
        order.append(key)
        for child in children[key]:
            place = rank[child]
            waits_for[place] -= 1
            if not waits_for[place]:
                heapq.heappush(ready, place)
    return order, [key for place, key in enumerate(by_rank) if waits_for[place]]


def find_cycle(parents: Mapping[Key, Collection[Key]], unordered: Sequence[Key]) -> tuple[Key, ...]:
    """A cycle among the keys that could not be ordered: each of them has such a parent, so going up comes round."""
    if not unordered:
        return ()
    rest = set(unordered)
    seen: dict[Key, int] = {}
    path: list[Key] = []
    key = min(unordered)
    # The way up enters a cycle sooner or later; what lies before it on the path is cut off below.
    while key not in seen:
        seen[key] = len(path)
        path.append(key)
        # The smallest, so that the same files always lead to the same cycle, and to the same message.
        key = min(parent for parent in parents[key] if parent in rest)
    cycle = path[seen[key] :][::-1]
    start = cycle.index(min(cycle))
    return (*cycle[start:], *cycle[:start])
