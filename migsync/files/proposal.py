"""A proposal: the files that a rewriting command would change, before and after, and the rewrite for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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


@dataclass(frozen=True)
class Proposal:
    """A Reshape worked out: every file that changes, and the rewrite to be committed with them.

    `rewrite` is None where no name and no label changes. `found` is what is proven of names that were changed by hand
    before, where `rewrite` is made on top of it and no file says it yet. `notes` are sentences that a person should
    read: what was carried over, and what was left out. `replaced` maps what a new migration has in its `replaces` to
    that migration.
    `leaves`, `anew`, `merges` and `unordered` are what the proof must find: :class:`migsync.files.reshape.Expectation`.
    """

    command: str
    files: tuple[FileChange, ...]
    rewrite: Rewrite | None
    leaves: Mapping[str, int] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    replaced: Mapping[Key, Key] = field(default_factory=dict)
    anew: frozenset[str] = frozenset()
    unordered: Mapping[Key, frozenset[Key]] = field(default_factory=dict)
    merges: frozenset[Key] = frozenset()
    found: Rewrite | None = None

    @property
    def empty(self) -> bool:
        """True when no file changes, and there is nothing to be told of what was changed by hand."""
        return not self.files and self.rewrite is None

    @property
    def blocked(self) -> bool:
        """True when a finding refuses it."""
        return any(finding.blocks for finding in self.findings)
