"""Which problem hides others: `migrate` stops at the first one, and says nothing of the rest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from enum import IntEnum

from migsync.findings import Finding, Severity
from migsync.findings.consistency import conflicting_migrations
from migsync.findings.database_objects import (
    made_twice,
    no_tables_there,
    not_run_yet,
    recorded_not_there,
    records_lost,
    removed_unrecorded,
    there_unrecorded,
)
from migsync.findings.examination import gaps_in_history, sequence_behind
from migsync.findings.finding import Fact
from migsync.findings.history import (
    broken_migration,
    cycle,
    dangling_dependency,
    retired_name,
    unknown_setting,
    unreadable_migration,
    unresolved_dependency,
)
from migsync.findings.inconsistency import inconsistent_history
from migsync.words import count


class MigrateStep(IntEnum):
    """What `migrate` does, in its order; an error belongs to the step that it stops."""

    LOAD = 0
    COMPARE_RECORDS = 1
    FIND_LEAVES = 2
    CHOOSE = 3
    RUN = 4
    RECORD = 5


_STEPS = {
    MigrateStep.LOAD: (
        *(broken_migration, unreadable_migration, dangling_dependency, retired_name),
        *(unresolved_dependency, unknown_setting, cycle),
    ),
    MigrateStep.COMPARE_RECORDS: (inconsistent_history, gaps_in_history),
    MigrateStep.FIND_LEAVES: (conflicting_migrations,),
    MigrateStep.RUN: (
        *(there_unrecorded, recorded_not_there, removed_unrecorded, records_lost),
        *(no_tables_there, made_twice, not_run_yet),
    ),
    MigrateStep.RECORD: (sequence_behind,),
}
_STEP_OF = {entry.code: step for step, entries in _STEPS.items() for entry in entries}


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings, errors first; of the errors, each one before those that it hides."""
    return tuple(sorted(findings, key=_rank))


def first_marked(findings: Sequence[Finding], others: Iterable[Finding] = ()) -> tuple[Finding, ...]:
    """The ordered findings; where the first one hides some of them, or of the `others`, it says so."""
    errors = [each for each in (*findings, *others) if each.blocks]
    hidden = [each for each in errors if findings and _hides(_step(findings[0]), _step(each))]
    if not hidden or not findings[0].blocks or _step(findings[0]) > min(map(_step, errors)):
        return tuple(findings)
    first = findings[0]
    text = f"Mend this first: {_reason(_step(first), len(hidden))}"
    facts: dict[str, Fact] = {**first.facts, "hides": [*dict.fromkeys(each.code for each in hidden)]}
    return (replace(first, meaning="\n".join(filter(None, (first.meaning, text))), facts=facts), *findings[1:])


def _reason(step: MigrateStep, hidden: int) -> str:
    if step is MigrateStep.CHOOSE:
        return f"{count(hidden, 'other error')} may only follow from it."
    return f"`migrate` stops here, and hides {count(hidden, 'other error')}."


def _hides(step: MigrateStep, later: MigrateStep) -> bool:
    # Wrong names do not stop `migrate`; they make it run what has run.
    return later is MigrateStep.RUN if step is MigrateStep.CHOOSE else later > step


def _step(finding: Finding) -> MigrateStep:
    # Every other error of a plan is about names: which migrations count as run.
    return _STEP_OF.get(finding.code, MigrateStep.CHOOSE)


def _rank(finding: Finding) -> tuple[int, int]:
    return [*Severity].index(finding.severity), _step(finding) if finding.blocks else 0
