"""Plans of a survey as SQL, for ``--format sql``."""

from __future__ import annotations

from migsync.cli.output import Output
from migsync.cli.views.blocks import Span, Style, line
from migsync.sync.survey import Survey


def show_sql(output: Output, survey: Survey) -> None:
    """The script of each plan on standard output; on standard error, what stands in the way of the others."""
    _tell_problems(output, survey)
    output.raw(_sql(survey))


def _sql(survey: Survey) -> str:
    from migsync.engines import engine_named
    from migsync.sync.scripts import apply_script
    from migsync.sync.stated_records import with_time

    texts = []
    for plan in survey.plans:
        if not plan.empty and not plan.blocked:
            records, engine = survey.records[plan.target.alias], engine_named(plan.target.engine)
            plan = with_time(plan, records, engine.applied_form, use_tz=bool(survey.project.use_tz))
            texts.append(apply_script(plan, records))
    return "\n".join(texts)


def _tell_problems(output: Output, survey: Survey) -> None:
    """On standard error what a form without text (SQL) does not show: errors and findings."""
    from migsync.cli.views.findings import error_blocks, findings_blocks

    output.tell(findings_blocks(survey.findings))
    for plan in survey.plans:
        if plan.findings:
            output.tell([line(Span(plan.target.alias, Style.HEADING)), *findings_blocks(plan.findings, indent=2)])
    for alias, error in survey.errors.items():
        output.tell([line(Span(alias, Style.HEADING)), *error_blocks(error, indent=2)])
