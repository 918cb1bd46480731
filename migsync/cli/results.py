"""What `apply` and `undo` say about their results, as text and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from migsync.cli.execution import APPLIED, FAILED, Result, exit_status
from migsync.cli.next_command import next_command
from migsync.cli.output import Output
from migsync.cli.views.blocks import EMPTY, Block, Span, Style, count, line
from migsync.cli.views.findings import error_blocks, findings_blocks
from migsync.cli.views.runs import short, when
from migsync.errors import Blocked, ExitStatus, PartlyDone


def tell_result(output: Output, result: Result) -> None:
    """One database's result, as soon as it is known: failures on standard error."""
    (output.tell if result.error else output.show)(_blocks(result))


def finish(output: Output, results: Sequence[Result], *, again: Sequence[str], facts: Mapping[str, Any]) -> ExitStatus:
    """Say which databases are done and which are not; `again` is the command to try again, and its arguments."""
    status = exit_status(results)
    if status is ExitStatus.PARTLY:
        output.tell([EMPTY, *error_blocks(_partly(results, again))])
    document: dict[str, Any] = {**facts, "databases": [result.as_dict() for result in results]}
    if status is ExitStatus.PARTLY:
        from migsync.cli.views.documents import error_document

        document["error"] = error_document(_partly(results, again))
    elif failed := [result.error for result in results if result.error]:
        from migsync.cli.views.documents import error_document

        document["error"] = error_document(failed[0])
    output.document({**document, "exit_status": int(status)})
    return status


def _partly(results: Sequence[Result], again: Sequence[str]) -> PartlyDone:
    done = [result.alias for result in results if result.status != FAILED]
    left = [result.alias for result in results if result.status == FAILED]
    return PartlyDone(
        f"Done: {', '.join(done)}. Not done: {', '.join(left)}.",
        "Each database is either as planned or as it was.",
        next_command(*again, databases=left),
    )


def _blocks(result: Result) -> list[Block]:
    alias = Span(result.alias, Style.HEADING)
    if isinstance(result.error, Blocked):
        return [line(alias, "  ", Span("not done", Style.BAD), ": blocked, see above")]
    if result.error:
        return [line(alias, "  ", Span("not done", Style.BAD)), *error_blocks(result.error, indent=2)]
    undone = result.plan and result.plan.undoes and result.status == APPLIED
    said = [Span("undone" if undone else result.status, Style.GOOD)]
    if result.plan and result.status == APPLIED:
        said.append(Span(f": {count(len(result.plan.changes), 'change')}"))
    if result.run:
        said.append(Span(f", run {short(result.run.id)}"))
        if result.status != APPLIED:
            said.append(Span(f", {when(result.run)} UTC by {result.run.author}"))
    return [line(alias, "  ", *said), *findings_blocks(result.findings, indent=2)]
