"""The transitive closure: what each migration depends on and what depends on it, directly or not, in every app."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from migsync.history import History, Key


@dataclass(frozen=True)
class Closure:
    """Sets of migrations as the bits of integers, in the order of `order`: ten thousand of them fit in 25 MB."""

    order: Sequence[Key]
    _ancestors: Mapping[Key, int]
    _descendants: Mapping[Key, int]

    def ancestors(self, key: Key) -> tuple[Key, ...]:
        """All that `key` depends on, in order; never `key` itself."""
        return self._keys(key, self._ancestors[key])

    def descendants(self, key: Key) -> tuple[Key, ...]:
        """All that depend on `key`, in order; never `key` itself."""
        return self._keys(key, self._descendants[key])

    def _keys(self, key: Key, bits: int) -> tuple[Key, ...]:
        # The lowest bit, which is the last digit, is the first key.
        named = zip(self.order, reversed(f"{bits:b}"), strict=False)
        return tuple(each for each, bit in named if bit == "1" and each != key)


def make_closure(history: History) -> Closure:
    """The closure of all migrations on disk; those of a cycle are ancestors and descendants of each other."""
    order = history.order
    loops = bool(history.cycle)
    return Closure(
        order,
        _spread(order, order, history.parents, loops=loops),
        _spread(order, order[::-1], history.children, loops=loops),
    )


def _spread(
    order: Sequence[Key], walk: Iterable[Key], neighbours: Callable[[Key], Sequence[Key]], *, loops: bool
) -> Mapping[Key, int]:
    """For each migration, the bits of all that `neighbours` leads to."""
    bit = {key: 1 << place for place, key in enumerate(order)}
    found = dict.fromkeys(order, 0)
    grown = True
    # Along `walk` each migration comes after its neighbours, so one pass is complete. In a cycle none comes first, and
    # the passes go on until one finds nothing new.
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
