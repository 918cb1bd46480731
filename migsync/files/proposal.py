"""What a rewriting command wants, and what that comes to: the values between the commands and the one pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from migsync.findings import Finding
from migsync.history import Key
from migsync.rewrites.rewrite import Rewrite


@dataclass(frozen=True)
class FileChange:
    """One file before and after, as bytes. Paths are absolute.

    An edit names one path twice; a move two, and the content may change as well; a removal has neither `new_path`
    nor `new`; a creation neither `old_path` nor `old`. `mode` are the permission bits that the file has, or, for a
    creation, gets.
    """

    old_path: Path | None
    new_path: Path | None
    old: bytes | None
    new: bytes | None
    mode: int


Collapse = tuple[tuple[Key, ...], tuple[Key, ...]]


@dataclass(frozen=True)
class Reshape:
    """What a command wants of the migration files. All keys are those from before, the values of `renamed` excepted.

    `renamed`: only keys that change. `removed`: a merge that goes, and the keys that whoever depended on it depends on
    instead. `parents`: a migration's dependencies in its own app from now on, where they differ from the file's.
    `dropped`: dependencies on other apps to be taken out. `leaves`: how many ends each touched app will have. An error
    among the `findings` refuses. `otherwise` is another way to the same end, for where this one does not keep the
    state of the models.

    `created` are new files, by their keys of afterwards, with their whole content. `collapsed` pairs keys of one app
    with those that stand for them from now on, both in order; the files of old keys that are not among the new ones
    go. Whoever depended on an old key depends on the last new one, and what had to run before it on the first,
    unless `stands` says what an old key becomes. `pointed` says the same for one migration alone: what it names instead
    of a key. `settled` are squashes whose `replaces` is taken out. `anew` are apps whose migrations are made from
    scratch: what needs what is not what it was. `aside` is the directory, in that of the migrations, that the files
    which go are moved to; empty for none. `advice` says what to do where a migration, or one of its operations by its
    number from 1 (0: the whole migration), does not run. `left_out` are migrations of which something is left out on
    purpose: a new database may hold other rows.

    `labels` are apps that get another label, each old one with the new; their keys are among the `renamed`. `contents`
    are files whose operations change: their bytes of now, and those that the edits of keys are then made in.
    """

    command: str
    renamed: Mapping[Key, Key] = field(default_factory=dict)
    removed: Mapping[Key, tuple[Key, ...]] = field(default_factory=dict)
    parents: Mapping[Key, tuple[Key, ...]] = field(default_factory=dict)
    dropped: Mapping[Key, frozenset[Key]] = field(default_factory=dict)
    created: Mapping[Key, bytes] = field(default_factory=dict)
    collapsed: tuple[Collapse, ...] = ()
    stands: Mapping[Key, tuple[Key, ...]] = field(default_factory=dict)
    pointed: Mapping[Key, Mapping[Key, tuple[Key, ...]]] = field(default_factory=dict)
    settled: frozenset[Key] = frozenset()
    anew: frozenset[str] = frozenset()
    aside: str = ""
    advice: Mapping[tuple[Key, int], str] = field(default_factory=dict)
    left_out: tuple[Key, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    contents: Mapping[Key, tuple[bytes, bytes]] = field(default_factory=dict)
    leaves: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    otherwise: Reshape | None = None

    @cached_property
    def gone(self) -> frozenset[Key]:
        """The keys that exist no more: merges that were taken out, and what was collapsed into something else."""
        return frozenset(self.removed) | {old for olds, news in self.collapsed for old in olds if old not in news}

    @cached_property
    def touched(self) -> frozenset[Key]:
        """The keys whose records change."""
        collapsed = {old for olds, news in self.collapsed for old in olds if old not in news or old in self.created}
        return frozenset(self.renamed) | self.removed.keys() | collapsed

    def misread(self, keys: AbstractSet[Key]) -> frozenset[Key]:
        """The recorded keys that Django takes wrongly until the records change.

        What a squash has taken up that is recorded itself is not among them: Django passes over such rows.
        """
        there = {new for _, news in self.collapsed for new in news if new in keys and new not in self.created}
        taken_up = {old for olds, news in self.collapsed if not there.isdisjoint(news) for old in olds}
        return frozenset(keys & self.touched - taken_up)

    def recorded(self, keys: AbstractSet[Key]) -> frozenset[Key]:
        """What a database with these recorded keys has recorded afterwards."""
        kept = {self.renamed.get(key, self._labelled(key)) for key in keys if key not in self.gone}
        return frozenset(kept).union(*(news for olds, news in self.collapsed if not keys.isdisjoint(olds)))

    def _labelled(self, key: Key) -> Key:
        return Key(self.labels[key.app], key.name) if key.app in self.labels else key


@dataclass(frozen=True)
class Proposal:
    """A Reshape worked out: every file that changes, and the rewrite to be committed with them.

    `rewrite` is None where no name and no label changes. `notes` are
    sentences that a person should read: what was carried over, and what was left out. `replaced` maps what a new
    migration has in its `replaces` to that migration. `anew` as in a Reshape.
    """

    command: str
    files: tuple[FileChange, ...]
    rewrite: Rewrite | None
    leaves: Mapping[str, int] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    replaced: Mapping[Key, Key] = field(default_factory=dict)
    anew: frozenset[str] = frozenset()

    @property
    def empty(self) -> bool:
        """True when no file changes, and there is nothing to be told of what was changed by hand."""
        return not self.files and self.rewrite is None

    @property
    def blocked(self) -> bool:
        """True when a finding refuses it."""
        return any(finding.blocks for finding in self.findings)
