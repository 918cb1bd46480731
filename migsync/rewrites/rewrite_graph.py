"""Many rewrites: their order, and those that two branches made of the same names."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from itertools import combinations

from migsync.errors import RewriteError
from migsync.findings import Finding
from migsync.findings.commands import remove_files
from migsync.findings.packages import package_rewrite_differs
from migsync.findings.rewrites import rewrites_conflict
from migsync.rewrites.rewrite import Rewrite
from migsync.rewrites.rows import forward_names

MANY_POSITIONS = 256


@dataclass(frozen=True)
class Rewrites:
    """All known rewrites, each one after its parents; of two that are free the one made first comes first.

    `same` maps the id of a rewrite that is left out to the one that says the same and stands for it: two people, or two
    machines, wrote down one change without knowing of each other. `shared` maps the id of a rewrite that no file holds,
    since it is what several say alike, to the ids of these (:mod:`~migsync.rewrites.common_changes`).
    """

    ordered: tuple[Rewrite, ...] = ()
    same: Mapping[str, str] = field(default_factory=dict)
    shared: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @cached_property
    def by_id(self) -> Mapping[str, Rewrite]:
        """Each rewrite by its id, and by that of one that says the same."""
        found = {rewrite.id: rewrite for rewrite in self.ordered}
        return found | {left_out: found[kept] for left_out, kept in self.same.items()}

    def heads(self, apps: Collection[str]) -> tuple[str, ...]:
        """The parents of the next rewrite of the project, which is about `apps`: those that no rewrite has as a parent.

        Of installed packages only those that speak of `apps`: the others may come and go.
        """
        inner = {parent for rewrite in self.ordered for parent in rewrite.parent_ids}
        last = [rewrite for rewrite in self.ordered if rewrite.id not in inner]
        found = [rewrite.id for rewrite in last if not rewrite.package]
        found += [f"{it.package}/{it.id}" for it in last if it.package and not it.labels.isdisjoint(apps)]
        return tuple(sorted(found))

    def counted(self, ids: Iterable[str]) -> frozenset[str]:
        """The rewrites that whoever has been through files with these ids has been through, by id."""
        found = {self.same.get(identity, identity) for identity in ids}
        return frozenset(found | {common for common, sharers in self.shared.items() if not found.isdisjoint(sharers)})

    def with_proposed(self, rewrite: Rewrite | None) -> Rewrites:
        """These and one more, made on top of them."""
        return replace(self, ordered=(*self.ordered, rewrite)) if rewrite else self

    def without_doubles(self) -> Rewrites:
        """Of rewrites that say the same and do not know of each other only the first."""
        kept: list[Rewrite] = []
        same: dict[str, str] = {}
        for rewrite in self.ordered:
            # Not among its ancestors: of 1 to 2, back to 1, and once more to 2, each on top of the one before, none is
            # a double.
            known = {same.get(identity, identity) for identity in self.ancestors[rewrite.id]}
            # What the one was made on top of, the other must know as well: what was made on top of the other relies on
            # that.
            twins = (one for one in kept if one.id not in known and self.ancestors[one.id] <= known)
            twin = next((one for one in twins if one.says_the_same(rewrite)), None)
            if twin:
                same[rewrite.id] = twin.id
            else:
                kept.append(rewrite)
        return Rewrites(tuple(kept), same) if same else self

    def of_app(self, app: str) -> tuple[Rewrite, ...]:
        """Those that change names of `app`, or its label, in order."""
        return self._of_app.get(app, ())

    @cached_property
    def _of_app(self) -> Mapping[str, tuple[Rewrite, ...]]:
        found: dict[str, list[Rewrite]] = {}
        shared = self.shared.items()
        sharing = {(one, app) for common, those in shared for one in those for app in self.by_id[common].apps}
        for rewrite in self.ordered:
            for app, change in rewrite.apps.items():
                if change.sources or change.origin or (rewrite.id, app) in sharing:
                    found.setdefault(app, []).append(rewrite)
        return {app: tuple(rewrites) for app, rewrites in found.items()}

    @cached_property
    def ancestors(self) -> Mapping[str, frozenset[str]]:
        """For each rewrite the ids of all that were known when it was made."""
        found: dict[str, frozenset[str]] = {}
        for rewrite in self.ordered:
            # What was made on top of a double was made on top of the one that stands for it.
            named = (self.same.get(parent, parent) for parent in rewrite.parent_ids)
            parents = [parent for parent in named if parent in found]
            found[rewrite.id] = frozenset(parents).union(*(found[parent] for parent in parents))
        return found

    def positions(self, app: str) -> Iterator[frozenset[str]]:
        """Every set of rewrites of `app` that a database can have been through: with each one its ancestors.

        A chain of n has n + 1 of them, from none to all. Branches that were made side by side multiply; beyond
        `MANY_POSITIONS` only the positions along the one order are given.
        """
        rewrites = self.of_app(app)
        of_app = {rewrite.id for rewrite in rewrites}
        # With B and C each on top of A: {}, {A}, {A, B}, {A, C}, {A, B, C}. In this order the ancestors come first.
        found = [frozenset[str]()]
        for rewrite in rewrites:
            needed = self.ancestors[rewrite.id] & of_app
            found += [position | {rewrite.id} for position in found if needed <= position]
            # Each branch made side by side doubles the number.
            if len(found) > MANY_POSITIONS:
                ids = [rewrite.id for rewrite in rewrites]
                found = [frozenset(ids[:count]) for count in range(len(ids) + 1)]
                break
        # What several say alike, a database has been through with one of these.
        yield from (
            position
            for position in found
            if not any(one in position and position.isdisjoint(those) for one, those in self.shared.items())
        )

    def conflicts(self, on_disk: Callable[[str], Collection[str]]) -> list[Finding]:
        """A finding for every two rewrites, neither known to the other, that change the same names of an app.

        `on_disk` gives an app's names on disk: they show which of the two counts no more.
        """
        found = []
        for app in self._of_app:
            for first, second in combinations(self.of_app(app), 2):
                related = first.id in self.ancestors[second.id] or second.id in self.ancestors[first.id]
                names = _touched(first, app) & _touched(second, app)
                if names and not related:
                    absent = [len(self._leads_to(one.id, app) - set(on_disk(app))) for one in (first, second)]
                    obsolete, other = (first, second) if absent[0] > absent[1] else (second, first)
                    # What a deleted rewrite said has to be found in git. A change of a label cannot be.
                    followed = self._says_more(obsolete.id, app) and not self._says_more(other.id, app)
                    gone = self.with_descendants({(other if followed else obsolete).id})
                    found.append(_conflict(first, second, app, min(names), gone, followed=followed))
        return found

    def _says_more(self, identity: str, app: str) -> bool:
        """Whether a rewrite, or one that was made on top of it, changes anything but the names of `app`."""
        every = [(label, change) for one in self.with_descendants({identity}) for label, change in one.apps.items()]
        return any(change.origin or (label != app and change.sources) for label, change in every)

    def _leads_to(self, identity: str, app: str) -> set[str]:
        """The names that a rewrite gave, as those call them that were made on top of it."""
        names = set(self.by_id[identity].apps[app].targets)
        for rewrite in self.of_app(app):
            # One that is only proposed was made for the files on disk, from whatever names it found.
            if rewrite.path and identity in self.ancestors[rewrite.id]:
                names = forward_names(names, rewrite.apps[app])
        return names

    def with_descendants(self, ids: AbstractSet[str]) -> list[Rewrite]:
        """These rewrites and all that were made on top of them."""
        return [one for one in self.ordered if one.id in ids or not self.ancestors[one.id].isdisjoint(ids)]


def _conflict(
    first: Rewrite, second: Rewrite, app: str, name: str, obsolete: Sequence[Rewrite], *, followed: bool
) -> Finding:
    if bool(first.package) == bool(second.package):
        return rewrites_conflict(
            rewrite=first.source,
            unrelated=second.source,
            app=app,
            name=name,
            file=second.path,
            obsolete=[one.path for one in obsolete if one.path and not one.package],
            followed=followed,
        )
    own, shipped = (second, first) if first.package else (first, second)
    return package_rewrite_differs(
        app=app, name=name, package=shipped.package, rewrite=own.label, shipped=shipped.label, file=own.path
    )


def _touched(rewrite: Rewrite, app: str) -> frozenset[str]:
    return rewrite.apps[app].sources | rewrite.apps[app].targets


def sort_rewrites(
    rewrites: Iterable[Rewrite], stated: Mapping[str, str], restore: Callable[[str], str] = lambda _: ""
) -> Rewrites:
    """Put `rewrites` in order by the ids that their files state (path to id).

    `restore` gives the command that brings back the file with an id, or nothing. Raises RewriteError for a missing
    parent, for two files of the same rewrite, and for a loop.
    """
    by_id: dict[str, Rewrite] = {}
    for rewrite in rewrites:
        identity = stated[rewrite.path]
        if identity in by_id:
            raise RewriteError(
                f"{rewrite.path} and {by_id[identity].path} are the same rewrite.", "", "Delete one of the two files."
            )
        by_id[identity] = rewrite
    for rewrite in by_id.values():
        for parent in rewrite.parents:
            if parent not in by_id and "/" not in parent:
                alone = _sorted(by_id).with_descendants({stated[rewrite.path]})
                raise _missing(rewrite, parent, [one.path for one in alone], "" if rewrite.package else restore(parent))
    return _sorted(by_id)


def united(own: Rewrites, shipped: Iterable[Rewrite]) -> Rewrites:
    """The project's rewrites, and those that packages ship; of those that say the same only the first.

    Parents that packages do not have any more are passed over.
    """
    every = {rewrite.id: rewrite for rewrite in (*own.ordered, *shipped)}
    return _sorted(every).without_doubles()


def _missing(rewrite: Rewrite, parent: str, alone: Sequence[str], restore: str) -> RewriteError:
    found = f"{rewrite.path} depends on the rewrite with the id {parent[:12]}…, which is missing."
    if rewrite.package:
        return RewriteError(
            found,
            f"The installed package {rewrite.package} ships one of them, and not the other.",
            "Install another version of the package, and tell its authors.",
        )
    if restore:
        return RewriteError(
            found,
            "Its file was deleted, by a revert perhaps. But databases may have applied the rewrite.",
            f"Restore the file, also if the names were changed back: {restore}\n"
            "Then migsync writes a rewrite for names that were changed back.",
        )
    return RewriteError(
        found,
        "Its file was deleted, was never committed, or is on another branch.",
        "Restore the file from git. To find the commit that deleted it: "
        f"git log --all --diff-filter=D --summary -- {shlex.quote(os.path.dirname(rewrite.path) or '.')}\n"  # noqa: PTH120 -- text
        "If a cherry-pick brought only one of them, or a revert took one away, remove the other too. "
        f"migsync finds in git what became of the names: {remove_files(alone)}",
    )


def _sorted(by_id: Mapping[str, Rewrite]) -> Rewrites:
    """Each one after its parents; raises RewriteError for a loop."""
    ready: list[Rewrite] = []
    sorter = TopologicalSorter(
        {identity: [up for up in rewrite.parent_ids if up in by_id] for identity, rewrite in by_id.items()}
    )
    try:
        sorter.prepare()
    except CycleError as error:
        loop = " -> ".join(by_id[identity].label for identity in error.args[1])
        raise RewriteError(
            f"These rewrites depend on each other in a loop: {loop}.",
            "At least one of these files was edited by hand.",
            "Restore the files from git.",
        ) from error
    waiting: list[str] = []
    while sorter.is_active():
        # Of one second the one whose file sorts first, as a person sees them in the directory.
        waiting = sorted([*waiting, *sorter.get_ready()], key=lambda one: (by_id[one].created, by_id[one].path, one))
        identity = waiting.pop(0)
        ready.append(by_id[identity])
        sorter.done(identity)
    return Rewrites(tuple(ready))
