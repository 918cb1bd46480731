"""Cycles that one migration in the place of a range would make, foreseen on the graph, and where a split avoids them.

A way that leaves the range at one of its migrations, leads through others, and comes back at a later one becomes a
circle when both are one. A part of the range is free of it when it does not hold both ends. A part of a free part is
free too; so the fewest parts come of making each as long as it can be, from the left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from migsync.history import History, Key


class _Reach(NamedTuple):
    """The last migration of the range that a key comes after, by its place, and the key on the way from there."""

    place: int
    via: Key


def find_detour(history: History, keys: Sequence[Key]) -> tuple[Key, ...]:
    """A way out of the range and back into it: a key of `keys`, keys outside, a later key of `keys`.

    Each depends on the one before it. `keys` are in the graph's order, all on disk; empty where there is no such way.
    """
    after = reached(history, keys)
    for key in keys:
        if back := _way_back(history, key, after):
            path = [key, back]
            while path[-1] in after:
                path.append(after[path[-1]].via)
            return tuple(reversed(path))
    return ()


def split(history: History, keys: Sequence[Key]) -> tuple[tuple[Key, ...], ...]:
    """The range in the fewest parts of which none closes a circle; a part of one key is no squash."""
    after = reached(history, keys)
    parts: list[list[Key]] = []
    start = 0
    for place, key in enumerate(keys):
        back = _way_back(history, key, after)
        if not parts or (back is not None and after[back].place >= start):
            parts.append([])
            start = place
        parts[-1].append(key)
    return tuple(map(tuple, parts))


def reached(history: History, keys: Sequence[Key]) -> Mapping[Key, _Reach]:
    """What is outside of the range and comes after some of it, without going through it again."""
    places = {key: place for place, key in enumerate(keys)}
    after: dict[Key, _Reach] = {}
    for key in history.order:
        if key not in places:
            found = [_Reach(places[up], up) for up in history.parents(key) if up in places]
            found += [_Reach(after[up].place, up) for up in history.parents(key) if up in after]
            if found:
                after[key] = max(found)
    return after


def _way_back(history: History, key: Key, reached: Mapping[Key, _Reach]) -> Key | None:
    """Of the parents of `key` that are outside and come after the range, the one that comes after its latest."""
    outside = [up for up in history.parents(key) if up in reached]
    return max(outside, key=lambda up: reached[up].place, default=None)
