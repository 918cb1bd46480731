"""``migsync verify``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from typing import TYPE_CHECKING

import click

from migsync.alias import entry_of, schema_of
from migsync.cli.command import MigsyncCommand
from migsync.cli.evidence_options import EvidenceOptions
from migsync.cli.options import JournalOptions, ProjectOptions, group, option_group, options
from migsync.cli.output import Output
from migsync.cli.recovery import settle_files
from migsync.cli.views.blocks import EMPTY, Block, Span, Style, line
from migsync.errors import ExitStatus, common_status

if TYPE_CHECKING:
    from migsync.verify.composition import MigrationResult
    from migsync.verify.verification import Verification, Verified


@option_group
class VerifyCommandOptions:
    """What ``migsync verify`` looks at, and where it builds."""

    evidence: EvidenceOptions = group(EvidenceOptions)
    journal: JournalOptions = group(JournalOptions)


@click.command(
    cls=MigsyncCommand,
    short_help="Compare each database with what its records say.",
    examples="""
    migsync verify                    # every app and every database
    migsync verify shop -d default    # one app, one database
    migsync verify --scratch postgresql://user@localhost/postgres
    """,
)
@options(VerifyCommandOptions, ProjectOptions)
def verify(output: Output, asked: VerifyCommandOptions, where: ProjectOptions) -> ExitStatus:
    """Check that each database has the tables, columns, indexes and constraints that its records stand for.

    The migrations on disk run on a scratch database of the same kind, which is removed afterwards. What each of them
    changes there is looked for in the database. The database itself is only read. Data is not compared.

    Accepted differences, and SQL that the scratch database needs, are named in pyproject.toml, under
    [tool.migsync.verify].

    The exit status is 1 if something differs, cannot be told, or a database cannot be verified.
    """
    from migsync.cli.views.repairs import repair_line
    from migsync.sync.plan_request import PlanRequest
    from migsync.sync.survey import survey
    from migsync.verify.verification import verify as verify_survey

    project = where.project()
    settle_files(output, project)
    request = PlanRequest(databases=asked.evidence.where.databases, trust_names=asked.journal.no_journal)
    with survey(project, request) as found:
        outcome = verify_survey(found, asked.evidence.options(project))
        output.show(_blocks(outcome, found.fresh, shorten=output.shorten))
        said = [finding for each in outcome.databases.values() for finding in each.findings]
        output.show(repair_line(said, *asked.evidence.apps))
        output.document(_document(outcome, found.fresh))
        return _status(outcome)


def _blocks(outcome: Verification, fresh: Iterable[str], *, shorten: bool) -> Iterator[Block]:
    from migsync.cli.views.findings import error_blocks, findings_blocks
    from migsync.cli.views.lists import same_in
    from migsync.cli.views.surveys import idle_groups
    from migsync.sync.plan_groups import error_groups, sentence_name

    for first, *others in _groups(outcome):
        verified = outcome.databases[first]
        style = Style.GOOD if verified.agrees else Style.BAD
        yield line(Span(sentence_name([first, *others]), Style.HEADING), ": ", Span(_summary(verified), style))
        if blocks := findings_blocks(verified.findings, indent=2, shorten=shorten):
            members = [line(f"what was found in {first}", indent=2)] if others else []
            yield from (*members, *same_in(others, indent=2, findings=verified.findings), *blocks, EMPTY)
    for name, state in idle_groups(dict.fromkeys(fresh, "no migration is recorded")):
        yield line(Span(name, Style.HEADING), ": ", Span(state, Style.GOOD))
    for each in error_groups(outcome.errors):
        yield line(Span(each.name, Style.HEADING))
        yield from error_blocks(each.error, indent=2)


def _groups(outcome: Verification) -> Iterable[list[str]]:
    """The databases by alias: members of one entry for which the same was found are together."""
    from migsync.sync.plan_groups import finding_kind

    groups: dict[Hashable, list[str]] = {}
    for alias, verified in outcome.databases.items():
        kind = (entry_of(alias), _summary(verified), tuple(map(finding_kind, verified.findings)))
        groups.setdefault(kind if schema_of(alias) else alias, []).append(alias)
    return groups.values()


def _summary(verified: Verified) -> str:
    """``12 recorded migrations: 10 present, 2 without a trace``."""
    from migsync.verify.composition import State
    from migsync.words import count, text_list

    recorded = [each for each in verified.results if each.recorded]
    number = Counter(each.state for each in recorded)
    words = {State.NO_TRACE: "without a trace in the tables", State.UNKNOWN: "that cannot be verified"}
    told = [f"{number[state]} {words.get(state, state.value)}" for state in State if number[state]]
    already = [each for each in verified.results if not each.recorded and each.state in (State.PRESENT, State.PARTIAL)]
    if already:
        told.append(f"{len(already)} more that are there without a record")
    return f"{count(len(recorded), 'recorded migration')}{': ' if told else ''}{text_list(told)}"


def _document(outcome: Verification, fresh: Iterable[str]) -> dict[str, object]:
    from migsync.cli.views.documents import error_document

    verified = [
        {
            "alias": alias,
            "state": "verified",
            "agrees": each.agrees,
            "migrations": [_result(one) for one in each.results],
            "findings": [finding.as_dict() for finding in each.findings],
        }
        for alias, each in outcome.databases.items()
    ]
    empty = [{"alias": alias, "state": "fresh"} for alias in fresh]
    failed = [
        {"alias": alias, "state": "error", "error": error_document(error)} for alias, error in outcome.errors.items()
    ]
    return {
        "databases": [*verified, *empty, *failed],
        "groups": [{"targets": aliases} for aliases in _groups(outcome)],
    }


def _result(result: MigrationResult) -> dict[str, object]:
    return {
        "migration": str(result.key),
        "recorded": result.recorded,
        "state": result.state.value,
        **({"reason": result.reason} if result.reason else {}),
        "differences": [
            {
                "kind": each.part.kind,
                "table": each.part.table,
                "name": each.part.name,
                "expected": each.expected,
                "found": each.found,
            }
            for each in result.differences
        ],
    }


def _status(outcome: Verification) -> ExitStatus:
    if not all(each.agrees for each in outcome.databases.values()):
        return ExitStatus.REFUSED
    return common_status(outcome.errors.values()) if outcome.errors else ExitStatus.DONE
