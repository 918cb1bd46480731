"""What stands against a proposal in the databases: those that are not in order, and those that could not be read."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from migsync.files.reshape import Reshape
from migsync.findings import Finding, Severity
from migsync.findings.databases import unnamed_schemas
from migsync.history import Key
from migsync.refactor.ground import Ground, SurveyedDatabase, Terms
from migsync.sync.plan import Plan
from migsync.sync.survey import Survey, afterwards
from migsync.words import sample


def chosen_databases(ground: Ground, terms: Terms) -> tuple[str, ...]:
    """The aliases that are updated with the files; an alias that is another's database is that one."""
    if not terms.update_db:
        return ()
    return tuple(alias for alias in ground.databases if not terms.databases or alias in terms.databases)


def database_findings(
    ground: Ground, plans: Mapping[str, Plan], reshape: Reshape, chosen: Collection[str], terms: Terms
) -> Iterator[Finding]:
    """What refuses the proposal in one database or another, or only warns.

    `plans` are, by alias, what follows from the proposal; `chosen` the aliases that are updated with the files.
    """
    yield from _unreachable(ground.survey, terms)
    yield from (_unknown_schemas(finding) for finding in ground.survey.findings if finding.code == unnamed_schemas.code)
    for alias, database in ground.databases.items():
        yield from _of_database(ground, database, plans[alias], reshape, terms, updated=alias in chosen)


def _unreachable(survey: Survey, terms: Terms) -> Iterator[Finding]:
    # One that is named by --database is to be updated now, so it cannot be left for later.
    later = terms.allow_applied or terms.assume_deployed
    for alias, error in survey.errors.items():
        yield Finding(
            "unreachable-target",
            Severity.INFO if later and alias not in terms.databases else Severity.ERROR,
            f"{alias} could not be read: {error.found}",
            "What is applied there is not known. It will be synced later, by migsync apply."
            if later
            else "What is applied there is not known, and a new name may be wrong for it.",
            "" if later else "Make it reachable; or leave it for later: --allow-applied",
        )


def _unknown_schemas(warning: Finding) -> Finding:
    meaning = "What is applied in them is not known, and the changed files may be wrong for it."
    return replace(warning, severity=Severity.ERROR, meaning=meaning)


def _of_database(
    ground: Ground, database: SurveyedDatabase, plan: Plan, reshape: Reshape, terms: Terms, *, updated: bool
) -> Iterator[Finding]:
    alias, known = database.alias, ground.survey.history.findings
    # What is wrong with the files alone is said once, by the command itself.
    # A plan that follows from records which are not in order would say nothing sound about the proposal.
    if own := [finding for finding in database.plan.findings if finding.blocks and finding not in known]:
        yield _blocked_before(alias, own, optional=terms.allow_applied and not updated)
        return
    yield from (_of_target(alias, finding) for finding in plan.findings if finding.blocks)
    touched = sorted(reshape.misread(database.applied))
    if touched and not (terms.update_db or terms.allow_applied):
        yield _applied(alias, touched)
    # The planner and the command each work out the rows of afterwards in a way of their own: the two must agree.
    after = {row.key for row in afterwards(database.records, plan)}
    if not plan.blocked and after != reshape.keys.recorded(database.applied):
        yield _unexpected(alias)
    reason = database.reading.target.read_only
    if reason and updated and not plan.empty:
        yield _read_only(alias, reason)


def _of_target(alias: str, finding: Finding) -> Finding:
    # The rewrite of the proposal is in no file yet, so a finding about it names none.
    of_proposal = finding.code == "partial-collapse" and not finding.file
    hint = f"Migrate it first, with the files of today: python manage.py migrate {finding.app} --database {alias}"
    return replace(finding, found=f"{alias}: {finding.found}", hint=hint if of_proposal else finding.hint)


def _blocked_before(alias: str, findings: Sequence[Finding], *, optional: bool) -> Finding:
    return Finding(
        "target-blocked",
        Severity.WARNING if optional else Severity.ERROR,
        f"{alias} is not in order as it is: {findings[0].found}",
        "Its records must fit the files of today before the files change.",
        "See what it needs: migsync plan",
    )


def _applied(alias: str, touched: Sequence[Key]) -> Finding:
    return Finding(
        "applied-names",
        Severity.ERROR,
        f"{sample(touched, 3)} {'is' if len(touched) == 1 else 'are'} applied in {alias}.",
        "With other names on disk, migrate there would run again what ran already.",
        "Change the records in the same step: --update-db. Or let migsync apply do it later: --allow-applied",
        app=touched[0].app,
    )


def _unexpected(alias: str) -> Finding:
    return Finding(
        "unexpected-plan",
        Severity.ERROR,
        f"{alias}: its records would not follow the files.",
        "It cannot be told which of its names are those from before the rewrite and which those from after it.",
        "Bring it in line first: migsync plan",
    )


def _read_only(alias: str, reason: str) -> Finding:
    return Finding(
        "read-only-target",
        Severity.ERROR,
        f"{alias} cannot be written to: {reason}",
        "It was to be updated in the same step.",
        "Name the databases to be updated: --database ALIAS",
    )
