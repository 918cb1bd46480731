"""The graphs before and after a rewrite, and which migration of one became which of the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from migsync.errors import UsageError
from migsync.history import History, Key
from migsync.rewrites.rewrite import AppRewrite, Rewrite
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.words import did_you_mean, text_list

LAST = "last"


class RewriteEffect(StrEnum):
    """What a rewrite does to a migration, seen from either side."""

    KEPT = "kept"
    RENAMED = "renamed"
    COLLAPSED = "collapsed"
    REMOVED = "removed"


@dataclass(frozen=True)
class RewriteNode:
    """A migration before the rewrite, or after it. `parents` are on the same side."""

    key: Key
    parents: tuple[Key, ...]
    effect: RewriteEffect


@dataclass(frozen=True)
class RewriteGraph:
    """The graph `before`, the graph `after`, and `links`: pairs of a migration before and one that stands for it after.

    A rewrite states the dependencies inside each app before it, and none between apps. Those after it come from the
    files on disk while these have the names that it gave (`on_disk`), else from the next rewrite of the app, which
    states them as its own "before". Where there is none, the names are taken for a chain.
    """

    rewrite: Rewrite
    before: Mapping[Key, RewriteNode]
    after: Mapping[Key, RewriteNode]
    links: tuple[tuple[Key, Key], ...]
    on_disk: bool


def choose_rewrite(rewrites: Rewrites, asked: str) -> Rewrite:
    """The rewrite whose file, or the beginning of whose id, is `asked`; ``last`` is the newest. Raises UsageError."""
    if not rewrites.ordered:
        raise UsageError(
            "This project has no rewrites.",
            "Every command that renames migrations writes one.",
            "If migrations were renamed by hand, write one: migsync rewrite",
        )
    if asked == LAST:
        return rewrites.ordered[-1]
    name = asked.rpartition("/")[2]
    found = [each for each in rewrites.ordered if name in (each.label, each.label.removesuffix(".toml"))]
    found = found or [each for each in rewrites.ordered if each.id.startswith(asked)]
    if len(found) == 1:
        return found[0]
    if found:
        labels = text_list((each.label for each in found), 5)
        raise UsageError(
            f"--rewrite {asked}: the ids of {len(found)} rewrites begin so: {labels}.", "", "Give more of the id."
        )
    newest = f"The last rewrites: {text_list(each.label for each in rewrites.ordered[-5:])}."
    raise UsageError(
        f"--rewrite {asked}: no rewrite has this file name, or an id that begins so.",
        did_you_mean(name, (each.label for each in rewrites.ordered), newest),
        "Give the file name of a rewrite, or the beginning of its id, or `last` for the newest.",
    )


def make_rewrite_graph(rewrite: Rewrite, rewrites: Rewrites, history: History) -> RewriteGraph:
    """The graphs of all apps that `rewrite` changes."""
    before: dict[Key, RewriteNode] = {}
    after: dict[Key, RewriteNode] = {}
    links: list[tuple[Key, Key]] = []
    on_disk = True
    names = {Key(app, name) for app, change in rewrite.apps.items() for name in change.after}
    for app, change in sorted(rewrite.apps.items()):
        old = change.origin or app
        for name, parents in change.parents_before.items():
            before[Key(old, name)] = RewriteNode(
                Key(old, name), tuple(Key(old, parent) for parent in parents), _effect_before(name, change)
            )
        stated = _stated_after(app, rewrite, rewrites)
        real = stated is None and all(Key(app, name) in history.migrations for name in change.after)
        on_disk = on_disk and real
        above = {name: (one,) for name, one in zip(change.after[1:], change.after, strict=False)}
        for name in change.after:
            key = Key(app, name)
            if real:
                parents_after = tuple(parent for parent in history.parents(key) if parent in names)
            else:
                parents_after = tuple(Key(app, parent) for parent in (stated or above).get(name, ()))
            after[key] = RewriteNode(key, parents_after, _effect_after(name, change))
        links += [(Key(old, one), Key(app, other)) for one, other in _links(change)]
    return RewriteGraph(rewrite, before, after, tuple(links), on_disk)


def _stated_after(app: str, rewrite: Rewrite, rewrites: Rewrites) -> Mapping[str, tuple[str, ...]] | None:
    """The dependencies in the app that the next rewrite of it found; None where this is the last one."""
    steps = rewrites.of_app(app)
    later = steps[steps.index(rewrite) + 1 :] if rewrite in steps else ()
    if not later or app not in later[0].apps:
        return None
    names = rewrite.apps[app].after
    found = later[0].apps[app].parents_before
    return {name: tuple(parent for parent in found.get(name, ()) if parent in names) for name in names}


def _effect_before(name: str, change: AppRewrite) -> RewriteEffect:
    if name in change.removed:
        return RewriteEffect.REMOVED
    if any(name == old for old, _ in change.renamed):
        return RewriteEffect.RENAMED
    return RewriteEffect.COLLAPSED if name in change.sources else RewriteEffect.KEPT


def _effect_after(name: str, change: AppRewrite) -> RewriteEffect:
    if any(name == new for _, new in change.renamed):
        return RewriteEffect.RENAMED
    return RewriteEffect.COLLAPSED if name in change.targets else RewriteEffect.KEPT


def _links(change: AppRewrite) -> Iterator[tuple[str, str]]:
    yield from change.renamed
    for olds, news in change.collapsed:
        yield from ((old, new) for old in olds for new in news)
    yield from ((name, name) for name in change.before if name in change.after and name not in change.sources)
