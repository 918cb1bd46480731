"""Targets of one entry whose plans are the same but for ids and times: people review states, not tenants."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from migsync.alias import entry_of, schema_of
from migsync.words import count

if TYPE_CHECKING:
    from migsync.errors import MigsyncError
    from migsync.findings import Finding
    from migsync.sync.plan import Plan

OWN_FACTS = frozenset({"alias", "row", "rows", "applied", "run", "number"})
"""Facts that differ between targets of which the same is said."""
ALONE = 3
"""So many members of one entry are named; of more, the entry is named and they are counted."""


@dataclass(frozen=True)
class PlanGroup:
    """Plans that do the same, at least one; those of more than one target are of one entry."""

    plans: tuple[Plan, ...]

    @property
    def first(self) -> Plan:
        """The plan that stands for all."""
        return self.plans[0]

    @property
    def aliases(self) -> tuple[str, ...]:
        """The targets."""
        return tuple(plan.target.alias for plan in self.plans)

    @property
    def name(self) -> str:
        """The alias of a single target; of more, ``tenants: 979 targets``."""
        return group_name(self.aliases)


@dataclass(frozen=True)
class ErrorGroup:
    """Targets of one entry that failed for the same reason; `error` is that of the first."""

    aliases: tuple[str, ...]
    error: MigsyncError

    @property
    def name(self) -> str:
        """As :attr:`PlanGroup.name`."""
        return group_name(self.aliases)


def plan_groups(plans: Iterable[Plan]) -> tuple[PlanGroup, ...]:
    """The plans in groups, in the order of their first targets."""
    groups: dict[Hashable, list[Plan]] = {}
    for plan in plans:
        groups.setdefault(_kind(plan), []).append(plan)
    return tuple(PlanGroup(tuple(found)) for found in groups.values())


def error_groups(errors: Mapping[str, MigsyncError]) -> tuple[ErrorGroup, ...]:
    """The errors, by alias, in groups, in the order of their first targets."""
    groups: dict[Hashable, list[str]] = {}
    for alias, error in errors.items():
        kind = (error.code, error.meaning, _without_names(error.found, alias)) if schema_of(alias) else ()
        groups.setdefault((entry_of(alias), *kind), []).append(alias)
    return tuple(ErrorGroup(tuple(aliases), errors[aliases[0]]) for aliases in groups.values())


def finding_groups(findings: Iterable[Finding]) -> list[Finding]:
    """The findings, each once: one that holds for several members of an entry names the first, and the `others`.

    So does one that holds for several databases, where the same is to be done about all of them.
    """
    groups: dict[Hashable, list[Finding]] = {}
    for finding in findings:
        kind = finding_kind(finding)
        if kind is finding and "alias" in finding.facts and not finding.database:
            facts = {name: fact for name, fact in finding.facts.items() if name != "alias"}
            kind = (finding.code, finding.severity, finding.meaning, finding.hint, finding.file, repr(facts))
        groups.setdefault(kind, []).append(finding)
    return [
        replace(found[0], others=tuple(dict.fromkeys(map(_alias, found[1:])))) if len(found) > 1 else found[0]
        for found in groups.values()
    ]


def _alias(finding: Finding) -> str:
    """The target that a finding is about; empty where it is about the project."""
    return finding.database or str(finding.facts.get("alias", ""))


def finding_kind(finding: Finding) -> Hashable:
    """Equal for findings that differ in nothing but members of one entry, and ids of rows there."""
    alias = _alias(finding)
    if not schema_of(alias):
        return finding
    place = (finding.app, finding.name, finding.file, finding.line, finding.other, finding.operation)
    return (entry_of(alias), finding.code, finding.severity, *place, _facts(finding))


def _facts(finding: Finding) -> str:
    """What a finding says, without what every target has for itself: ids of rows, times and runs."""
    # A row is an id, or a migration and an id; or a migration has the ids.
    rows = finding.facts.get("rows")
    recorded: list[object] = list(rows) if isinstance(rows, dict) else []
    if isinstance(rows, list):
        recorded = [row[0] for row in rows if isinstance(row, list)]
    return repr((recorded, {name: fact for name, fact in finding.facts.items() if name not in OWN_FACTS}))


def _without_names(text: str, alias: str) -> str:
    """What was found, without the name of the target, and without numbers, such as those of processes."""
    own = "|".join(re.escape(name) for name in (alias, schema_of(alias)))
    return re.sub(rf"(?<!\w)(?:{own})(?!\w)|\d+", "_", text)


def group_name(aliases: Sequence[str]) -> str:
    """What a group of targets is called."""
    return aliases[0] if len(aliases) == 1 else f"{entry_of(aliases[0])}: {count(len(aliases), 'target')}"


def shortened_aliases(aliases: Iterable[str]) -> dict[str, list[str]]:
    """The aliases by what to call them in a sentence or a command: an entry stands for more than ALONE of its members.

    As in ``{"default": ["default"], "tenants": ["tenants:a", "tenants:b", "tenants:c", "tenants:d"]}``.
    """
    entries: dict[str, list[str]] = {}
    for alias in aliases:
        entries.setdefault(entry_of(alias), []).append(alias)
    found: dict[str, list[str]] = {}
    for entry, members in entries.items():
        found |= {entry: members} if len(members) > ALONE else {alias: [alias] for alias in members}
    return found


def sentence_names(aliases: Iterable[str]) -> list[str]:
    """``["default", "tenants (979 targets)"]``."""
    return [sentence_name(members) for members in shortened_aliases(aliases).values()]


def sentence_name(aliases: Sequence[str]) -> str:
    """What a group of targets is called in a sentence: ``tenants (979 targets)``."""
    return aliases[0] if len(aliases) == 1 else f"{entry_of(aliases[0])} ({count(len(aliases), 'target')})"


def _kind(plan: Plan) -> Hashable:
    """Equal for plans that share a group."""
    if not schema_of(plan.target.alias):
        return plan.target.alias
    return (
        entry_of(plan.target.alias),
        tuple((change.before and change.before.key, change.after and change.after.key) for change in plan.changes),
        tuple(rewrite.id for rewrite in plan.passed),
        tuple(rewrite.id for rewrite in plan.returned),
        tuple(
            (each.code, each.severity, each.app, each.name, each.other, each.operation, _facts(each))
            for each in plan.findings
        ),
        plan.unexplained,
        bool(plan.undoes),
    )
