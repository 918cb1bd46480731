"""A rewrite: one change of migration names, as data that is committed with the code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

FORMAT = 1


@dataclass(frozen=True)
class AppRewrite:
    """What one rewrite does to the names of one app.

    `before` and `after` are all names of the app, in an order in which they could be applied. In `before`, each name
    depends on the one above it, unless `depends` says on which names of the app instead: what was recorded in a
    database can be judged by it (see :mod:`migsync.rewrites.position`). `collapsed` pairs old names with new ones:
    many to one for a squash, many to many for a remake. A new name that is in `before` and not among the old ones is
    the same migration before and after: a squash that was there already, which takes up what it replaced.
    `digests_before` and `digests_after` map a name to the digest of its operations, as far as it was known. `origin` is
    the label that the app had before, where the rewrite gives it another one (``from``); empty where the label stays.
    `squashes` are those among the old names that stood beside what they replaced: for Django, one has run where all
    that it replaced is recorded.
    """

    before: tuple[str, ...]
    after: tuple[str, ...]
    removed: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    collapsed: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = ()
    depends: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    digests_before: Mapping[str, str] = field(default_factory=dict)
    digests_after: Mapping[str, str] = field(default_factory=dict)
    origin: str = ""
    squashes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def sources(self) -> frozenset[str]:
        """The old names that this rewrite changes or removes."""
        return frozenset(
            [old for old, _ in self.renamed]
            + [name for olds, _ in self.collapsed for name in olds]
            + list(self.removed)
        )

    @cached_property
    def targets(self) -> frozenset[str]:
        """The new names that this rewrite gives."""
        return frozenset([new for _, new in self.renamed] + [name for _, news in self.collapsed for name in news])

    @cached_property
    def absorbing(self) -> Mapping[str, tuple[str, ...]]:
        """The squashes that were there before and stay, each with the old names that it takes up."""
        return {
            new: olds for olds, news in self.collapsed for new in news if new in self.before and new not in self.sources
        }

    def standing(self, recorded: Collection[str]) -> frozenset[str]:
        """The old names that have run where these are recorded."""
        found = frozenset(recorded)
        return found.union(squash for squash, replaced in self.squashes.items() if found.issuperset(replaced))

    @cached_property
    def parents_before(self) -> Mapping[str, tuple[str, ...]]:
        """The in-app dependencies of every name in `before`."""
        above = dict(zip(self.before[1:], self.before, strict=False))
        return {name: self.depends.get(name, (above[name],) if name in above else ()) for name in self.before}

    def as_dict(self) -> dict[str, Any]:
        """The values of the app's table in the TOML file; empty optional ones left out."""
        document: dict[str, Any] = {
            **({"from": self.origin} if self.origin else {}),
            "before": list(self.before),
            "after": list(self.after),
            "removed": list(self.removed),
            "renamed": [list(pair) for pair in self.renamed],
            "collapsed": [[list(olds), list(news)] for olds, news in self.collapsed],
        }
        if self.depends:
            document["depends"] = {name: list(parents) for name, parents in sorted(self.depends.items())}
        if self.squashes:
            document["squashes"] = {name: list(replaced) for name, replaced in sorted(self.squashes.items())}
        digests = {
            when: dict(sorted(found.items()))
            for when, found in (("before", self.digests_before), ("after", self.digests_after))
            if found
        }
        if digests:
            document["digests"] = digests
        return document

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> AppRewrite:
        """The inverse of :meth:`as_dict`; raises KeyError, TypeError or ValueError for another shape."""
        digests = document.get("digests", {})
        return cls(
            before=tuple(document["before"]),
            after=tuple(document["after"]),
            removed=tuple(document.get("removed", ())),
            renamed=tuple((old, new) for old, new in document.get("renamed", ())),
            collapsed=tuple((tuple(olds), tuple(news)) for olds, news in document.get("collapsed", ())),
            depends={name: tuple(parents) for name, parents in document.get("depends", {}).items()},
            digests_before=dict(digests.get("before", {})),
            digests_after=dict(digests.get("after", {})),
            origin=document.get("from", ""),
            squashes={name: tuple(replaced) for name, replaced in document.get("squashes", {}).items()},
        )


@dataclass(frozen=True)
class Rewrite:
    """One rewrite file. `created` is UTC text, ``2026-11-20T10:45:00Z``; `parents` are ids of rewrites.

    `made_with_files`: the files were changed in the same step, so nobody had the new names before `created`. Where a
    rewrite only writes down what was done by hand, its `created` says nothing about when that was.
    """

    parents: tuple[str, ...]
    command: str
    created: str
    apps: Mapping[str, AppRewrite]
    made_with_files: bool = False
    path: str = field(default="", compare=False)

    @cached_property
    def id(self) -> str:
        """A digest (64 hexadecimal digits) of everything that the file says but the id itself."""
        canonical = json.dumps(self._content(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(canonical.encode()).hexdigest()

    @cached_property
    def labels(self) -> frozenset[str]:
        """Every label that a row which it changes can bear, before or after."""
        return frozenset(self.apps) | {app.origin for app in self.apps.values() if app.origin}

    @property
    def label(self) -> str:
        """How a person knows it: the file's name, or the beginning of the id where there is no file yet."""
        return self.path.rpartition("/")[2] or self.id[:12]

    def says_the_same(self, other: Rewrite) -> bool:
        """True when both make the same changes of names, whenever and by whomever they were written down."""
        return self.apps.keys() == other.apps.keys() and all(
            (app.origin, set(app.renamed), set(app.collapsed), set(app.removed), set(app.after))
            == (twin.origin, set(twin.renamed), set(twin.collapsed), set(twin.removed), set(twin.after))
            for app, twin in ((app, other.apps[label]) for label, app in self.apps.items())
        )

    def _content(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "parents": sorted(self.parents),
            "command": self.command,
            "created": self.created,
            **({"made_with_files": True} if self.made_with_files else {}),
            "apps": {label: app.as_dict() for label, app in sorted(self.apps.items())},
        }

    def as_dict(self) -> dict[str, Any]:
        """The whole file as JSON values."""
        return {"id": self.id, **self._content()}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any], path: str = "") -> Rewrite:
        """The inverse of :meth:`as_dict`; raises KeyError, TypeError or ValueError for another shape.

        The id is not compared here: a file's reader does that.
        """
        return cls(
            parents=tuple(document.get("parents", ())),
            command=str(document.get("command", "")),
            created=str(document["created"]),
            apps={label: AppRewrite.from_dict(app) for label, app in document["apps"].items()},
            made_with_files=bool(document.get("made_with_files", False)),
            path=path,
        )
