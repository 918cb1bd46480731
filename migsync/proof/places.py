"""The engines that a proof is run on, each by one alias, and what is said of those that cannot be had."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from migsync.engines import SERVERLESS, Engine, engine_of
from migsync.engines.config import DatabaseConfig
from migsync.findings import Finding, Severity
from migsync.project import Project
from migsync.proof.scope import ProofScope

NOT_PROVEN = "schema-not-proven"


@dataclass(frozen=True)
class ProofEngine:
    """Where it is run: the alias, and a configuration of the engine that the scratch databases are on."""

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
    """One alias for each engine, of those that can be reached if there is one."""
    configs = sorted(project.targets(), key=lambda config: (config.alias in unreachable, config.alias != "default"))
    places: dict[str, ProofEngine] = {}
    for config in configs:
        place = ProofEngine(config.alias, config)
        if config.error is None:
            places.setdefault(place.engine.name, place)
    return list(places.values())


def schema_places(project: Project, wishes: ProofScope, unreachable: Collection[str]) -> list[ProofEngine]:
    """Where the schema is proven."""
    if wishes.schema is None:
        return []
    if not wishes.schema:
        return in_use(project, unreachable)
    return [ProofEngine(config.alias, config) for config in project.targets(wishes.schema)]


def transition_places(project: Project, wishes: ProofScope, schema: Sequence[ProofEngine]) -> list[ProofEngine]:
    """Where the transition is proven."""
    if wishes.transition:
        return [ProofEngine(config.alias, config) for config in project.targets(wishes.transition)]
    known = [place for place in schema or in_use(project, ()) if place.engine is SERVERLESS]
    if known or schema:
        return [*known, *schema][:1]
    alias = next(iter(project.databases), "default")
    return [ProofEngine(alias, DatabaseConfig(alias, f"{SERVERLESS.name}://"), foreign=True)]


def skipped(place: ProofEngine, what: str) -> Finding:
    """That an engine is left out."""
    return Finding(
        NOT_PROVEN,
        Severity.WARNING,
        f"{place.alias} is not reached: {what} not proven on {place.words}.",
        "What only that engine does otherwise would show there first.",
    )


def way_on(place: ProofEngine, schema: Sequence[ProofEngine], unreachable: Collection[str]) -> str:
    """How to go on where `place` cannot be used: the least that is given up for it."""
    if place.alias in unreachable:
        return "Make it reachable; or go on without it: --allow-applied"
    others = [other.alias for other in schema if other != place and other.alias not in unreachable]
    options = [f"--prove-schema {alias}" for alias in others] or ["--no-prove-schema"]
    return f"To go on without the proof on {place.words}: {' '.join(options)}"
