"""What rewrites of two branches say alike: taken out of both, into one that both were made on top of.

Two branches that both ran ``linearize`` renamed alike what they share, and each its own migrations besides. One makes
0004_b 0003_b and its own 0005_c 0004_c; the other makes 0004_b 0003_b too, and its own 0005_d 0004_d. A database that
has been through either has been through what both say.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from migsync.rewrites.file_state import unlike_above
from migsync.rewrites.rewrite import AppRewrite, Rewrite
from migsync.rewrites.rewrite_graph import Rewrites


@dataclass(frozen=True)
class RewriteView(Rewrite):
    """A rewrite as it counts: under the labels of today, or without what it has in common with another one.

    Its id is that of the `original`, which journals know.
    """

    original: Rewrite = field(kw_only=True)

    @cached_property
    def id(self) -> str:
        """The id of the file."""
        return self.original.id


def seen(rewrite: Rewrite, apps: Mapping[str, AppRewrite], parents: Sequence[str] | None = None) -> RewriteView:
    """The rewrite with other apps, and perhaps other parents."""
    return RewriteView(
        rewrite.parents if parents is None else tuple(parents),
        rewrite.command,
        rewrite.created,
        apps,
        rewrite.made_with_files,
        rewrite.path,
        rewrite.third_party,
        rewrite.package,
        original=rewrite,
    )


def with_common_changes(rewrites: Rewrites) -> Rewrites:
    """The rewrites with what two of them, neither known to the other, say alike in one of its own."""
    if all(len(rewrites.of_app(app)) < 2 for app in {app for one in rewrites.ordered for app in one.apps}):
        return rewrites
    found = rewrites
    for rewrite in rewrites.ordered:
        for other in found.ordered[: _place(found, rewrite.id)]:
            found = _factored(found, other.id, rewrite.id)
    return found


def _place(rewrites: Rewrites, identity: str) -> int:
    return next(place for place, one in enumerate(rewrites.ordered) if one.id == identity)


def _factored(rewrites: Rewrites, first: str, second: str) -> Rewrites:
    """The same, with what these two have in common taken out of both."""
    one, other = rewrites.by_id[first], rewrites.by_id[second]
    ancestors = rewrites.ancestors
    if first in ancestors[second] or one.apps.keys().isdisjoint(other.apps):
        return rewrites
    both = ancestors[first] & ancestors[second]
    apps = {
        app: common
        for app in one.apps.keys() & other.apps.keys()
        if (common := _common(one.apps[app], other.apps[app], alike=_alike(rewrites, app, first, second)))
    }
    if not apps:
        return rewrites
    made = Rewrite(
        tuple(sorted(both)),
        f"what {first} and {second} say",  # an id of its own
        min(one.created, other.created),
        apps,
        one.made_with_files and other.made_with_files,
        one.path,
        one.third_party and other.third_party,
        one.package if one.package == other.package else "",
    )
    ordered: list[Rewrite] = []
    for rewrite in rewrites.ordered:
        if rewrite.id == first:
            ordered.append(made)
        if rewrite.id in (first, second):
            rest = {app: _rest(change, apps[app]) if app in apps else change for app, change in rewrite.apps.items()}
            ordered.append(seen(rewrite, rest, (*rewrite.parents, made.id)))
        else:
            ordered.append(rewrite)
    sharers = rewrites.shared.get(first, frozenset({first})) | {second}
    return Rewrites(tuple(ordered), rewrites.same, {**rewrites.shared, made.id: sharers})


def _alike(rewrites: Rewrites, app: str, first: str, second: str) -> bool:
    """Whether both were made on top of the same rewrites of the app, so that a name means the same to both."""
    of_app = {rewrite.id for rewrite in rewrites.of_app(app)}
    return rewrites.ancestors[first] & of_app == rewrites.ancestors[second] & of_app


def _common(one: AppRewrite, other: AppRewrite, *, alike: bool) -> AppRewrite | None:
    """What both say; None where that is nothing. Unless `alike`, the digests have to show that names mean the same."""

    def means_the_same(olds: Collection[str]) -> bool:
        pairs = [(one.digests_before.get(old, ""), other.digests_before.get(old, "")) for old in olds]
        return all((alike and not (mine and yours)) or (mine == yours != "") for mine, yours in pairs)

    renamed = tuple(pair for pair in one.renamed if pair in other.renamed and means_the_same(pair[:1]))
    collapsed = tuple(pair for pair in one.collapsed if pair in other.collapsed and means_the_same(pair[0]))
    removed = tuple(name for name in one.removed if name in other.removed and means_the_same([name]))
    origin = one.origin if one.origin == other.origin else ""
    if not (renamed or collapsed or removed or origin):
        return None
    found = AppRewrite((), (), removed, renamed, collapsed, origin=origin)
    stay = (set(one.before) & set(other.before)) - one.sources - other.sources
    before = tuple(name for name in one.before if name in found.sources or name in stay)
    parents = {name: [up for up in one.parents_before[name] if up in before] for name in before}
    return replace(
        found,
        before=before,
        after=tuple(dict.fromkeys(new for name in before for new in _now(name, found))),
        depends=unlike_above(before, parents),
        digests_before={name: digest for name, digest in one.digests_before.items() if name in before},
        digests_after={name: digest for name, digest in one.digests_after.items() if name in found.targets},
        squashes={name: parts for name, parts in one.squashes.items() if name in found.sources},
    )


def _rest(change: AppRewrite, common: AppRewrite) -> AppRewrite:
    """What a rewrite says besides, as if it had been made after `common`."""
    before = tuple(dict.fromkeys(new for name in change.before for new in _now(name, common)))
    parents: dict[str, set[str]] = {name: set() for name in before}
    for name in change.before:
        above = {new for up in change.parents_before[name] for new in _above(up, change.parents_before, common)}
        for new in _now(name, common):
            parents[new] |= above - set(_now(name, common))
    known = {**change.digests_before, **{name: change.digests_after.get(name, "") for name in common.targets}}
    return replace(
        change,
        before=before,
        renamed=tuple(pair for pair in change.renamed if pair not in common.renamed),
        collapsed=tuple(pair for pair in change.collapsed if pair not in common.collapsed),
        removed=tuple(name for name in change.removed if name not in common.removed),
        depends=unlike_above(before, parents),
        digests_before={name: known[name] for name in before if known.get(name)},
        origin="" if common.origin else change.origin,
        squashes={name: parts for name, parts in change.squashes.items() if name not in common.sources},
    )


def _now(name: str, change: AppRewrite) -> Sequence[str]:
    """What a name has become."""
    if name in change.removed:
        return ()
    news = [news for olds, news in change.collapsed if name in olds]
    return news[0] if news else (dict(change.renamed).get(name, name),)


def _above(name: str, parents: Mapping[str, Collection[str]], change: AppRewrite) -> Iterator[str]:
    """What a dependency has become: of a removed merge, its parents."""
    if name in change.removed:
        for up in parents.get(name, ()):
            yield from _above(up, parents, change)
    else:
        yield from _now(name, change)
