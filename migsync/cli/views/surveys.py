"""What `plan`, `apply`, `script` and `status` say about a survey of all targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migsync.cli.views.blocks import EMPTY, Block, Span, Style, line
from migsync.errors import ExitStatus, common_status

if TYPE_CHECKING:
    from migsync.sync.survey import Survey


def survey_blocks(survey: Survey, *, shorten: bool) -> list[Block]:
    """Every target, and what was found about the project as a whole."""
    from migsync.cli.views.findings import error_blocks, findings_blocks
    from migsync.cli.views.plans import plan_blocks

    blocks: list[Block] = findings_blocks(survey.findings)
    labels = {survey.proposed.id: "a new rewrite (migsync apply writes it)"} if survey.proposed else {}
    for plan in survey.plans:
        blocks += [*([EMPTY] if blocks else []), *plan_blocks(plan, shorten=shorten, labels=labels)]
    for alias in survey.fresh:
        state = Span("fresh: no django_migrations table yet, nothing to do", Style.GOOD)
        blocks += [*([EMPTY] if blocks else []), line(Span(alias, Style.HEADING), "  ", state)]
    for alias, error in survey.errors.items():
        head = line(Span(alias, Style.HEADING), "  ", Span("cannot be read", Style.BAD))
        blocks += [*([EMPTY] if blocks else []), head, *error_blocks(error, indent=2)]
    return blocks


def survey_document(survey: Survey) -> dict[str, Any]:
    """The survey as JSON values: a plan file's, and besides the root, each database's state and the findings."""
    from migsync.cli.views.documents import error_document, plan_state

    databases = [{"alias": plan.target.alias, "state": plan_state(plan), "plan": plan.id} for plan in survey.plans]
    databases += [{"alias": alias, "state": "fresh"} for alias in survey.fresh]
    errors = [
        {"alias": alias, "state": "error", "error": error_document(error)} for alias, error in survey.errors.items()
    ]
    return {
        **survey.plan_file.as_dict(),
        "root": str(survey.project.root),
        "databases": [*databases, *errors],
        "findings": [finding.as_dict() for finding in survey.findings],
    }


def survey_status(survey: Survey, *, check: bool = False) -> ExitStatus:
    """REFUSED where something is blocked; the errors' status where databases could not be read.

    With `check`, DIFFERENCES where something would change.
    """
    if any(finding.blocks for finding in survey.findings) or any(plan.blocked for plan in survey.plans):
        return ExitStatus.REFUSED
    if survey.errors:
        return common_status(survey.errors.values())
    if check and any(plan.changes for plan in survey.plans):
        return ExitStatus.DIFFERENCES
    return ExitStatus.DONE
