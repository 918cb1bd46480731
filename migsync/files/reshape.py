"""What a rewriting command wants of the migration files: a Reshape, combined from four parts.

* :class:`KeyChanges`: which migrations bear other names, go, or are collapsed into others. Database records follow it.
* :class:`DependencyChanges`: what migrations depend on, run before and replace, beyond what follows from the keys.
* :class:`ContentChanges`: whole new files, and files whose operations change.
* :class:`Expectation`: what the proof must find in the new history.

A command fills in the parts that it needs; everything after it (:mod:`migsync.files.resolution`, the builder, the
proof, the databases) looks at the parts only, and knows no command.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property

from migsync.findings import Finding
from migsync.history import Key

Collapse = tuple[tuple[Key, ...], tuple[Key, ...]]


@dataclass(frozen=True)
class KeyChanges:
    """What becomes of migration keys, and with them of the records of databases.

    `renamed` holds only keys that change, each old one with the new. `removed` are migrations that go with nothing in
    their place, each with the keys that whoever depended on it depends on instead. A key of these two that is on no
    disk is followed where files name it. `collapsed` pairs keys of one app with those that stand for them from now on,
    both in order; the files of old keys that are not among the new ones go. Whoever depended on an old key depends on
    the last new one, and what had to run before it runs before the first.

    `labels` are apps that get another label, each old one with the new; their keys are among the `renamed`.
    """

    renamed: Mapping[Key, Key] = field(default_factory=dict)
    removed: Mapping[Key, tuple[Key, ...]] = field(default_factory=dict)
    collapsed: tuple[Collapse, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def gone(self) -> frozenset[Key]:
        """The keys that exist no more: what was removed, and what was collapsed into something else."""
        return frozenset(self.removed) | {old for olds, news in self.collapsed for old in olds if old not in news}

    def recorded(self, keys: AbstractSet[Key]) -> frozenset[Key]:
        """What a database with these recorded keys has recorded afterwards."""
        kept = {self.renamed.get(key, self._relabelled(key)) for key in keys if key not in self.gone}
        # One recorded key of a collapse is enough here: a database with a part of them is refused by its plan.
        return frozenset(kept).union(*(news for olds, news in self.collapsed if not keys.isdisjoint(olds)))

    def _relabelled(self, key: Key) -> Key:
        """A recorded key that no file bears or names keeps its name, and goes with its app."""
        return Key(self.labels[key.app], key.name) if key.app in self.labels else key


@dataclass(frozen=True)
class DependencyChanges:
    """What the headers of migrations say from now on, where that does not follow from :class:`KeyChanges`.

    `parents` are a migration's dependencies in its own app, `dropped` its dependencies on other apps that are taken
    out. `successors` says what an old key becomes for everyone who names it, in place of what its collapse would make
    of it; `redirected` says the same for one migration alone, by its key. `settled` are squashes whose `replaces` is
    taken out. `unordered` are, for a migration, those that it came after and no longer does, since a database has
    applied it without them.
    """

    parents: Mapping[Key, tuple[Key, ...]] = field(default_factory=dict)
    dropped: Mapping[Key, frozenset[Key]] = field(default_factory=dict)
    successors: Mapping[Key, tuple[Key, ...]] = field(default_factory=dict)
    redirected: Mapping[Key, Mapping[Key, tuple[Key, ...]]] = field(default_factory=dict)
    settled: frozenset[Key] = frozenset()
    unordered: Mapping[Key, frozenset[Key]] = field(default_factory=dict)


@dataclass(frozen=True)
class ContentChanges:
    """What files hold, beyond their headers.

    `created` are new files by their new keys, with their whole content. `edited` are files whose operations change:
    their present bytes, and the bytes with the new operations, in which the headers are edited afterwards. `aside` is
    the directory inside that of the migrations to which files are moved that would be removed; empty where they are
    removed.
    """

    created: Mapping[Key, bytes] = field(default_factory=dict)
    edited: Mapping[Key, tuple[bytes, bytes]] = field(default_factory=dict)
    aside: str = ""


@dataclass(frozen=True)
class Expectation:
    """What the proof must find: `leaves` is the number of leaf nodes that each touched app will have.

    `anew` are apps whose migrations are made from scratch, so that their dependencies are not the old ones. `merges`
    are new migrations that join leaves and do nothing: they stand for no old one.
    """

    leaves: Mapping[str, int] = field(default_factory=dict)
    anew: frozenset[str] = frozenset()
    merges: frozenset[Key] = frozenset()


def unexplained(finding: Finding) -> Finding:
    """The finding as it is: the command has nothing to add."""
    return finding


@dataclass(frozen=True)
class Reshape:
    """What a command wants of the migration files. All keys are those from before, but for new ones.

    `command` is the command line, for the rewrite. An error among the `findings` refuses; `notes` are sentences for the
    person who reads the proposal. `apps` are those that it was made for, whether their migrations change or not: a
    ``max_migration.txt`` there is kept in step. `explain` puts the command's own words into a finding of the proof or
    of a database: what to do, say, where a migration of its making does not run. `otherwise` makes, of the findings
    that refuse this Reshape, another way to the same end, or to as much of it as can be done; None where it knows no
    more.
    """

    command: str
    keys: KeyChanges = field(default_factory=KeyChanges)
    dependencies: DependencyChanges = field(default_factory=DependencyChanges)
    contents: ContentChanges = field(default_factory=ContentChanges)
    expected: Expectation = field(default_factory=Expectation)
    notes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    apps: frozenset[str] = field(default=frozenset(), compare=False)
    explain: Callable[[Finding], Finding] = field(default=unexplained, compare=False)
    otherwise: Callable[[Sequence[Finding]], Reshape | None] | None = field(default=None, compare=False)

    @property
    def empty(self) -> bool:
        """True when nothing is wanted of any file."""
        parts = (self.keys, self.dependencies, self.contents)
        return parts == (KeyChanges(), DependencyChanges(), ContentChanges())

    @property
    def blocked(self) -> bool:
        """True when a finding refuses it."""
        return any(finding.blocks for finding in self.findings)

    def only_names(self, on_disk: Collection[Key]) -> bool:
        """True when files get other names for what they depend on already, and nothing else changes.

        Then no database has to fit: it is about the same migrations before and after.
        """
        keys = self.keys.removed.keys()
        return (self.keys, self.dependencies, self.contents) == (
            KeyChanges(removed=self.keys.removed),
            DependencyChanges(),
            ContentChanges(),
        ) and keys.isdisjoint(on_disk)

    @cached_property
    def touched(self) -> frozenset[Key]:
        """The keys whose records change."""
        made = self.contents.created
        # A key that is old and new is one migration that stays, unless a new file bears its name.
        collapsed = {old for olds, news in self.keys.collapsed for old in olds if old not in news or old in made}
        return frozenset(self.keys.renamed) | self.keys.removed.keys() | collapsed

    def misread(self, keys: AbstractSet[Key]) -> frozenset[Key]:
        """The recorded keys that Django misunderstands until the records change.

        Not those that a recorded squash has replaced: Django ignores such rows.
        """
        made = self.contents.created
        there = {new for _, news in self.keys.collapsed for new in news if new in keys and new not in made}
        taken_up = {old for olds, news in self.keys.collapsed if not there.isdisjoint(news) for old in olds}
        return frozenset(keys & self.touched - taken_up)
