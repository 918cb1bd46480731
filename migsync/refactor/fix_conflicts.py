"""``fix-conflicts``: several leaves of an app become one, the whole of each branch behind the other."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import count

from migsync.files.reshape import ContentChanges, DependencyChanges, Expectation, KeyChanges, Reshape
from migsync.findings import Finding
from migsync.findings.order import branch_not_first, branches_entangled, unknown_branch, which_branch_first
from migsync.history import History, Key
from migsync.refactor.merges import merge_of
from migsync.refactor.numbers import (
    by_number,
    last_number,
    name_findings,
    number_of,
    numbered,
    renames,
    replaced_and_gone,
    width_of,
)
from migsync.refactor.order import Units, units_of
from migsync.refactor.preconditions import broken, chosen_apps, command_text, crosses_apps, overlapping
from migsync.refactor.symbolic_dependencies import moved_ends
from migsync.refactor.twins import twins


@dataclass(frozen=True)
class Branch:
    """One of several leaves of an app with what leads to it, down to where the other branches meet it.

    `migrations` are in an order in which they can be applied. What two of three branches share is in both.
    """

    leaf: Key
    migrations: tuple[Key, ...]

    def __str__(self) -> str:
        return " -> ".join(key.name for key in self.migrations)


def branches(history: History, app: str, units: Units | None = None) -> tuple[Branch, ...]:
    """The branches of an app that has several leaves, by number and name of the leaf; empty for one that has not.

    `units` are those of the history, where the caller has them already.
    """
    leaves = sorted(history.leaves(app), key=lambda leaf: by_number(leaf.name))
    if len(leaves) < 2:
        return ()
    units = units or units_of(history)
    upto = [_in_app_ancestors(units, leaf) for leaf in leaves]
    shared = set.intersection(*upto)
    return tuple(
        Branch(leaf, tuple(_members(history, units, app, homes - shared)))
        for leaf, homes in zip(leaves, upto, strict=True)
    )


def _in_app_ancestors(units: Units, leaf: Key) -> set[Key]:
    found = {units.home(leaf)}
    todo = list(found)
    while todo:
        new = [home for home in units.graph.parents[todo.pop()] if home.app == leaf.app and home not in found]
        found.update(new)
        todo += new
    return found


def _members(history: History, units: Units, app: str, homes: AbstractSet[Key]) -> list[Key]:
    keys = (Key(app, name) for name in history.names(app))
    return [key for key in keys if units.home(key) in homes]


def fix_conflicts(
    history: History,
    apps: Collection[str] = (),
    applied: Mapping[str, AbstractSet[Key]] = {},
    first: Mapping[str, str] | None = None,
) -> Reshape:
    """Put the branches of each of `apps` (none: all first-party apps) that has several leaves behind each other.

    First comes what is applied in a database, and what the other branches need by way of another app; where that leaves
    a choice, the branch in which `first` names a migration of the app; without it the question is the error
    ``which-branch-first``. `applied` are the recorded keys of each reachable database, by alias.

    A migration of the later of two branches that does the same as one of the first could not run: it goes, and in
    databases its record becomes that of the other. One that stays keeps its number when that is above all numbers
    before it, and gets the next one when not. Nothing else changes: gaps stay. Raises UsageError for an app that is not
    of this project.
    """
    first = first or {}
    command = command_text("fix-conflicts", apps, *(f"--first {app}.{name}" for app, name in sorted(first.items())))
    chosen = chosen_apps(history, apps)
    if errors := broken(history):
        return Reshape(command, findings=errors)
    # For the order, what counts as applied once squashes are judged. New names are compared with the rows themselves.
    states = [history.state(rows).applied for rows in applied.values()]
    units = units_of(history)
    # Under such a name Django would take a migration for one that is applied, or that the squash replaces.
    avoid = _names_to_avoid(history, applied.values())
    work = _Work(history, units, states)
    for app in chosen:
        if found := branches(history, app, units):
            work.settle(app, found, first.get(app, ""), avoid)
    findings = [
        *work.findings,
        *name_findings(history, work.renamed, (), applied),
        *moved_ends(history, units, work.lines),
    ]
    return Reshape(
        command,
        KeyChanges(
            work.renamed, collapsed=tuple(((gone, stays), (stays,)) for gone, stays in sorted(work.repeated.items()))
        ),
        DependencyChanges(work.parents),
        ContentChanges(work.created),
        expected=Expectation(
            dict.fromkeys([*work.lines, *(key.app for key in work.created)], 1), merges=frozenset(work.created)
        ),
        notes=tuple(
            f"{gone} does the same as {stays}, so it is removed. In databases, its record becomes that of {stays}."
            for gone, stays in sorted(work.repeated.items())
        ),
        findings=tuple(findings),
        apps=frozenset(chosen),
    )


@dataclass(frozen=True)
class _Step:
    """A branch in its place: what it adds to the line, and the leaf that this is put behind (None for the first)."""

    branch: Branch
    adds: tuple[Key, ...]
    behind: Key | None


class _Work:
    """Goes app by app: what is decided for one app is an edge that the next has to respect.

    A branch may come next when nothing that it adds depends, by whatever way, on what a later one adds. So no path
    leads back from the leaf that the later ones are put behind, and the new edges make no cycle.
    """

    def __init__(self, history: History, units: Units, applied: Sequence[AbstractSet[Key]]) -> None:
        self.history = history
        self.units = units
        self.graph = units.graph.copy()
        self.applied = applied
        self.renamed: dict[Key, Key] = {}
        self.repeated: dict[Key, Key] = {}
        self.parents: dict[Key, tuple[Key, ...]] = {}
        self.lines: dict[str, list[Key]] = {}
        self.created: dict[Key, bytes] = {}
        self.findings: list[Finding] = []
        self.overlapping = list(overlapping(history, history.apps))

    def settle(self, app: str, found: Sequence[Branch], first: str, avoid: AbstractSet[Key]) -> None:
        """Put the branches of one app in line, or find why not. New names are none of `avoid`."""
        errors = [finding for finding in self.overlapping if finding.app == app]
        errors += crosses_apps(self.units, [app])
        if errors:
            self.findings += errors
            return
        alike = twins(self.history, [branch.migrations for branch in found])
        steps = self._steps(app, found, first, alike)
        if isinstance(steps, Finding):
            self.findings.append(steps)
            return
        repeated = {key: alike[key] for step in steps[1:] for key in step.adds if key in alike}
        self.repeated |= repeated
        for step in steps:
            if step.behind is not None:
                self._join([key for key in step.adds if key not in repeated], step.behind)
        moved = [key for step in steps[1:] for key in step.adds if key not in repeated]
        going = {*moved, *repeated}
        stay = [key for key in (Key(app, name) for name in self.history.names(app)) if key not in going]
        self.renamed |= _numbers_behind(stay, moved, self.units, avoid)
        self.lines[app] = [*stay, *moved]

    def _steps(self, app: str, found: Sequence[Branch], first: str, alike: Mapping[Key, Key]) -> list[_Step] | Finding:
        named = [branch for branch in found if any(key.name == first for key in branch.migrations)]
        if first and len(named) != 1:
            return _unknown_branch(app, found, first)
        # Of two that do the same, the one that has run has run for both.
        ran = [rows | {alike[key] for key in rows & alike.keys()} for rows in self.applied]
        steps: list[_Step] = []
        left = list(found)
        while left:
            # Branches can share a beginning: what an earlier one has brought along is in line already.
            placed = {key for step in steps for key in step.adds}
            possible = [branch for branch in left if self._may_come_next(branch, left, placed, ran)]
            if not possible:
                # Were it not for the databases, there would be a way.
                if any(self._may_come_next(branch, left, placed, ()) for branch in left):
                    key, content = merge_of(self.history, app, [branch.leaf for branch in found])
                    self.created[key] = content
                    return branches_entangled(app=app, branches=_listed(found), merge=key)
                return branches_entangled(app=app, branches=_listed(found))
            if not steps and first and named[0] not in possible:
                return branch_not_first(migration=named[0].leaf, branch=str(named[0]), leaves=_leaves(possible))
            # Only the first place is a question: behind it the order of the leaves' names is as good as any.
            if not steps and not first and len(possible) > 1:
                return which_branch_first(app=app, branches=_listed(possible), leaves=_leaves(possible))
            branch = named[0] if not steps and first else possible[0]
            adds = tuple(key for key in branch.migrations if key not in placed)
            steps.append(_Step(branch, adds, steps[-1].branch.leaf if steps else None))
            left.remove(branch)
        return steps

    def _may_come_next(
        self, branch: Branch, left: Sequence[Branch], placed: AbstractSet[Key], applied: Sequence[AbstractSet[Key]]
    ) -> bool:
        """Whether neither the graph nor a database of `applied` needs something of the others before this one."""
        adds = set(branch.migrations) - placed
        later = {key for other in left for key in other.migrations} - placed - adds
        # Django refuses a database in which a migration is applied before its dependency.
        if any(rows & later and branch.leaf not in rows for rows in applied):
            return False
        # Were it otherwise, the later ones, put behind this branch, would have to come before it as well: a cycle.
        return self._descendants(later).isdisjoint(self.units.home(key) for key in adds)

    def _descendants(self, keys: Iterable[Key]) -> set[Key]:
        """These and what needs them. Branches are near the ends of the graph: there is less of it than of ancestors."""
        found = {self.units.home(key) for key in keys}
        todo = list(found)
        while todo:
            new = [home for home in self.graph.children[todo.pop()] if home not in found]
            found.update(new)
            todo += new
        return found

    def _join(self, adds: Sequence[Key], behind: Key) -> None:
        """Let what has no parent among `adds` depend on `behind`."""
        homes = {self.units.home(key) for key in adds}
        for key in adds:
            parents = [parent for parent in self.history.parents(key) if parent.app == key.app]
            if not any(self.units.home(parent) in homes for parent in parents):
                self.parents[key] = (behind,)
                # The next app is settled against this graph: its branches must not close a cycle with the new edge.
                self.graph.connect(self.units.home(key), self.units.home(behind))


def _numbers_behind(stay: Sequence[Key], moved: Sequence[Key], units: Units, avoid: AbstractSet[Key]) -> dict[Key, Key]:
    """New names for those of `moved` whose number is not above all before it; a name without a number stays."""
    # For example: 0004_a stays, and 0004_b, 0005_c and 0009_d go behind it. Then b gets 0005, c gets 0006, and d keeps
    # 0009.
    width = width_of(key.name for key in (*stay, *moved))
    highest = max((last_number(key.name) or 0 for key in stay), default=0)
    renamed: dict[Key, Key] = {}
    # A squash beside what it replaces has the number of the first of these, so it waits until they are numbered.
    covers = {cover: units.home(key) for key in moved for cover in units[units.home(key)].covers}
    starts: dict[Key, int] = {}
    for key in (key for key in moved if key not in covers):
        number = number_of(key.name)
        if number is not None and number <= highest:
            free = (key._replace(name=numbered(key.name, next_, width)) for next_ in count(highest + 1))
            renamed[key] = next(new for new in free if new not in avoid)
        new_name = renamed.get(key, key).name
        starts.setdefault(units.home(key), number_of(new_name) or 0)
        highest = max(highest, last_number(new_name) or 0)
    for cover, home in covers.items():
        if any(link in renamed for link in units[home].links) and number_of(cover.name) is not None:
            renamed |= renames([cover], {cover: starts[home]}, width)
    return renamed


def _names_to_avoid(history: History, applied: Iterable[AbstractSet[Key]]) -> frozenset[Key]:
    """Names that no file bears, and that a squash replaces or a database has recorded."""
    recorded = {key for rows in applied for key in rows if key not in history.migrations}
    return frozenset(recorded | replaced_and_gone(history).keys())


def _listed(found: Iterable[Branch]) -> list[str]:
    return list(map(str, found))


def _leaves(found: Iterable[Branch]) -> list[str]:
    return [branch.leaf.name for branch in found]


def _unknown_branch(app: str, found: Sequence[Branch], first: str) -> Finding:
    several = any(key.name == first for branch in found for key in branch.migrations)
    return unknown_branch(app=app, name=first, branches=_listed(found), leaves=_leaves(found), several=several)
