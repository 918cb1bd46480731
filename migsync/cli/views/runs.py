"""Runs as text: the log of a target, and one run in full."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from types import MappingProxyType

from migsync.alias import entry_of, schema_of
from migsync.cli.views.blocks import EMPTY, Block, Span, Style, line, table
from migsync.cli.views.lists import cut, more, same_in
from migsync.cli.views.plans import heading, kinds, plan_blocks
from migsync.sync.plan import Plan, TargetRef
from migsync.sync.run import Run, RunKind, applies_in_force, second
from migsync.words import count

SHORT = 12
SHOWN = 20
"""On a terminal, so many runs of one target are shown."""


def short(run_id: str) -> str:
    """The beginning of a run's id, long enough for a person."""
    return run_id[:SHORT]


def log_groups(runs: Mapping[str, Sequence[Run]]) -> list[list[str]]:
    """The targets, by alias, in groups: members of one entry whose runs are the same but for ids, times and authors."""
    groups: dict[Hashable, list[str]] = {}
    for alias, of_alias in runs.items():
        force = {run.id for run in applies_in_force(of_alias)}
        kind = tuple((run.kind, kinds(run.changes), run.reason, run.id in force) for run in of_alias)
        groups.setdefault((entry_of(alias), kind) if schema_of(alias) else alias, []).append(alias)
    return list(groups.values())


def log_blocks(
    ref: TargetRef, runs: Sequence[Run], *, others: Sequence[str] = (), shorten: bool = False
) -> list[Block]:
    """The runs of one target, newest first; `shorten` leaves out the oldest. `others` are targets with runs alike."""
    alike = list(same_in(others, indent=2))
    if not runs:
        return [heading(ref.alias, ref.engine, Span("no runs", Style.DIM)), *alike]
    in_force = {run.id for run in applies_in_force(runs)}
    newest_first, hidden = cut(sorted(runs, key=lambda run: run.number, reverse=True), SHOWN, shorten=shorten)
    header: tuple[str, ...] = ("", "run", "kind", "when (UTC)", "by", "changes", "state", "reason")
    rows: list[tuple[str | Span, ...]] = [
        (
            str(run.number),
            short(run.id),
            run.kind.value,
            when(run),
            run.author,
            kinds(run.changes),
            _state(run, runs, in_force),
            run.reason,
        )
        for run in newest_first
    ]
    if not any(run.reason for run in runs):
        header, rows = header[:-1], [row[:-1] for row in rows]
    title = heading(ref.alias, ref.engine, Span(count(len(runs), "run")))
    return [title, *alike, table(header, rows, prose="reason" in header), *more(hidden, indent=2)]


def run_blocks(
    ref: TargetRef,
    run: Run,
    runs: Iterable[Run],
    *,
    shorten: bool = False,
    labels: Mapping[str, str] = MappingProxyType({}),
    others: Sequence[str] = (),
) -> list[Block]:
    """One run with every row it touched; `others` are targets where it is too."""
    known = list(runs)
    as_plan = Plan(ref, tuple(run.changes), passed=run.passed, returned=run.returned, undoes=run.undoes)
    _, *changes = plan_blocks(as_plan, shorten=shorten, labels=labels)
    facts = [
        ("run", run.id),
        ("kind", f"{run.kind.value} {short(run.undoes)}".strip()),
        ("when", f"{when(run)} UTC"),
        ("by", f"{run.author}, migsync {run.version}"),
        ("reason", run.reason),
        ("plan", run.plan_id),
    ]
    title = heading(ref.alias, ref.engine, _state(run, known, {found.id for found in applies_in_force(known)}))
    return [
        title,
        *same_in(others, indent=2),
        *(line(Span(f"{name:8}", Style.DIM), value, indent=2, hang=8) for name, value in facts if value),
        *([EMPTY] if changes else []),
        *changes,
    ]


def when(run: Run) -> str:
    """The time of a run as people write it, to the second."""
    return second(run.at).replace("T", " ")


def _state(run: Run, runs: Iterable[Run], in_force: set[str]) -> Span:
    if run.kind is RunKind.UNDO:
        return Span(f"undid {short(run.undoes)}", Style.DIM)
    if run.id in in_force:
        return Span("in force", Style.GOOD)
    undoers = [found for found in runs if found.undoes == run.id]
    return Span(f"undone by {short(undoers[-1].id)}" if undoers else "undone", Style.DIM)
