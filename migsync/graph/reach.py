"""What every migration depends on and what depends on it, directly or not, in every app."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from migsync.history import History, Key


@dataclass(frozen=True)
class Reach:
    """Sets of migrations as the bits of numbers, in the order of `order`: ten thousand of them fit in 25 MB."""

    order: Sequence[Key]
    _above: Mapping[Key, int]
    _below: Mapping[Key, int]

    def above(self, key: Key) -> tuple[Key, ...]:
        """All that `key` depends on, in order; never `key` itself."""
        return self._keys(key, self._above[key])

    def below(self, key: Key) -> tuple[Key, ...]:
        """All that depend on `key`, in order; never `key` itself."""
        return self._keys(key, self._below[key])

    def _keys(self, key: Key, bits: int) -> tuple[Key, ...]:
        named = zip(self.order, reversed(f"{bits:b}"), strict=False)
        return tuple(each for each, bit in named if bit == "1" and each != key)


def make_reach(history: History) -> Reach:
    """The reach of all migrations on disk; those of a cycle reach each other."""
    order = history.order
    loops = bool(history.cycle)
    return Reach(
        order,
        _spread(order, order, history.parents, loops=loops),
        _spread(order, order[::-1], history.children, loops=loops),
    )


def _spread(
    order: Sequence[Key], walk: Iterable[Key], neighbours: Callable[[Key], Sequence[Key]], *, loops: bool
) -> Mapping[Key, int]:
    """One way along `walk` is enough where nothing is in a cycle; else until nothing new is found."""
    bit = {key: 1 << place for place, key in enumerate(order)}
    found = dict.fromkeys(order, 0)
    grown = True
    while grown:
        grown = False
        for key in walk:
            bits = found[key]
            for neighbour in neighbours(key):
                bits |= bit[neighbour] | found[neighbour]
            grown = grown or bits != found[key]
            found[key] = bits
        grown = grown and loops
    return found
