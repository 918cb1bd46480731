"""What migrations make on their way and remove again, where a database that stopped half-way still has it; pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from migsync.engines.catalog import Part
from migsync.key import Key
from migsync.verify.composition import MigrationResult, PartResult
from migsync.verify.verification import SchemaEvidence
from migsync.worker.migration_traces import Statement


def perhaps_stopped(evidence: SchemaEvidence) -> tuple[Key, ...]:
    """The migrations that `migrate` could have been running when it made what no migration leaves behind.

    They come right after what is recorded, and have to do with the table of such a column, or with the app of such a
    table.
    """
    unexplained = evidence.judge(evidence.applied).unexplained
    tables = {part.table for part in unexplained if part.kind == "column"}
    names = [part.name for part in unexplained if part.kind == "table"]
    return tuple(
        trace.key
        for trace in evidence.traces
        if trace.key not in evidence.applied
        and evidence.applied.issuperset(evidence.state.parents.get(trace.key, ()))
        and (
            any(table in tables for _, table, *_ in trace.changes)
            or any(name.startswith(f"{trace.key.app}_") for name in names)
        )
    )


def with_passing(evidence: SchemaEvidence, statements: Mapping[Key, Sequence[Statement]]) -> SchemaEvidence:
    """The evidence, where these migrations also remove what their statements make and do not leave behind."""
    unexplained = set(evidence.judge(evidence.applied).unexplained)
    traces = []
    for trace in evidence.traces:
        made = {
            Part(*part)
            for each in statements.get(trace.key, ())
            for *part, definition in each.changes
            if definition is not None
        }
        passing = tuple((*part, None) for part in sorted(made & unexplained))
        traces.append(trace._replace(changes=(*trace.changes, *passing)))
    return replace(evidence, traces=traces)


def to_take_back(result: MigrationResult, before: Collection[Part]) -> list[PartResult]:
    """What is there of a migration; `before` are the parts that were there when it began."""
    passing = (each for each in result.differences if each.expected is None and each.part not in before)
    return [*result.there, *passing]
