"""Apps that were given another label: every rewrite seen under the labels of today, and what an old label means.

A rewrite whose app table says ``from`` changes a label. Whoever did not know of it, an older rewrite or a row that was
recorded before, means the app by the label of old.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

from migsync.findings import Finding
from migsync.findings.rewrites import rewrites_conflict
from migsync.history.graph import History
from migsync.history.migration import Key
from migsync.rewrites.common_changes import seen, with_common_changes
from migsync.rewrites.rewrite import AppRewrite, Rewrite
from migsync.rewrites.rewrite_graph import Rewrites


@dataclass(frozen=True)
class Relabel:
    """One change of a label, and the rewrite that made it."""

    rewrite: Rewrite
    old: str
    new: str


@dataclass(frozen=True)
class Labels:
    """What the labels in `rewrites` and in rows mean today."""

    rewrites: Rewrites

    @cached_property
    def steps(self) -> tuple[Relabel, ...]:
        """Every change of a label, in order."""
        return tuple(
            Relabel(rewrite, change.origin, app)
            for rewrite in self.rewrites.ordered
            for app, change in rewrite.apps.items()
            if change.origin
        )

    def recorders(self, history: History) -> Counter[Key]:
        """How many squashes replace a migration, those on disk and those that were tidied since."""
        pairs = {(squash, old) for squash, each in history.migrations.items() for old in each.replaces}
        for rewrite in self.view.ordered:
            for app, change in rewrite.apps.items():
                tidied = (*change.absorbing.items(), *change.squashes.items())
                pairs |= {(Key(app, squash), Key(app, old)) for squash, olds in tidied for old in olds}
        counts = Counter(old for _, old in pairs)
        # The rows bear the old names until they are changed, and the files name the new ones.
        for rewrite in reversed(self.view.ordered):
            for app, change in rewrite.apps.items():
                for old, new in change.renamed:
                    counts[Key(app, old)] = max(counts[Key(app, old)], counts[Key(app, new)])
        return counts

    def path(self, label: str, passed: Collection[str] = ()) -> tuple[Relabel, ...]:
        """The changes that lead from `label` to the one of today.

        `passed` are the ids of rewrites that a target has been through already: their changes are not made again.
        """
        found: list[Relabel] = []
        for step in self.steps:
            if step.rewrite.id not in passed and step.old == label:
                found.append(step)
                label = step.new
        return tuple(found)

    def today(self, label: str, passed: Collection[str] = ()) -> str:
        """The label of today for what was called `label` after the rewrites `passed`."""
        steps = self.path(label, passed)
        return steps[-1].new if steps else label

    def olds(self, apps: Collection[str]) -> frozenset[str]:
        """The labels that `apps` have borne before."""
        return frozenset(step.old for step in self.steps if self.today(step.old) in apps)

    def steps_of(self, app: str) -> frozenset[str]:
        """The ids of the rewrites that changed the label of what is `app` today."""
        return frozenset(
            step.rewrite.id
            # From its new label only later changes lead on: an earlier one was about another bearer of that label.
            for number, step in enumerate(self.steps)
            if self.today(step.new, {before.rewrite.id for before in self.steps[: number + 1]}) == app
        )

    @cached_property
    def view(self) -> Rewrites:
        """All rewrites with their apps under the labels of today, and what several say alike in one of its own."""
        return with_common_changes(self._relabelled)

    @property
    def _relabelled(self) -> Rewrites:
        if not self.steps:
            return self.rewrites
        return Rewrites(tuple(self._seen(rewrite) for rewrite in self.rewrites.ordered), self.rewrites.same)

    def _seen(self, rewrite: Rewrite) -> Rewrite:
        # Its author used the labels as they were after these.
        known = self.rewrites.ancestors[rewrite.id] | {rewrite.id}
        apps: dict[str, AppRewrite] = {}
        for app, change in rewrite.apps.items():
            apps.setdefault(self.today(app, known), change)
        return rewrite if apps.keys() == rewrite.apps.keys() else seen(rewrite, apps)

    def bearers(self, app: str, ids: Collection[str]) -> frozenset[str]:
        """The rewrites of :attr:`view` in which it stands what those with these `ids` do to the label of `app`."""
        common = {
            one: shared
            for shared, those in self.view.shared.items()
            if (change := self.view.by_id[shared].apps.get(app)) and change.origin
            for one in those
        }
        return frozenset(common.get(identity, identity) for identity in ids)

    def conflicts(self, installed: Collection[str]) -> Iterator[Finding]:
        """A finding for every two rewrites that give one app two labels, or two apps one, not knowing of each other.

        `installed` are the labels of the project's apps: they show which of the two counts no more.
        """
        ancestors: Mapping[str, Collection[str]] = self.rewrites.ancestors
        for first, second in combinations(self.steps, 2):
            one, other = first.rewrite, second.rewrite
            related = one.id == other.id or one.id in ancestors[other.id] or other.id in ancestors[one.id]
            if not related and (first.old == second.old) != (first.new == second.new):
                followed = self.today(first.new) in installed, self.today(second.new) in installed
                obsolete = self.rewrites.with_descendants({(one if followed == (False, True) else other).id})
                yield rewrites_conflict(
                    rewrite=one.label,
                    unrelated=other.label,
                    app=second.new,
                    labels=(first.old, first.new),
                    unrelated_labels=(second.old, second.new),
                    file=other.path,
                    obsolete=[each.path for each in obsolete if each.path and not each.package],
                )
