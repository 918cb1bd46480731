"""Where a range must be split: one migration in its place would close a cycle, do something else to rows, or fail.

**Cycles** are foreseen on the graph. A way that leaves the range at one of its migrations, leads through others, and
comes back at a later one becomes a circle when both are one. A part of the range is free of it when it does not hold
both ends. A part of a free part is free too; so the fewest parts come of making each as long as it can be, from the
left.

**Rows** are a matter of the databases that hold some. No proof shows it, since a proof runs on empty tables. In a range
that is suggested (:mod:`.safe_ranges`) nothing comes in between.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from migsync.findings import Finding
from migsync.findings.squash import cycle_foreseen, data_before_schema, runs_in_between
from migsync.history import History, Key
from migsync.refactor.squash.ranges import Range, typed
from migsync.refactor.squash.risks import changing, risks_of


class _Reach(NamedTuple):
    """The last migration of the range that a key comes after, by its place, and the key on the way from there."""

    place: int
    via: Key


def find_detour(history: History, keys: Sequence[Key]) -> tuple[Key, ...]:
    """A way out of the range and back into it: a key of `keys`, keys outside, a later key of `keys`.

    Each depends on the one before it. `keys` are in the graph's order, all on disk; empty where there is no such way.
    """
    after = _reached(history, keys)
    for key in keys:
        if back := _way_back(history, key, after):
            path = [key, back]
            while path[-1] in after:
                path.append(after[path[-1]].via)
            return tuple(reversed(path))
    return ()


def split_at_cycles(history: History, keys: Sequence[Key]) -> tuple[tuple[Key, ...], ...]:
    """The range in the fewest parts of which none closes a circle; a part of one key is no squash."""
    after = _reached(history, keys)
    parts: list[list[Key]] = []
    start = 0
    for place, key in enumerate(keys):
        # For example: shop.0001, shop.0002 -> blog.0001 -> shop.0003. The way back to 0003 left at 0002, so the parts
        # are 0001 to 0002, and 0003 on.
        back = _way_back(history, key, after)
        # A way that left the range in an earlier part, and comes back in this one, is no circle.
        if not parts or (back is not None and after[back].place >= start):
            parts.append([])
            start = place
        parts[-1].append(key)
    return tuple(map(tuple, parts))


def circle(history: History, wanted: Range) -> Finding | None:
    """The error that the squash would close a circle of dependencies, with where to split; None where it does not."""
    detour = find_detour(history, wanted.keys)
    if not detour:
        return None
    begin, *outside, end = detour
    return cycle_foreseen(
        migration=end,
        squash=wanted.squash,
        begin=begin,
        outside=outside,
        parts=typed(history, split_at_cycles(history, wanted.keys)),
        file=history.migrations[end].path,
    )


def _reached(history: History, keys: Sequence[Key]) -> Mapping[Key, _Reach]:
    """What is outside of the range and comes after some of it, without going through it again."""
    places = {key: place for place, key in enumerate(keys)}
    after: dict[Key, _Reach] = {}
    for key in history.order:
        if key not in places:
            found = [_Reach(places[up], up) for up in history.parents(key) if up in places]
            found += [_Reach(after[up].place, up) for up in history.parents(key) if up in after]
            if found:
                # Only the latest counts: a part that begins behind it is free of the ways from earlier ones too.
                after[key] = max(found)
    return after


def _way_back(history: History, key: Key, after: Mapping[Key, _Reach]) -> Key | None:
    """Of the parents of `key` that are outside and come after the range, the one that comes after its latest."""
    outside = [up for up in history.parents(key) if up in after]
    return max(outside, key=lambda up: after[up].place, default=None)


Parts: TypeAlias = Sequence[tuple[str, str]]
"""The parts of a range, the first and the last migration of each as they are typed."""


class SplitReason(NamedTuple):
    """A reason to split a range: after how many keys of the range, whether it must be, and its finding by the parts."""

    places: frozenset[int]
    must: bool
    finding: Callable[[Parts], Finding]


@dataclass(frozen=True)
class RowSplits:
    """Where a range must be split because of rows that are there.

    `lacking` are the migrations that databases with rows have still to run, with the aliases of these.
    `schema_after_data`: whether the engines in use all let a transaction change a table's schema after its rows.
    """

    history: History
    lacking: Mapping[Key, tuple[str, ...]] = field(default_factory=dict)
    schema_after_data: bool = True

    def findings(self, keys: Sequence[Key]) -> Iterator[Finding]:
        """Each reason to split the range, with the parts to type."""
        for split in self._splits(keys):
            yield split.finding(typed(self.history, self.parts(keys, split.places)))

    def parts(self, keys: Sequence[Key], also: Collection[int] = ()) -> list[tuple[Key, ...]]:
        """The range split wherever an error says so, and at the places `also`."""
        places = {place for split in self._splits(keys) if split.must for place in split.places} | {*also}
        if not places:
            return [tuple(keys)]
        ends = sorted({*places, len(keys)})
        # Each part is looked at again: what comes after a part's last migration is no longer in the middle of it.
        return [found for begin, end in zip([0, *ends], ends, strict=False) for found in self.parts(keys[begin:end])]

    def _splits(self, keys: Sequence[Key]) -> Iterator[SplitReason]:
        yield from filter(None, (self._between(keys), self._after_data(keys)))

    def _between(self, keys: Sequence[Key]) -> SplitReason | None:
        """What runs after one key of the range, and did not have to wait for the last."""
        # What comes after the last of the range comes after the squash too, as it did.
        outside = {key: it.place for key, it in _reached(self.history, keys).items() if it.place < len(keys) - 1}
        if not outside:
            return None
        migrations = self.history.migrations
        # Elidable operations count here: these migrations are not squashed, so they run.
        data = changing(risks_of((migrations[key] for key in outside), outside))
        behind = self.lacking.get(keys[0], ())
        # Where some may change data, the others only find other tables, which the proof looks at.
        chosen = [key for key in outside if behind or not data or key in data]
        first = chosen[0]
        return SplitReason(
            frozenset(outside[key] + 1 for key in chosen),
            bool(behind or first in data),
            lambda parts: runs_in_between(
                migration=first,
                others=len(chosen) - 1,
                after=keys[outside[first]],
                last=keys[-1].name,
                data=first in data,
                behind=behind,
                parts=parts,
                file=migrations[first].path,
            ),
        )

    def _after_data(self, keys: Sequence[Key]) -> SplitReason | None:
        """What follows a change of data in the one transaction that there would be."""
        migrations = [self.history.migrations[key] for key in keys]
        # One with atomic = False makes the whole squash so: then there is no transaction.
        if not all(migration.atomic for migration in migrations):
            return None
        data = changing(risks_of(migrations, self.lacking))
        places = [place for place, key in enumerate(keys[:-1], 1) if key in data]
        if not places:
            return None
        first, following = keys[places[0] - 1], keys[places[0]]
        must = not self.schema_after_data
        return SplitReason(
            frozenset(places),
            must,
            lambda parts: data_before_schema(
                migration=first,
                following=following.name,
                must=must,
                parts=parts,
                file=self.history.migrations[first].path,
            ),
        )
