"""What is to be proven on scratch databases, and what came of it: values, without what the proof itself needs."""

from __future__ import annotations

from dataclasses import dataclass

from migsync.findings import Finding


@dataclass(frozen=True)
class ProofScope:
    """What is to be proven: `schema`, `transition`: None for not at all, else on the engines of these aliases.

    Without an alias: the schema on every engine in use, the transition on SQLite, or where the schema is proven if that
    is on no SQLite. With `data` the rows are compared wherever all migrations run.
    """

    schema: tuple[str, ...] | None = None
    transition: tuple[str, ...] | None = None
    data: bool = False

    @property
    def any(self) -> bool:
        """True when a scratch database is needed at all."""
        return self.schema is not None or self.transition is not None


@dataclass(frozen=True)
class DatabaseProof:
    """Findings, and for a person what holds when none of them refuses."""

    findings: tuple[Finding, ...] = ()
    facts: tuple[str, ...] = ()

    def __add__(self, other: DatabaseProof) -> DatabaseProof:
        return DatabaseProof((*self.findings, *other.findings), (*self.facts, *other.facts))

    @property
    def blocked(self) -> bool:
        """True when a finding refuses."""
        return any(finding.blocks for finding in self.findings)
