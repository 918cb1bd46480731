"""What `plan`, `apply`, `undo`, `script` and `status` say about all targets: in short, then each one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from migsync.alias import entry_of
from migsync.cli.views.blocks import Block, Line, Span, Style, line
from migsync.cli.views.lists import cut, more
from migsync.errors import ExitStatus, MigsyncError, common_status
from migsync.sync.plan_groups import PlanGroup, error_groups, group_name, plan_groups

if TYPE_CHECKING:
    from migsync.findings import Finding
    from migsync.sync.plan import Plan
    from migsync.sync.survey import Survey

SHOWN = 8
"""On a terminal, so many targets are shown."""

NONE: Final[Mapping[str, str]] = MappingProxyType({})
NO_ERRORS: Final[Mapping[str, MigsyncError]] = MappingProxyType({})
NOT_READ = Span("cannot be read", Style.BAD)
FRESH = "fresh: no django_migrations table yet, nothing to do"


def survey_blocks(survey: Survey, *, shorten: bool) -> list[Block]:
    """Every target of a survey, and what was found about the project as a whole."""
    from migsync.cli.views.sources import source_line

    return targets_blocks(
        survey.plans,
        idle=dict.fromkeys(survey.fresh, FRESH),
        errors=survey.errors,
        findings=survey.findings,
        about={alias: text for alias in survey.ran if (text := source_line(survey, alias))},
        labels={survey.proposed.id: "a new rewrite (migsync apply writes it)"} if survey.proposed else NONE,
        shorten=shorten,
    )


def targets_blocks(
    plans: Sequence[Plan],
    *,
    idle: Mapping[str, str] = NONE,
    errors: Mapping[str, MigsyncError] = NO_ERRORS,
    findings: Iterable[Finding] = (),
    about: Mapping[str, str] = NONE,
    labels: Mapping[str, str] = NONE,
    shorten: bool,
) -> list[Block]:
    """All targets in a few lines, where there is more than one; findings; then each that has more to be said of it.

    `idle` says by alias where a target stands that has no plan, `errors` why one could not be read. `findings` are
    about the project as a whole. `about` is by alias a line about its plan; `labels` are those of `plan_blocks`.
    """
    from migsync.cli.views.findings import error_blocks, findings_blocks
    from migsync.cli.views.groups import with_gaps
    from migsync.cli.views.plans import plan_blocks

    several = len(plans) + len(idle) + len(errors) > 1
    groups = plan_groups(plans)
    told, hidden = cut([group for group in groups if not several or _has_more(group.first)], SHOWN, shorten=shorten)
    return with_gaps(
        [
            _in_short(plans, groups, idle, errors, shorten=shorten) if several else (),
            findings_blocks(findings, shorten=shorten),
            *(
                plan_blocks(
                    group.first,
                    shorten=shorten,
                    labels=labels,
                    about=about.get(group.first.target.alias, ""),
                    after_summary=several,
                    others=group.aliases[1:],
                )
                for group in told
            ),
            more(hidden),
            () if several else [_head(alias, Span(state, Style.GOOD)) for alias, state in idle.items()],
            *([_head(it.name, NOT_READ), *error_blocks(it.error, indent=2)] for it in error_groups(errors)),
        ]
    )


def targets_in_short(survey: Survey, *, shorten: bool) -> Iterator[Line]:
    """One sentence about all targets of a survey, and a line about each; nothing where it has none."""
    if survey.plans or survey.fresh or survey.errors:
        idle = dict.fromkeys(survey.fresh, FRESH)
        yield from _in_short(survey.plans, plan_groups(survey.plans), idle, survey.errors, shorten=shorten)


def _head(alias: str, state: Span) -> Line:
    return line(Span(alias, Style.HEADING), "  ", state)


def _has_more(plan: Plan) -> bool:
    return bool(plan.changes or plan.findings or not plan.empty)


def _in_short(
    plans: Sequence[Plan],
    groups: Sequence[PlanGroup],
    idle: Mapping[str, str],
    errors: Mapping[str, MigsyncError],
    *,
    shorten: bool,
) -> Iterator[Line]:
    """One sentence about all targets, and a line about each group."""
    from migsync.cli.views.plans import engine_title, standing, summary

    if plans or errors:
        yield line(Span(summary(plans, len(errors)), Style.HEADING))
    rows = [(group.name, engine_title(group.first.target.engine), standing(group.first)) for group in groups]
    rows += [(name, "", Span(state, Style.GOOD)) for name, state in idle_groups(idle)]
    rows += [(group.name, "", NOT_READ) for group in error_groups(errors)]
    if shorten and len(rows) > SHOWN:
        # What is up to date is what a person can do without.
        rows.sort(key=lambda row: row[2].style is Style.GOOD)
    width, engines = max(len(alias) for alias, _, _ in rows), max(len(engine) for _, engine, _ in rows)
    shown, hidden = cut(rows, SHOWN, shorten=shorten)
    for alias, engine, state in shown:
        yield line(Span(f"{alias:<{width}}", Style.HEADING), f"  {engine:<{engines}}  ", state, indent=2, hang=2)
    yield from more(hidden, indent=2)


def idle_groups(idle: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The name and the state of each group of targets that have no plan; `idle` has the state by alias."""
    groups: dict[tuple[str, str], list[str]] = {}
    for alias, state in idle.items():
        groups.setdefault((entry_of(alias), state), []).append(alias)
    yield from ((group_name(aliases), state) for (_, state), aliases in groups.items())


def group_documents(plans: Sequence[Plan]) -> list[dict[str, Any]]:
    """The groups as JSON values."""
    from migsync.cli.views.documents import plan_state

    return [
        {
            "name": group.name,
            "state": plan_state(group.first),
            "changes": len(group.first.changes),
            "targets": list(group.aliases),
        }
        for group in plan_groups(plans)
    ]


def survey_document(survey: Survey) -> dict[str, Any]:
    """The survey as JSON values: a plan file's, and besides the root, each database's state and the findings.

    `records` says for each record how it is known what ran.
    """
    from migsync.cli.views.documents import error_document, plan_state
    from migsync.cli.views.sources import source_documents

    databases: list[dict[str, Any]] = [
        {
            "alias": plan.target.alias,
            "state": plan_state(plan),
            "plan": plan.id,
            "records": source_documents(survey, plan.target.alias),
        }
        for plan in survey.plans
    ]
    databases += [{"alias": alias, "state": "fresh"} for alias in survey.fresh]
    errors = [
        {"alias": alias, "state": "error", "error": error_document(error)} for alias, error in survey.errors.items()
    ]
    return {
        **survey.plan_file.as_dict(),
        "root": str(survey.project.root),
        "databases": [*databases, *errors],
        "groups": group_documents(survey.plans),
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
