"""What is to be proven on scratch databases, on which engines, and what came of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from migsync.engines import SERVERLESS, Engine, engine_of
from migsync.engines.config import DatabaseConfig
from migsync.findings import Finding
from migsync.findings.schema import needs_server
from migsync.project import Project
from migsync.project.databases.aliases import DEFAULT
from migsync.proof.fact import Fact


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
    facts: tuple[Fact, ...] = ()

    def __add__(self, other: DatabaseProof) -> DatabaseProof:
        return DatabaseProof((*self.findings, *other.findings), (*self.facts, *other.facts))

    @property
    def blocked(self) -> bool:
        """True when a finding refuses."""
        return any(finding.blocks for finding in self.findings)

    @property
    def needs_server(self) -> bool:
        """True when the migrations do not run on the engine that needs no server."""
        return any(finding.code == needs_server.code for finding in self.findings)


@dataclass(frozen=True)
class ProofEngine:
    """An engine that a proof is run on: the alias that stands for it, and a configuration for its scratch databases.

    `foreign`: it is not the alias's own engine, but one that needs no server in its engine.
    """

    alias: str
    config: DatabaseConfig
    foreign: bool = False

    @property
    def engine(self) -> Engine:
        """The engine of its scratch databases."""
        return engine_of(self.config.url)

    @property
    def words(self) -> str:
        """The engine's name for a person."""
        return self.engine.title


def in_use(project: Project, unreachable: Collection[str]) -> list[ProofEngine]:
    """Each engine that the project's databases are on, with one alias of it: if possible one that can be reached."""
    if project.is_library:
        return [ProofEngine(DEFAULT, DatabaseConfig(DEFAULT, f"{SERVERLESS.name}://"))]
    # The first of each engine is taken: one that is reached, and `default` among those.
    configs = sorted(project.targets(), key=lambda config: (config.alias in unreachable, config.alias != "default"))
    engines: dict[str, ProofEngine] = {}
    for config in configs:
        engine = ProofEngine(config.alias, config)
        if config.error is None:
            engines.setdefault(engine.engine.name, engine)
    return list(engines.values())


def schema_engines(project: Project, scope: ProofScope, unreachable: Collection[str]) -> list[ProofEngine]:
    """Where the schema is proven."""
    if scope.schema is None:
        return []
    return _named(project, scope.schema) or in_use(project, unreachable)


def _named(project: Project, aliases: Sequence[str]) -> list[ProofEngine]:
    """The engines of these aliases. A library has none, and is proven on the one that needs no server."""
    if not aliases or (project.is_library and set(aliases) == {DEFAULT}):
        return []
    return [ProofEngine(config.alias, config) for config in project.targets(aliases)]


def transition_engines(project: Project, scope: ProofScope, schema: Sequence[ProofEngine]) -> list[ProofEngine]:
    """Where the transition is proven."""
    if named := _named(project, scope.transition or ()):
        return named
    known = [engine for engine in schema or in_use(project, ()) if engine.engine is SERVERLESS]
    if known or schema:
        return [*known, *schema][:1]
    # The schema is proven nowhere, and no alias is SQLite. Its database stands in for the first alias: it needs no
    # server.
    alias = next(iter(project.databases), "default")
    return [ProofEngine(alias, DatabaseConfig(alias, f"{SERVERLESS.name}://"), foreign=True)]


def ways_without(engine: ProofEngine, schema: Sequence[ProofEngine], unreachable: Collection[str]) -> list[str]:
    """The aliases of engines that remain for the schema where `engine` cannot be used."""
    return [other.alias for other in schema if other != engine and other.alias not in unreachable]
