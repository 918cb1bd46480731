"""Which old migrations each new one replaces, so that Django finds an order for them all: pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from migsync.worker.remake.unseen import Node

Place = tuple[str, int]
BETWEEN = 0.5


class CannotReplace(Exception):
    """The old migrations of `app` cannot be shared out among its new ones."""

    def __init__(self, app: str) -> None:
        super().__init__(app)
        self.app = app


@dataclass(frozen=True)
class Sharing:
    """The old graph (`order`, each after its `parents`) and the new `files` in an order in which they can run.

    `outside` says of a file what it depends on that is not made anew. Where Django takes a new migration for what it
    replaces, it gives it all that these depended on and were needed by. So every old one must be replaced by a file
    whose place in the order is not before those of its parents.
    """

    order: Sequence[Node]
    parents: Mapping[Node, Sequence[Node]]
    files: Sequence[Place]
    outside: Mapping[Place, Sequence[Node]] = field(default_factory=dict)

    def shared(self) -> dict[Place, list[Node]]:
        """What each file replaces: nearly everything the first of an app, as little as can be the others.

        Raises CannotReplace where that makes a circle.
        """
        chosen: dict[Node, Place] = {}
        for app in self._of_app:
            chosen |= self._of(app)
        self._check(chosen)
        return {place: [node for node in self.order if chosen.get(node) == place] for place in self.files}

    @cached_property
    def _of_app(self) -> Mapping[str, list[Place]]:
        found: dict[str, list[Place]] = {}
        for place in self.files:
            found.setdefault(place[0], []).append(place)
        return found

    @cached_property
    def _earliest(self) -> Mapping[Node, float]:
        """How far down the order of files each old migration is at least."""
        found: dict[Node, float] = {}
        for node in self.order:
            least = max((found[parent] for parent in self.parents[node]), default=-1.0)
            if node[0] not in self._of_app:
                found[node] = math.floor(least) + BETWEEN
                continue
            fits = [number for number in map(self.files.index, self._of_app[node[0]]) if number >= least]
            if not fits:
                raise CannotReplace(node[0])
            found[node] = fits[0]
        return found

    def _of(self, app: str) -> dict[Node, Place]:
        """The app's own: as early as can be, and then the last of them to the files that are still without any."""
        places = self._of_app[app]
        chosen = {node: self.files[int(self._earliest[node])] for node in self.order if node[0] == app}
        free = [place for place in places if place not in chosen.values()]
        if len(chosen) < len(places):
            raise CannotReplace(app)
        last = list(chosen)
        while free:
            node, place = last.pop(), free.pop()
            later = [other for other in free if other > place]
            if chosen[node] > place or later or list(chosen.values()).count(chosen[node]) == 1:
                raise CannotReplace(app)
            chosen[node] = place
        return chosen

    def _check(self, chosen: Mapping[Node, Place]) -> None:
        place: dict[Node, float] = {}
        for node in self.order:
            least = max((place[parent] for parent in self.parents[node]), default=-1.0)
            place[node] = self.files.index(chosen[node]) if node in chosen else math.floor(least) + BETWEEN
            if node in chosen and place[node] < least:
                raise CannotReplace(node[0])
        for file, nodes in self.outside.items():
            if any(place.get(node, -1) > self.files.index(file) for node in nodes):
                raise CannotReplace(file[0])
