"""What a rewriting command wants, and what that comes to: the values between the commands and the one pipeline."""

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
class Reshape:
    """What a command wants of the migration files. All keys are those from before, the values of `renamed` excepted.

    `renamed`: only keys that change. `removed`: a merge that goes, and the keys that whoever depended on it depends on
    instead. `parents`: a migration's dependencies in its own app from now on, where they differ from the file's.
    `dropped`: dependencies on other apps to be taken out. `leaves`: how many ends each touched app will have. An error
    among the `findings` refuses. `otherwise` is another way to the same end, for where this one does not keep the
    state of the models.
    """

    command: str
    renamed: Mapping[Key, Key] = field(default_factory=dict)
    removed: Mapping[Key, tuple[Key, ...]] = field(default_factory=dict)
    parents: Mapping[Key, tuple[Key, ...]] = field(default_factory=dict)
    dropped: Mapping[Key, frozenset[Key]] = field(default_factory=dict)
    leaves: Mapping[str, int] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    otherwise: Reshape | None = None


@dataclass(frozen=True)
class Proposal:
    """A Reshape worked out: every file that changes, and the rewrite to be committed with them.

    `rewrite` is None where no name changes, and where today's format of rewrites cannot say what changes.
    """

    command: str
    files: tuple[FileChange, ...]
    rewrite: Rewrite | None
    leaves: Mapping[str, int] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    @property
    def blocked(self) -> bool:
        """True when a finding refuses it."""
        return any(finding.blocks for finding in self.findings)
