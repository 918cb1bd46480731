"""What became of each database, told as soon as it is known, and the exit status of all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from migsync.alias import entry_of, schema_of
from migsync.cli.next_command import next_command
from migsync.cli.output import Output
from migsync.cli.views.blocks import EMPTY, Block, Span, Style, line
from migsync.cli.views.documents import error_document
from migsync.cli.views.findings import error_blocks, findings_blocks
from migsync.cli.views.lists import same_in
from migsync.cli.views.runs import short, when
from migsync.errors import Blocked, ExitStatus, InDoubt, Interrupted, MigsyncError, NotBegun, PartlyDone, common_status
from migsync.sync.plan_groups import error_groups, sentence_name, sentence_names, shortened_aliases
from migsync.words import count

if TYPE_CHECKING:
    from migsync.findings import Finding
    from migsync.sync.plan import Plan
    from migsync.sync.run import Run

APPLIED = "applied"
FAILED = "failed"


@dataclass(frozen=True)
class Result:
    """What became of one database. `status` is ``applied``, ``already applied``, ``nothing to do`` or ``failed``.

    `findings` tell what came out otherwise than planned; `interrupted`, that Ctrl-C came while it was written to.
    """

    alias: str
    status: str
    plan: Plan | None = None
    run: Run | None = None
    findings: tuple[Finding, ...] = ()
    error: MigsyncError | None = None
    interrupted: bool = False

    @classmethod
    def failed(cls, alias: str, error: MigsyncError, plan: Plan | None = None, *, interrupted: bool = False) -> Result:
        """The result of a database that was not changed, or of which that is not known (InDoubt)."""
        return cls(alias, FAILED, plan, error=error, interrupted=interrupted)

    @classmethod
    def blocked(cls, plan: Plan) -> Result:
        """The result of a plan that must not be applied; its findings have been shown."""
        reasons = (finding.found for finding in plan.findings if finding.blocks)
        return cls.failed(plan.target.alias, blocked_error(plan.target.alias, reasons), plan)

    def as_dict(self) -> dict[str, Any]:
        """The result as JSON values."""
        return {
            "alias": self.alias,
            "status": self.status,
            "plan": self.plan.id if self.plan else None,
            "changes": len(self.plan.changes) if self.plan and self.status == APPLIED else 0,
            "run": self.run.id if self.run else None,
            "findings": [finding.as_dict() for finding in self.findings],
            "error": error_document(self.error) if self.error else None,
        }


def blocked_error(alias: str, reasons: Iterable[str]) -> Blocked:
    """The error of a database that is left as it is, with what was found there."""
    # A plan does not read the tables, and finds nothing of what a repair finds there.
    repairs = (context := click.get_current_context(silent=True)) and context.command.name == "repair"
    command = ("repair", "--dry-run") if repairs else ("plan",)
    return Blocked(
        f"{alias} is blocked. Nothing was changed there.",
        "\n".join(reasons),
        f"To see what to do about each error: {next_command(*command, databases=[alias])}",
    )


def exit_status(results: Sequence[Result]) -> ExitStatus:
    """One status for all: in doubt before anything else, partly done when one was changed and one was not."""
    failed = [result.error for result in results if result.error]
    if any(isinstance(error, InDoubt) for error in failed):
        return ExitStatus.IN_DOUBT
    if failed and any(result.status == APPLIED for result in results):
        return ExitStatus.PARTLY
    return common_status(failed)


def tell_result(output: Output, result: Result) -> None:
    """One database's result, as soon as it is known: failures on standard error.

    Of the members of an entry it says no more than one line; :func:`tell_groups` says the rest. On a terminal, those
    that are done are only counted.
    """
    if result.error and schema_of(result.alias):
        if not isinstance(result.error, Blocked | NotBegun | Interrupted):
            state = Span("not done", Style.BAD)
            output.tell([line(Span(result.alias, Style.HEADING), "  ", state, f": {result.error.code}")])
    elif not (output.shorten and _is_counted(result)):
        (output.tell if result.error else output.show)(_blocks(result))


def _is_counted(result: Result) -> bool:
    return bool(schema_of(result.alias)) and not (result.error or result.findings)


def tell_groups(output: Output, results: Sequence[Result]) -> None:
    """What :func:`tell_result` left out of members: how many are done, and why others are not, each reason once."""
    if output.shorten:
        _show_counted(output, results)
    failed = {result.alias: result.error for result in results if result.error and schema_of(result.alias)}
    blocked = [alias for alias, error in failed.items() if isinstance(error, Blocked)]
    for name in sentence_names(blocked):
        output.tell([line(Span(name, Style.HEADING), "  ", Span("not done", Style.BAD), ": blocked, see above")])
    for group in error_groups({alias: error for alias, error in failed.items() if alias not in blocked}):
        title = line(Span(sentence_name(group.aliases), Style.HEADING), "  ", Span("not done", Style.BAD))
        alike = same_in(group.aliases[1:], indent=2)
        output.tell([title, *alike, *error_blocks(group.error, indent=2)])


def _show_counted(output: Output, results: Iterable[Result]) -> None:
    groups: dict[tuple[str, str], list[Result]] = {}
    for result in filter(_is_counted, results):
        groups.setdefault((entry_of(result.alias), result.status), []).append(result)
    for (entry, status), found in groups.items():
        changes = sum(len(each.plan.changes) for each in found if each.plan and status == APPLIED)
        said = f" in {count(len(found), 'target')}" + (f": {count(changes, 'change')}" if changes else "")
        output.show([line(Span(entry, Style.HEADING), "  ", Span(status, Style.GOOD), said)])


def finish(output: Output, results: Sequence[Result], *, again: Sequence[str], facts: Mapping[str, Any]) -> ExitStatus:
    """The end of `apply` and `undo`: what is done and what is not, the one document, and the exit status.

    `again` is the command to try again, and its arguments; `facts` stand first in the document.
    """
    status, error = exit_status(results), common_error(results, again)
    if status is ExitStatus.PARTLY and error:
        output.tell([EMPTY, *error_blocks(error)])
    document: dict[str, Any] = {**facts, "databases": [result.as_dict() for result in results]}
    if error:
        document["error"] = error_document(error)
    output.document({**document, "exit_status": int(status)})
    return status


def common_error(results: Sequence[Result], again: Sequence[str]) -> MigsyncError | None:
    """One error for all: PartlyDone where one database was changed and one was not, else the first one."""
    if exit_status(results) is ExitStatus.PARTLY:
        return _partly(results, again)
    return next((result.error for result in results if result.error), None)


def finish_files(output: Output, results: Sequence[Result], facts: Mapping[str, Any]) -> ExitStatus:
    """The end of a change of files and rows together: every database's result, the one document, the exit status."""
    for result in results:
        tell_result(output, result)
    status = exit_status(results)
    # The files are changed in any case: with a database that is not, the whole is partly done.
    if status not in (ExitStatus.DONE, ExitStatus.IN_DOUBT):
        status = ExitStatus.PARTLY
    document = {"status": "done", **facts, "done": [result.as_dict() for result in results]}
    output.document({**document, "exit_status": int(status)})
    return status


def _partly(results: Sequence[Result], again: Sequence[str]) -> PartlyDone:
    done = [result.alias for result in results if result.status != FAILED]
    left = [result.alias for result in results if result.status == FAILED]
    return PartlyDone(
        f"Done: {', '.join(sentence_names(done))}. Not done: {', '.join(sentence_names(left))}.",
        "Each database has either all of its changes or none.",
        f"Fix the cause, then run: {next_command(*again, databases=tuple(shortened_aliases(left)))}",
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
