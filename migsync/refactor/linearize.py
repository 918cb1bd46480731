"""``linearize``: each app becomes a chain 0001..N in which every migration has one predecessor, without merges."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from migsync.files.reshape import DependencyChanges, Expectation, KeyChanges, Reshape
from migsync.findings import Finding
from migsync.findings.order import cross_app_dropped, squash_torn
from migsync.history import FIRST, SETTING, History, Key, Migration
from migsync.refactor.contradiction import Contradictions, solvable
from migsync.refactor.merges import Merges, find_merges
from migsync.refactor.need import read_source
from migsync.refactor.numbers import name_findings, renames, width_of
from migsync.refactor.order import Arrangement, Unit, arrange
from migsync.refactor.preconditions import applied_order, broken, chosen_apps, command_text, impossible, overlapping
from migsync.refactor.symbolic_dependencies import moved_ends


def linearize(
    history: History,
    *,
    apps: Collection[str] = (),
    applied: Mapping[str, AbstractSet[Key]] = {},
    strip_cross_app: bool = False,
    source: Callable[[Migration], bytes] = read_source,
) -> Reshape:
    """Put each of `apps` (none: all first-party apps) in line.

    `applied` are the recorded keys of each reachable database, by alias; what is applied in one comes before what is
    not, also where a dependency says otherwise and neither needs the other (:mod:`.contradiction`). An app that is in
    line and without gaps is left as it is, and nothing that only concerns such an app refuses. A squash whose replaced
    files are gone is a migration like others. One whose replaced files are still there stands beside them with the
    number of the first, so that new and migrated databases both load. A name without a number gets one, since the chain
    is 0001..N. `source` reads the file of a migration. Raises UsageError for an app that is not of this project.

    Branches that touch the same thing can mean something else in another order, which only the proof of the result
    can tell. So where there is a choice, `Reshape.otherwise` makes them in the order in which ``migrate`` runs them
    today: that keeps the state, at the price of more renaming.
    """
    command = command_text("linearize", apps, *(["--strip-cross-app"] if strip_cross_app else []))
    chosen = chosen_apps(history, apps)
    if errors := broken(history):
        return Reshape(command, findings=errors)
    merges = find_merges(history, chosen, keep_cross_app=not strip_cross_app)
    # For the order, what counts as applied once squashes are judged. New names are compared with the rows themselves.
    states = {alias: history.state(rows).applied for alias, rows in applied.items()}
    rows = list(states.values())
    refused = {alias: states[alias] for alias, keys in applied.items() if history.state(keys).inconsistent}
    early = solvable(Contradictions(history, refused, source), chosen)
    if needed := tuple(early.refusals()):
        return Reshape(command, findings=needed)
    ordered = early.loosened if early.pairs else history
    arrangement = arrange(ordered, chosen, passing=merges.going, applied=rows)
    if errors := tuple(impossible(arrangement)):
        return Reshape(command, findings=errors)
    line = _Line(history, command, chosen, merges, applied, states, strip_cross_app, early)
    reshape = line.reshape(arrangement)
    if arrangement.is_forced:
        return reshape
    # There was a choice, and only the proof can tell whether it was a good one: keep what migrate does today at hand.
    migrated = history.state(frozenset()).pending
    other = arrange(ordered, chosen, passing=merges.going, applied=rows, preferred=migrated)
    return reshape if other == arrangement else replace(reshape, otherwise=lambda _: line.reshape(other))


@dataclass(frozen=True)
class _Line:
    """What is asked for, whatever the order."""

    history: History
    command: str
    apps: Sequence[str]
    merges: Merges
    applied: Mapping[str, AbstractSet[Key]]
    states: Mapping[str, AbstractSet[Key]]
    strip_cross_app: bool
    early: Contradictions

    def reshape(self, arrangement: Arrangement) -> Reshape:
        """The apps in this order."""
        chains = [_Chain(self.history, app, arrangement, self.merges) for app in self.apps]
        changed = [chain for chain in chains if chain.changes]
        dropped = _cross_app(self.history, self.apps, self.merges) if self.strip_cross_app else {}
        parents = {key: parents for chain in changed for key, parents in chain.parents.items()}
        dropped = {**self.early.dropped, **dropped}
        reshape = Reshape(
            self.command,
            KeyChanges(
                renamed={old: new for chain in changed for old, new in chain.renamed.items()},
                removed={merge: stands for chain in changed for merge, stands in chain.removed.items()},
            ),
            DependencyChanges(
                parents={**parents, **self.early.with_added(parents)},
                dropped=dropped,
                redirected=self.early.not_before,
                unordered=self.early.unordered,
            ),
            expected=Expectation(
                dict.fromkeys(sorted({chain.app for chain in changed} | {key.app for key in dropped}), 1)
            ),
            apps=frozenset(self.apps),
        )
        links = {chain.app: chain.links for chain in changed}
        found = [
            *self.merges.findings,
            *overlapping(self.history, list(links)),
            *(finding for chain in changed for finding in chain.findings),
            *(
                finding
                for chain in chains
                # A line that stays as it is may be the one that a database refuses.
                if chain.changes or chain.app in {key.app for key in self.early.unordered}
                for finding in applied_order(self.history, chain.app, chain.links, self.states, self.early.applied)
            ),
            *name_findings(self.history, reshape.keys.renamed, reshape.keys.removed, self.applied),
            *moved_ends(self.history, arrangement.units, links),
            *(_stripped(self.history, dropped) if self.strip_cross_app else ()),
        ]
        return replace(reshape, findings=tuple(found))


@dataclass
class _Chain:
    """What becomes of one app."""

    history: History
    app: str
    arrangement: Arrangement
    merges: Merges
    links: list[Key] = field(default_factory=list)
    renamed: dict[Key, Key] = field(default_factory=dict)
    removed: dict[Key, tuple[Key, ...]] = field(default_factory=dict)
    parents: dict[Key, tuple[Key, ...]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._ends: dict[Key, set[Key]] = {}
        covers = self._put_in_line()
        places = {key: place for place, key in enumerate(self.links)}
        beside = {cover: self._beside(cover, replaced, places) for cover, replaced in covers.items()}
        for key, place in places.items():
            self._point(key, self.links[place - 1] if place else None)
        for cover, (first, _) in beside.items():
            self._point(cover, self.links[first - 1] if first else None)
        numbers = {key: place + 1 for key, place in places.items()}
        numbers |= {cover: first + 1 for cover, (first, _) in beside.items()}
        width = width_of(self.history.names(self.app))
        self.renamed = renames(list(numbers), numbers, width)

    @property
    def changes(self) -> bool:
        """Whether anything of the app changes."""
        return bool(self.renamed or self.removed or self.parents)

    def _put_in_line(self) -> dict[Key, set[Key]]:
        """Gather the links, and what each cover replaces among them."""
        covers: dict[Key, set[Key]] = {}
        for unit in self.arrangement.chains[self.app]:
            if unit.links[0] in self.merges.going:
                # In the order of the graph a merge comes after its parents, which are all in line by now.
                self.removed[unit.links[0]] = (self.links[-1],)
            else:
                self.links += unit.links
                covers |= {cover: _links_under(cover, unit, self.history) for cover in unit.covers}
        return covers

    def _beside(self, cover: Key, replaced: set[Key], places: Mapping[Key, int]) -> tuple[int, int]:
        """The first and last place that a squash stands beside."""
        # A squash stands beside one stretch of the line. What stands in between would come before it and after it.
        found = sorted(places[key] for key in replaced)
        first, last = found[0], found[-1]
        self._ends.setdefault(self.links[last], set()).add(cover)
        if last - first + 1 != len(found):
            between = [key.name for key in self.links[first : last + 1] if key not in replaced]
            self.findings.append(squash_torn(migration=cover, between=between))
        return first, last

    def _point(self, key: Key, previous: Key | None) -> None:
        """Give `key` its one parent, unless its file names that one, by whatever name, and no other."""
        migration = self.history.migrations[key]
        named = {parent for parent in migration.in_app_parents if parent.name != FIRST}
        if previous is None:
            if named:
                self.parents[key] = ()
            return
        # A file may name the squash that ends with the migration before it: with 0003_x replaced by 0001_squashed_0003,
        # either is right, for Django puts one in the place of the other.
        ends = {previous} | self._ends.get(previous, set())
        if len(named) != 1 or not any(self._means(parent) & ends for parent in named):
            # Of several right ones, one that the file names already: its text changes less.
            self.parents[key] = (min(named & ends, default=previous),)

    def _means(self, named: Key) -> set[Key]:
        """The migrations on disk that a name stands for: itself, or the squashes that replace it."""
        return {named} if named in self.history.migrations else set(self.merges.gone.get(named, ()))


def _links_under(cover: Key, unit: Unit, history: History) -> set[Key]:
    """What a squash replaces in the end, where squashes among it stand for what they replace."""
    links, found, seen = set(unit.links), set[Key](), {cover}
    todo = [cover]
    while todo:
        for key in history.migrations[todo.pop()].replaces:
            if key in links:
                found.add(key)
            elif key in unit.covers and key not in seen:
                seen.add(key)
                todo.append(key)
    return found


def _cross_app(history: History, apps: Collection[str], merges: Merges) -> dict[Key, frozenset[Key]]:
    """The dependencies on other apps; one on a setting names no app and stays."""
    found = {
        key: frozenset(other for other in migration.dependencies if other.app not in (key.app, SETTING))
        for key, migration in history.migrations.items()
        if key.app in apps and key not in merges.going
    }
    return {key: others for key, others in found.items() if others}


def _stripped(history: History, dropped: Mapping[Key, frozenset[Key]]) -> Iterator[Finding]:
    for key, others in dropped.items():
        yield cross_app_dropped(migration=key, others=sorted(others), file=history.migrations[key].path)
