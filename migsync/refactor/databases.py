"""What stands against a proposal in the databases: those that are not in order, and those that could not be read."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace

from migsync.files.reshape import Reshape
from migsync.findings import Finding
from migsync.findings.backwards import database_ahead
from migsync.findings.databases import unnamed_schemas
from migsync.findings.inconsistency import inconsistent_history
from migsync.findings.targets import (
    applied_names,
    read_only_target,
    target_blocked,
    unexpected_plan,
    unreachable_target,
)
from migsync.history import Key
from migsync.refactor.ground import Ground, SurveyedDatabase, Terms
from migsync.sync.members import find_targets
from migsync.sync.plan import Plan
from migsync.sync.survey import Survey
from migsync.sync.target_state import afterwards


def chosen_databases(ground: Ground, terms: Terms) -> tuple[str, ...]:
    """The aliases that are updated with the files; an alias that is another's database is that one."""
    if not terms.update_db:
        return ()
    if not terms.databases:
        return tuple(ground.databases)
    chosen = {config.alias for config in find_targets(ground.survey.project, terms.databases)}
    return tuple(alias for alias in ground.databases if alias in chosen)


def database_findings(
    ground: Ground, plans: Mapping[str, Plan], reshape: Reshape, chosen: Collection[str], terms: Terms
) -> Iterator[Finding]:
    """What refuses the proposal in one database or another, or only warns.

    `plans` are, by alias, what follows from the proposal; `chosen` the aliases that are updated with the files.
    """
    yield from _unreachable(ground.survey, terms)
    unnamed = (finding for finding in ground.survey.findings if finding.code == unnamed_schemas.code)
    yield from (finding.with_facts(files_change=True) for finding in unnamed)
    only_names = reshape.only_names(ground.survey.history.migrations)
    for alias, database in ground.databases.items():
        if only_names:
            continue
        yield from _of_database(ground, database, plans[alias], reshape, terms, updated=alias in chosen)


def applied_findings(ground: Ground, keys: AbstractSet[Key]) -> Iterator[Finding]:
    """An error for each database that has applied one of these keys, which all get other names: it takes consent.

    For commands whose files take long to make: this is known before.
    """
    for alias, database in ground.databases.items():
        if touched := sorted(database.applied & keys):
            yield applied_names(app=touched[0].app, alias=alias, applied=touched)


def _unreachable(survey: Survey, terms: Terms) -> Iterator[Finding]:
    later = terms.allow_applied or terms.assume_deployed
    for alias, error in survey.errors.items():
        yield unreachable_target(alias=alias, reason=error.found, later=later, named=alias in terms.databases)


def _of_database(
    ground: Ground, database: SurveyedDatabase, plan: Plan, reshape: Reshape, terms: Terms, *, updated: bool
) -> Iterator[Finding]:
    alias, known = database.alias, ground.survey.history.findings
    # What is wrong with the files alone is said once, by the command itself.
    # A plan that follows from records which are not in order would say nothing sound about the proposal.
    # Where the order is what the proposal changes, the plan that follows from it says whether that is enough.
    ordered = inconsistent_history.code if reshape.dependencies.unordered else ""
    blocking = [finding for finding in database.plan.findings if finding.blocks and finding.code != ordered]
    if own := [finding for finding in blocking if finding not in known]:
        optional = terms.allow_applied and not updated
        yield target_blocked(alias=alias, reason=own[0].found, optional=optional)
        return
    touched = sorted(reshape.misread(database.applied))
    back = [each for each in database.plan.findings if each.code == database_ahead.code]
    if back and (updated or (touched and not terms.allow_applied)):
        yield target_blocked(alias=alias, reason=back[0].found, optional=False)  # nobody said that it may go back
        return
    yield from (replace(finding, database=alias) for finding in plan.findings if finding.blocks)
    if touched and not (terms.update_db or terms.allow_applied):
        yield applied_names(app=touched[0].app, alias=alias, applied=touched, dry_run=terms.dry_run)
    # The planner and the command each work out the rows of afterwards in a way of their own: the two must agree.
    after = {row.key for row in afterwards(database.records, plan)}
    if not plan.blocked and after != reshape.keys.recorded(database.applied):
        yield unexpected_plan(alias=alias)
    reason = database.state.target.read_only
    if reason and updated and not plan.empty:
        yield read_only_target(alias=alias, reason=reason)
