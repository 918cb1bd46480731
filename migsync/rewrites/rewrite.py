"""A rewrite: one change of migration names, as data that is committed with the code."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from migsync.decoder import DecodeError, Fields, array, boolean, exactly, pair, table, text
from migsync.rewrites.record import decode_name

FORMAT = 1
MOMENT = "%Y-%m-%dT%H:%M:%SZ"
EVIDENCE = "evidence"
"""The `command` of a rewrite that was made of what is proven, stated with a plan, or accepted."""
NEW = "new"
"""What a person calls the rewrite that no file holds yet."""
NAMES = array(decode_name)
REWRITE_FIELDS = ("format", "parents", "command", "made_with_files", "third_party")
APP_FIELDS = ("removed", "renamed", "collapsed", "depends", "squashes", "digests", "from")


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
    def staying(self) -> frozenset[str]:
        """The old names that are split, and are the name of one of the parts: the row keeps it."""
        return frozenset(name for olds, news in self.collapsed for name in olds if name in news)

    @cached_property
    def absorbing(self) -> Mapping[str, tuple[str, ...]]:
        """The squashes that were there before and stay, each with the old names that it takes up."""
        return {
            new: olds for olds, news in self.collapsed for new in news if new in self.before and new not in self.sources
        }

    def ran(self, recorded: Collection[str]) -> frozenset[str]:
        """The old names that have run where `recorded` are: these, and each squash with all its parts among them."""
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
        # Left out where they are empty, so that a rewrite from before a field existed keeps its id.
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
    def from_dict(cls, document: object) -> AppRewrite:
        """The inverse of :meth:`as_dict`; raises DecodeError for another shape."""
        fields = Fields(document, ("before", "after"), APP_FIELDS)
        digests: Mapping[str, Mapping[str, str]] = fields.get_or("digests", table(table(text, decode_name)), {})
        if unknown := digests.keys() - {"before", "after"}:
            raise DecodeError("is neither before nor after", f"digests.{min(unknown)}")
        return cls(
            before=fields.get("before", NAMES),
            after=fields.get("after", NAMES),
            removed=fields.get_or("removed", NAMES, ()),
            renamed=fields.get_or("renamed", array(pair(decode_name)), ()),
            collapsed=fields.get_or("collapsed", array(pair(NAMES)), ()),
            depends=fields.get_or("depends", table(NAMES, decode_name), {}),
            digests_before=digests.get("before", {}),
            digests_after=digests.get("after", {}),
            origin=fields.get_or("from", decode_name, ""),
            squashes=fields.get_or("squashes", table(NAMES, decode_name), {}),
        )


@dataclass(frozen=True)
class Rewrite:
    """One rewrite file. `created` is UTC text, ``2026-11-20T10:45:00Z``; `parents` are ids of rewrites.

    A parent that an installed package ships is ``PACKAGE/ID``: it counts where the package has it. `made_with_files`:
    the files were changed in the same step, so nobody had the new names before `created`. Where a rewrite only writes
    down what was done by hand, its `created` says nothing about when that was. `third_party`: a project speaks of
    installed packages' apps. `package` is the dotted name of the package that ships the file, empty for the project's
    own.
    """

    parents: tuple[str, ...]
    command: str
    created: str
    apps: Mapping[str, AppRewrite]
    made_with_files: bool = False
    path: str = field(default="", compare=False)
    third_party: bool = False
    package: str = field(default="", compare=False)

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

    @property
    def source(self) -> str:
        """As `label`, with the package that ships it."""
        return f"{self.label} of the package {self.package}" if self.package else self.label

    @property
    def parent_ids(self) -> tuple[str, ...]:
        """The ids of the parents, wherever these come from."""
        return tuple(parent.rpartition("/")[2] for parent in self.parents)

    @property
    def stated_as(self) -> str:
        """What ``--position`` calls it: one that is not written yet gets another id each time it is made."""
        return self.label if self.path else NEW

    def says_the_same(self, other: Rewrite) -> bool:
        """True when both make the same changes of names, whenever and by whomever they were written down."""
        # Not `before`, `depends` and digests: a machine without the old files (no git) knows less of them. Nor the
        # names after it, where one was written for the installed version of a package and one for the next.
        whole = self.package == other.package

        def changes(app: AppRewrite) -> tuple[object, ...]:
            after = set(app.after) if whole else None
            return app.origin, set(app.renamed), set(app.collapsed), set(app.removed), after

        return self.apps.keys() == other.apps.keys() and all(
            changes(app) == changes(other.apps[label]) for label, app in self.apps.items()
        )

    def _content(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "parents": sorted(self.parents),
            "command": self.command,
            "created": self.created,
            **({"made_with_files": True} if self.made_with_files else {}),
            **({"third_party": True} if self.third_party else {}),
            "apps": {label: app.as_dict() for label, app in sorted(self.apps.items())},
        }

    def as_dict(self) -> dict[str, Any]:
        """The whole file as JSON values."""
        return {"id": self.id, **self._content()}

    @classmethod
    def from_dict(cls, document: object) -> Rewrite:
        """The inverse of :meth:`as_dict`; raises DecodeError for another shape, and for a wrong id."""
        stated, rewrite = cls.stated(document)
        if stated != rewrite.id:
            raise DecodeError("is not the digest of the content", "id")
        return rewrite

    @classmethod
    def stated(cls, document: object, path: str = "", package: str = "") -> tuple[str, Rewrite]:
        """The id that a document states, and the rewrite that it is; raises DecodeError for another shape."""
        fields = Fields(document, ("id", "created", "apps"), REWRITE_FIELDS)
        fields.get_or("format", exactly(FORMAT), FORMAT)
        rewrite = cls(
            parents=fields.get_or("parents", NAMES, ()),
            command=fields.get_or("command", text, ""),
            created=fields.get("created", moment),
            apps=fields.get("apps", table(AppRewrite.from_dict, decode_name)),
            made_with_files=fields.get_or("made_with_files", boolean, False),
            path=path,
            third_party=fields.get_or("third_party", boolean, False),
            package=package,
        )
        return fields.get("id", text), rewrite


def moment(value: object) -> str:
    """A decoder for `created`: ``2026-11-20T10:45:00Z``, or TOML's own date and time with an offset."""
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        with suppress(OverflowError):
            value = value.astimezone(datetime.UTC).strftime(MOMENT)
    with suppress(ValueError):
        # Back and forth, since strptime takes more spellings than this one.
        if isinstance(value, str) and value == datetime.datetime.strptime(value, MOMENT).strftime(MOMENT):
            return value
    raise DecodeError("is not a date and time with an offset")
