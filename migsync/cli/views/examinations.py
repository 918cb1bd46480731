"""What `doctor` says of a project: of its files, of each database, or of an error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import replace
from itertools import chain

from migsync.alias import entry_of, schema_of
from migsync.cli.views.blocks import EMPTY, Block, Span, Style, line
from migsync.cli.views.documents import error_document, plan_state
from migsync.cli.views.findings import error_blocks, findings_blocks
from migsync.cli.views.lists import same_in
from migsync.cli.views.reports import FindingReport, in_repository, problem_of_error, problems_of, project_file
from migsync.doctor.examination import Examination
from migsync.findings import Finding, Severity
from migsync.findings.examination import ahead_of_code
from migsync.key import Key
from migsync.sync.plan_groups import error_groups, group_name
from migsync.sync.survey import Survey
from migsync.words import count, text_list

WORDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def examination_head(survey: Survey) -> list[Block]:
    """What was looked at."""
    own = sum(key.app in survey.history.first_party for key in survey.history.migrations)
    read = len(survey.plans) + len(survey.fresh)
    apps = sum(bool(survey.history.names(app)) for app in survey.history.first_party)
    return [line(f"{count(own, 'migration')} of {count(apps, 'app')}, {count(read, 'database')} read."), EMPTY]


def examination_blocks(survey: Survey, found: Examination, *, shorten: bool) -> Iterator[Block]:
    """All findings: those of the files first, then those of each database under its alias; notes on files last."""
    notes = [finding for finding in found.general if finding.severity is Severity.INFO]
    if shown := findings_blocks([each for each in found.general if each not in notes], shorten=shorten):
        yield from (*shown, EMPTY)
    for aliases in _groups(found):
        yield line(Span(aliases[0], Style.HEADING))
        yield from same_in(aliases[1:], indent=2, findings=found.findings[aliases[0]])
        yield from (*findings_blocks(found.findings[aliases[0]], indent=2, shorten=shorten), EMPTY)
    for group in error_groups(survey.errors):
        yield line(Span(group.name, Style.HEADING))
        yield from (*error_blocks(group.error, indent=2), EMPTY)
    if shown := findings_blocks(notes, shorten=shorten):
        yield from (*shown, EMPTY)


def _groups(found: Examination) -> Iterable[list[str]]:
    """The databases of which there is something to say; members of one entry together where it is the same."""
    groups: dict[Hashable, list[str]] = {}
    for alias, findings in found.findings.items():
        kinds = (
            (each.code, each.severity, each.app, each.name, each.other, each.operation, each.found) for each in findings
        )
        if findings:
            groups.setdefault((entry_of(alias), *kinds) if schema_of(alias) else alias, []).append(alias)
    return groups.values()


def summary_line(survey: Survey, found: Examination) -> Block:
    """The summary as text for people."""
    bad = survey.errors or any(finding.blocks for finding in found.every)
    return line(Span(_summary(survey, found), Style.BAD if bad else Style.GOOD))


def _summary(survey: Survey, found: Examination) -> str:
    shown = chain(found.general, *(found.findings[aliases[0]] for aliases in _groups(found)))
    number = Counter(finding.severity for finding in shown)
    told = [count(number[severity], word) for severity, word in WORDS.items() if number[severity]]
    if survey.errors:
        told.append(f"{count(len(survey.errors), 'database')} not read")
    if told:
        return f"{text_list(told)}."
    # Of the tables, doctor looks at names only.
    return "Nothing is wrong." + (" For types, indexes and constraints: migsync verify" if survey.plans else "")


def examination_document(survey: Survey, found: Examination, message: str = "") -> dict[str, object]:
    """The findings as JSON values; `message` is the error that they explain."""
    states = {plan.target.alias: plan_state(plan) for plan in survey.plans} | dict.fromkeys(survey.fresh, "fresh")
    for alias, findings in found.findings.items():
        if any(finding.code == ahead_of_code.code for finding in findings):
            states[alias] = "ahead"
    read = [
        {"alias": alias, "state": state, "findings": [finding.as_dict() for finding in found.findings.get(alias, ())]}
        for alias, state in states.items()
    ]
    failed = [
        {"alias": alias, "state": "error", "error": error_document(error)} for alias, error in survey.errors.items()
    ]
    return {
        **({"message": message} if message else {}),
        "databases": [*read, *failed],
        "findings": [finding.as_dict() for finding in found.general],
    }


def examination_report(survey: Survey, found: Examination, fails: Severity | None) -> FindingReport:
    """The findings for other programs; one about a migration is at its file. `fails` as :attr:`FindingReport.fails`."""
    relative = in_repository(survey.project.root)

    def placed(finding: Finding) -> Finding:
        migration = survey.history.migrations.get(Key(finding.app, finding.name))
        return replace(finding, file=str(migration.path)) if migration and not finding.file else finding

    problems = [*problems_of(map(placed, found.general), relative)]
    for aliases in _groups(found):
        problems += problems_of(map(placed, found.findings[aliases[0]]), relative, group_name(aliases))
    problems += [problem_of_error(group.error, group.name) for group in error_groups(survey.errors)]
    return FindingReport(
        "doctor",
        tuple(problems),
        (*(plan.target.alias for plan in survey.plans), *survey.fresh),
        _summary(survey, found),
        relative(project_file(survey.project.root)),
        fails,
    )
