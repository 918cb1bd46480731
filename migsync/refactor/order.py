"""An order in which the migrations of several apps can be put in line without making a cycle across apps."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import pairwise

from migsync.history import History, Key
from migsync.history.digraph import Digraph, find_cycle
from migsync.refactor.numbers import by_number


@dataclass(frozen=True, slots=True)
class Unit:
    """What takes one place in an order: a migration, or a squash together with what it replaces, still on disk.

    `links` are in line, one behind the other; `covers` are the squashes beside them. Django puts a cover in the place
    of its links or takes it out, database by database, so nothing may stand between them.
    """

    links: tuple[Key, ...]
    covers: tuple[Key, ...] = ()


@dataclass(frozen=True)
class Units:
    """All migrations as units; a unit is known by the first of its links. The graph is that between units."""

    graph: Digraph = field(compare=False)
    _units: Mapping[Key, Unit]
    _homes: Mapping[Key, Key]

    def home(self, key: Key) -> Key:
        """The unit that a migration is in."""
        return self._homes.get(key, key)

    def __getitem__(self, home: Key) -> Unit:
        return self._units.get(home) or Unit((home,))

    def apps(self, home: Key) -> frozenset[str]:
        """The apps whose migrations are in this unit: one, unless a squash replaces migrations of another app."""
        unit = self[home]
        return frozenset(key.app for key in (*unit.links, *unit.covers))

    @property
    def across_apps(self) -> list[Unit]:
        """The units that span several apps."""
        return [unit for home, unit in self._units.items() if len(self.apps(home)) > 1]


@dataclass(frozen=True)
class Arrangement:
    """`chains` has the units of each app that is put in line, in order; with a `cycle` there is no order."""

    units: Units
    chains: Mapping[str, tuple[Unit, ...]]
    cycle: tuple[Key, ...] = ()

    @property
    def is_forced(self) -> bool:
        """Whether there was no choice: in each app every unit directly depends on the one before it."""
        parents = self.units.graph.parents
        return all(
            self.units.home(up.links[0]) in parents[self.units.home(down.links[0])]
            for chain in self.chains.values()
            for up, down in pairwise(chain)
        )


def units_of(history: History) -> Units:
    """Group squashes with what they replace; squashes that share something are in one unit."""
    covers = {
        key: [replaced for replaced in migration.replaces if replaced in history.migrations and replaced != key]
        for key, migration in history.migrations.items()
        if migration.replaces
    }
    neighbours: dict[Key, set[Key]] = {}
    for squash, replaced in covers.items():
        for key in replaced:
            neighbours.setdefault(squash, set()).add(key)
            neighbours.setdefault(key, set()).add(squash)
    units: dict[Key, Unit] = {}
    homes: dict[Key, Key] = {}
    for start in sorted(neighbours):
        if start not in homes:
            together = _reached(start, neighbours)
            beside = tuple(sorted(key for key in together if covers.get(key)))
            # A squash among the replaced is beside them too: it is a cover of the same unit.
            links = tuple(sorted(together.difference(beside))) or beside
            # Two squashes that replace each other leave nothing else to be in line.
            units[links[0]] = Unit(links, tuple(key for key in beside if key not in links))
            homes |= dict.fromkeys(together, links[0])
    graph = Digraph(homes.get(key, key) for key in history.migrations)
    for key in history.migrations:
        home = homes.get(key, key)
        for parent in history.parents(key):
            other = homes.get(parent, parent)
            if other != home:
                graph.connect(home, other)
    return Units(graph, units, homes)


def _reached(start: Key, neighbours: Mapping[Key, Collection[Key]]) -> set[Key]:
    found = {start}
    todo = [start]
    while todo:
        new = [key for key in neighbours[todo.pop()] if key not in found]
        found.update(new)
        todo += new
    return found


def arrange(
    history: History,
    chained: Collection[str],
    *,
    passing: AbstractSet[Key] = frozenset(),
    applied: Sequence[AbstractSet[Key]] = (),
    preferred: Sequence[Key] = (),
) -> Arrangement:
    """Find an order for each of the apps `chained`; `passing` are migrations that get no number (merges that go).

    `applied` are the migrations that count as applied in each database. `preferred` is an order to keep to in place of
    that by numbers and names.

    Why no cycle can come of it: there is one topological order of the units of *all* apps, over every dependency and
    run_before there is, and the chain of an app is that order restricted to the app. So every old edge and every new
    one, from a migration to the next of its app, leads forward in one and the same order, and a graph that has such
    an order has no cycle. The same holds for a database that has a squash in place of its unit, since the unit is one
    place in the order, and for one that has the unit's links, since these stand in the order of their own edges.

    Among the units that may come next, what is applied in more databases comes first: its parents are applied in as
    many at least, so it never has to wait for others. Then comes what no lower number of its app is missing before
    (that one waits for another app, which goes on first), what keeps its number by coming now, and only then the
    lowest number and name. It takes O(n log n) steps.
    """
    units = units_of(history)
    # In how many databases each migration is applied.
    counts = [sum(key in rows for rows in applied) for key in history.migrations] if applied else []
    spread = dict(zip(history.migrations, counts, strict=False))
    ready = _Ready(units, chained, passing, spread, preferred)
    graph, waits_for = units.graph, {home: len(parents) for home, parents in units.graph.parents.items()}
    for home, count in waits_for.items():
        if not count:
            ready.add(home)
    chains: dict[str, list[Unit]] = {app: [] for app in chained}
    while (found := ready.pop()) is not None:
        del waits_for[found]  # what is left in here at the end waits for itself: it is in a cycle, or behind one
        if found.app in chains:
            chains[found.app].append(_in_line(units[found], history, spread))
        for child in graph.children[found]:
            waits_for[child] -= 1
            if not waits_for[child]:
                ready.add(child)
    cycle = find_cycle(graph.parents, list(waits_for))
    return Arrangement(units, {app: tuple(chain) for app, chain in chains.items()}, cycle)


def _in_line(unit: Unit, history: History, spread: Mapping[Key, int]) -> Unit:
    """The unit with its links in the order of their edges; what is applied in more databases first, then by number."""
    if len(unit.links) == 1:
        return unit
    inside = set(unit.links)
    waits_for = {key: sum(parent in inside for parent in history.parents(key)) for key in unit.links}
    rank = {key: (-spread.get(key, 0), by_number(key.name), key) for key in unit.links}
    ready = [rank[key] for key, count in waits_for.items() if not count]
    heapq.heapify(ready)
    links: list[Key] = []
    while ready:
        *_, key = heapq.heappop(ready)
        links.append(key)
        for child in history.children(key):
            if child in inside:
                waits_for[child] -= 1
                if not waits_for[child]:
                    heapq.heappush(ready, rank[child])
    return Unit(tuple(links), unit.covers)


_Rank = tuple[int, tuple[float, str], Key]
# As `arrange` says: applied in fewer databases, a lower number waits, its number changes; then number and name.
_Offer = tuple[int, bool, bool, tuple[float, str], str, int, Key]


class _Ready:
    """The units that may come next. An app that is put in line offers one at a time: its best for its next number."""

    def __init__(
        self,
        units: Units,
        chained: Collection[str],
        passing: AbstractSet[Key],
        spread: Mapping[Key, int],
        preferred: Sequence[Key],
    ) -> None:
        self.units = units
        self.free: list[Key] = []
        self.offers: list[_Offer] = []
        self.lanes: dict[str, _Lane] = {}
        places = {key: place for place, key in enumerate(preferred)}
        ranks: dict[str, dict[Key, _Rank]] = {app: {} for app in chained}
        for home in units.graph:
            if home.app in ranks and home not in passing:
                ranks[home.app][home] = _rank(home, units[home], spread, places)
        self.lanes = {app: _Lane(app, found, by_number=not preferred) for app, found in ranks.items()}

    def add(self, home: Key) -> None:
        lane = self.lanes.get(home.app)
        if lane is None or home not in lane.ranks:
            heapq.heappush(self.free, home)
        else:
            lane.add(home)
            self._offer(lane)

    def pop(self) -> Key | None:
        # What gets no number comes as soon as it can: chained units may wait for it, and nothing is gained by waiting.
        if self.free:
            return heapq.heappop(self.free)
        while self.offers:
            *_, app, version, home = heapq.heappop(self.offers)
            lane = self.lanes[app]
            # A heap cannot take back an offer that a better one has replaced: it is passed over here.
            if version == lane.version:
                lane.take(home, len(self.units[home].links))
                self._offer(lane)
                return home
        return None

    def _offer(self, lane: _Lane) -> None:
        # Each addition makes a new offer, and with it the earlier one of this lane stale.
        lane.version += 1
        if (best := lane.best()) is not None:
            (level, number, home), waits, moves = best
            heapq.heappush(self.offers, (level, waits, moves, number, lane.app, lane.version, home))


def _rank(home: Key, unit: Unit, spread: Mapping[Key, int], places: Mapping[Key, int]) -> _Rank:
    counts = [spread.get(key, 0) for key in unit.links]
    # A unit may be applied in part: with the sum it comes behind what is applied in a database where not all of it
    # is, and before what is not applied in one where some of it is.
    own = min(by_number(key.name) for key in unit.links)
    if places:
        own = (min((places[key] for key in (*unit.links, *unit.covers) if key in places), default=len(places)), own[1])
    return (-(min(counts) + max(counts)), own, home)


class _Lane:
    """The units of one app, and the number that the next one gets."""

    def __init__(self, app: str, ranks: Mapping[Key, _Rank], *, by_number: bool) -> None:
        self.app = app
        self.keep_numbers = by_number
        self.ranks = ranks
        self.next_number = 1
        self.version = 0
        # A sorted list is a heap: `_least` takes away from its front what has become ready.
        self.blocked = sorted(ranks.values())
        self.ready: list[_Rank] = []
        self.by_number: dict[float, list[_Rank]] = {}
        self.is_ready: set[Key] = set()
        self.taken: set[Key] = set()

    def add(self, home: Key) -> None:
        rank = self.ranks[home]
        self.is_ready.add(home)
        heapq.heappush(self.ready, rank)
        heapq.heappush(self.by_number.setdefault(rank[1][0], []), rank)

    def take(self, home: Key, places: int) -> None:
        self.taken.add(home)
        self.next_number += places

    def best(self) -> tuple[_Rank, bool, bool] | None:
        """The unit to come next, as (rank, waits, moves); None where no unit of the app can come now.

        `waits`: a unit before it still waits for another app. `moves`: its number changes.
        """
        first = _least(self.ready, self.taken)
        if first is None:
            return None
        # For example: 0003_b and 0005_a are ready and number 5 is next. 0005_a comes now and keeps its number.
        same = _least(self.by_number.get(self.next_number, []), self.taken) if self.keep_numbers else None
        # A number is no reason to let what is applied in fewer databases go first.
        keeps = same is not None and same[0] == first[0]
        best = same if same is not None and keeps else first
        blocked = _least(self.blocked, self.is_ready)
        return best, blocked is not None and blocked < best, not keeps


def _least(heap: list[_Rank], passed: AbstractSet[Key]) -> _Rank | None:
    # A heap gives up nothing but its least: what was taken elsewhere is dropped when it comes to the front.
    while heap and heap[0][2] in passed:
        heapq.heappop(heap)
    return heap[0] if heap else None


def out_of_order(links: Iterable[Key], rows: AbstractSet[Key]) -> tuple[Key, Key] | None:
    """(a migration that is not applied, one behind it that is), where `rows` are not the beginning of `links`."""
    missing: Key | None = None
    for key in links:
        if key not in rows:
            missing = missing or key
        elif missing is not None:
            return missing, key
    return None
