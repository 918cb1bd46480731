"""The runs that are safe to squash, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from migsync.cli.views.blocks import EMPTY, Block, Span, Style, line
from migsync.engines import ENGINES
from migsync.refactor.squash.ranges import ends
from migsync.refactor.squash.safe_ranges import transactions
from migsync.words import count

if TYPE_CHECKING:
    from migsync.history import History, Key
    from migsync.refactor.squash.safe_ranges import SafeRange

RISKS = 5
"""So many risks of a run are shown; --verbose shows all."""
NOT_IN_ONE = tuple(engine for engine in ENGINES if not engine.schema_after_data)
"""Engines on which a run with a change of data may be no one transaction."""


def suggestion_blocks(history: History, runs: Sequence[SafeRange], files: int, *, shorten: bool) -> list[Block]:
    """Each run with what to type, what it saves, what it stops at and its risks; then the sum of `files`."""
    blocks: list[Block] = []
    for app, found in groupby(runs, lambda run: run.app):
        blocks += [line(Span(app, Style.HEADING), f"  {count(len(history.names(app)), 'migration')}")]
        for run in found:
            blocks += _run_blocks(history, run, shorten)
        blocks.append(EMPTY)
    return [*blocks, *_sum(runs, files)]


def _run_blocks(history: History, run: SafeRange, shorten: bool) -> Iterator[Block]:
    yield line(Span(_command(history, run.keys), Style.COMMAND), f"  saves {count(run.saves, 'file')}", indent=2)
    commands = _as_transactions(history, run)
    for engine in NOT_IN_ONE if commands != [_command(history, run.keys)] else ():
        for command in commands:
            yield line(Span(f"on {engine.title}: ", Style.DIM), Span(command, Style.COMMAND), indent=4)
        if not commands:
            yield line(Span(f"on {engine.title}: ", Style.DIM), "no two of them, for they change data.", indent=4)
    yield line(Span("before it: ", Style.DIM), f"{run.before.why}.", indent=4)
    yield line(Span("after it:  ", Style.DIM), f"{run.after.why}.", indent=4)
    hidden = len(run.risks) - RISKS if shorten and len(run.risks) > RISKS + 1 else 0
    for risk in run.risks[: len(run.risks) - hidden]:
        yield line(Span("risk: ", Style.WARNING), f"{risk}.", indent=4)
    if hidden:
        yield line(Span(f"and {count(hidden, 'more risk')}: --verbose shows all", Style.DIM), indent=4)


def _sum(runs: Sequence[SafeRange], files: int) -> Iterator[Block]:
    if not runs:
        yield line(f"No two migrations of {count(files, 'file')} follow each other without anything in between.")
        return
    saved, at_once = sum(run.saves for run in runs), _saved_at_once(runs)
    yield line(f"{count(len(runs), 'run')} would save {saved} of {count(files, 'file')}. All in one step: ", _all(runs))
    if at_once < saved:
        yield line("That cuts them after what changes data, as PostgreSQL needs it, and leaves operations alone")
        yield line(f"that are made when a file is imported. It saves {at_once}.")


def _saved_at_once(runs: Sequence[SafeRange]) -> int:
    return sum(len(part) - 1 for run in runs for part in transactions(run))


def _all(runs: Sequence[SafeRange]) -> Span:
    apps = {run.app for run in runs}
    return Span(f"migsync squash {' '.join([*(apps if len(apps) == 1 else ()), '--all-safe'])}", Style.COMMAND)


def suggestion_document(history: History, runs: Sequence[SafeRange], files: int) -> dict[str, Any]:
    """The same as JSON values."""
    return {
        "runs": [_document(history, run) for run in runs],
        "saves": sum(run.saves for run in runs),
        "all_safe_saves": _saved_at_once(runs),
        "files": files,
    }


def _document(history: History, run: SafeRange) -> dict[str, Any]:
    return {
        "app": run.app,
        "first": run.names[0],
        "last": run.names[-1],
        "names": list(run.names),
        "command": _command(history, run.keys),
        **{f"on_{engine.name}": _as_transactions(history, run) for engine in NOT_IN_ONE},
        "saves": run.saves,
        "stops": {
            place: {"key": str(stop.key) if stop.key else None, "why": stop.why}
            for place, stop in (("before", run.before), ("after", run.after))
        },
        "risks": [
            {"name": risk.key.name, "line": risk.line, "hazard": risk.hazard.value, "what": risk.what}
            for risk in run.risks
        ],
    }


def _as_transactions(history: History, run: SafeRange) -> list[str]:
    """What to type where an engine of NOT_IN_ONE is in use: the parts that can each be one transaction."""
    return [_command(history, part) for part in transactions(run) if len(part) > 1]


def _command(history: History, keys: Sequence[Key]) -> str:
    return f"migsync squash {keys[0].app} {ends(history, keys)}"
