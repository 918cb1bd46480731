"""Saved plans, compared with those that migsync makes now.

A plan file says what a person has reviewed. It is compared and never carried out: `apply` plans again from the files,
the rewrites and the rows as they are now, and goes on only where that gives a plan that does the same. So a plan file
cannot make migsync do anything that its planner would not do, whoever wrote it and whatever it says. Checking the
changes of a file one by one would be a second set of the planner's rules, and could never know all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase

from migsync.alias import entry_of, schema_of
from migsync.errors import NOTHING_CHANGED, MigsyncError, PlanFileError, StalePlan
from migsync.findings import Finding
from migsync.findings.plans import entry_changed
from migsync.project import Project
from migsync.rewrites.rewrite import Rewrite
from migsync.sync.comparison import (
    NAMED,
    already_applied,
    does_the_same,
    fits_before,
    indented,
    is_applied,
    new_plan,
    stale_plan,
)
from migsync.sync.members import find_targets
from migsync.sync.plan import Change, Plan
from migsync.sync.plan_file import PlanFile, SavedOptions
from migsync.sync.plan_request import PlanRequest
from migsync.sync.preconditions import check_identity
from migsync.sync.run import Run
from migsync.sync.survey import Survey, survey
from migsync.sync.target import Target
from migsync.words import truncated


@dataclass(frozen=True)
class Review:
    """`plans` can be carried out: migsync makes them now, and they do what the saved ones do.

    `applied` were, each with its run in the journal. `errors` are the reasons, by alias, why the others must not be.
    `proposed` is the rewrite that all rest on. `survey` is what they were compared with. `findings` say which members
    an entry has gained and lost; `gone` are the aliases of the latter.
    """

    proposed: Rewrite | None = None
    plans: list[Plan] = field(default_factory=list)
    applied: list[tuple[Plan, Run | None]] = field(default_factory=list)
    errors: dict[str, MigsyncError] = field(default_factory=dict)
    targets: dict[str, Target] = field(default_factory=dict)
    survey: Survey | None = None
    findings: list[Finding] = field(default_factory=list)
    gone: frozenset[str] = frozenset()


@contextmanager
def review(project: Project, saved: PlanFile, *, journal: bool, backwards: bool = False) -> Iterator[Review]:
    """Plan again, and compare; the targets stay open inside the `with`.

    Without `journal`, the rows alone say whether a plan was applied. `backwards` is what a person says now, not what
    the file says: see :class:`migsync.sync.plan_request.PlanRequest`. Raises UnknownAlias, and whatever
    :func:`migsync.sync.survey.survey` raises for the project as a whole.
    """
    if not saved.plans:
        yield Review()
        return
    # An older migsync did not save the options: its plans can be compared only with plans made without any.
    options = saved.asked or SavedOptions(trust_names=not journal)
    aliases = tuple(plan.target.alias for plan in saved.plans)
    changes = _member_changes(project, aliases, options.databases if saved.asked else aliases)
    gone = frozenset(alias for each in changes for alias in each.gone)
    kept = [plan for plan in saved.plans if plan.target.alias not in gone]
    findings = [
        entry_changed(alias=each.entry, came=each.came, went=sorted(map(schema_of, each.gone))) for each in changes
    ]
    if not kept:
        yield Review(findings=findings, gone=gone)
        return
    asked = {**asdict(options), "databases": tuple(plan.target.alias for plan in kept)}
    request = PlanRequest(backwards=backwards, **asked)
    with survey(project, request, proposed=saved.proposed) as now:
        ids = {rewrite.id for rewrite in now.rewrites.ordered}
        # Where a file says the same by now, the survey has left the proposal out.
        result = Review(
            saved.proposed if saved.proposed and saved.proposed.id in ids else None,
            targets=now.targets,
            survey=now,
            findings=findings,
            gone=gone,
        )
        made = {plan.target.alias: plan for plan in now.plans}
        for plan in kept:
            try:
                _judge(result, plan, made, now, journal=journal)
            except MigsyncError as error:
                result.errors[plan.target.alias] = error
        yield result


@dataclass(frozen=True)
class _MemberChanges:
    """An entry whose members are not those of the file: the names that `came`, and the aliases that are `gone`."""

    entry: str
    came: list[str]
    gone: list[str]


def _member_changes(project: Project, saved: Sequence[str], asked: Sequence[str]) -> list[_MemberChanges]:
    """Of each entry in the file, what came and went; nothing of one that cannot say its members today."""
    found = []
    for entry in dict.fromkeys(entry_of(alias) for alias in saved if schema_of(alias)):
        members = find_targets(project, [entry])
        if any(not member.entry for member in members):
            continue
        there = [member.alias for member in members if member.error is None]
        wanted = [schema_of(alias) or "*" for alias in asked if entry_of(alias) == entry] if asked else ["*"]
        new = (schema_of(alias) for alias in there if alias not in saved)
        came = [name for name in new if any(fnmatchcase(name, pattern) for pattern in wanted)]
        gone = [alias for alias in saved if entry_of(alias) == entry and alias not in there]
        if came or gone:
            found.append(_MemberChanges(entry, came, gone))
    return found


def _judge(result: Review, plan: Plan, made: Mapping[str, Plan], now: Survey, *, journal: bool) -> None:
    """Put one saved plan where it belongs; raises the reason why it must not be carried out."""
    alias = plan.target.alias
    if plan.blocked or plan.empty:
        result.plans.append(plan)  # never carried out
        return
    if error := now.errors.get(alias) or now.errors.get(entry_of(alias)):
        raise error
    if alias not in now.targets:
        raise StalePlan(_absent(alias, now), NOTHING_CHANGED)
    check_identity(now.targets[alias], plan)
    if does_the_same(plan, made[alias]):
        _check_proposed(result.proposed, now)
        result.plans.append(made[alias])
        return
    records, runs = now.records[alias], now.runs[alias]
    run = already_applied(plan, records, runs) if journal else None
    if run or (not journal and is_applied(plan, records)):
        result.applied.append((plan, run))
        return
    # Rows that have changed say more than plans that differ, so they are reported first.
    if not fits_before(plan, records):
        raise stale_plan(plan, records)
    raise _outdated(plan, made[alias])


def _absent(alias: str, now: Survey) -> str:
    if alias in now.fresh:
        return f"{alias} has no table django_migrations."
    return f"{alias} is the same database as another alias for which the file has a plan."


def _check_proposed(proposed: Rewrite | None, now: Survey) -> None:
    """Raises PlanFileError for a rewrite that must not be written into this project."""
    if proposed is None:
        return
    if strange := sorted(proposed.labels - now.history.synced):
        raise PlanFileError(
            f"The plan depends on a rewrite of {strange[0]}, which is not an app of this project.", NOTHING_CHANGED
        )
    known = {rewrite.id for rewrite in now.rewrites.ordered} | now.rewrites.same.keys()
    if missing := [parent for parent in proposed.parent_ids if parent not in known]:
        raise PlanFileError(
            f"The plan depends on the rewrite with the id {missing[0]:.12}…, which is not in this project.",
            NOTHING_CHANGED,
            "Get the rewrite file, for example with git, or make a new plan: migsync plan -o FILE",
        )


def _outdated(saved: Plan, made: Plan) -> StalePlan:
    return StalePlan(
        f"The saved plan for {saved.target.alias} is not the plan that migsync makes now:\n" + differences(saved, made),
        "The migration files or the rewrites have changed since the plan was saved, or the plan file was edited, or an "
        f"older migsync saved it without its options. {NOTHING_CHANGED}",
        f"{new_plan(saved)} -o FILE",
    )


def differences(saved: Plan, made: Plan) -> str:
    """The changes that only one of two plans has, a line for each."""
    old, new = ([_words(change) for change in plan.changes] for plan in (saved, made))
    lines = [f"only in the saved plan: {words}" for words in old if words not in new]
    lines += [f"only in the new plan: {words}" for words in new if words not in old]
    if not lines:
        lines = ["the changes are the same, but they come from other rewrites or operations"]
    return indented(truncated(lines, NAMED, "and {} more"))


def _words(change: Change) -> str:
    before, after = change.before, change.after
    if before is None:
        return f"insert {after.key}" if after else ""
    return (
        f"rename {before.key} (row {before.id}) to {after.key}" if after else f"remove {before.key} (row {before.id})"
    )
