"""What is to be applied, or written as scripts: a plan file, or a survey made now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migsync.alias import entry_of
from migsync.cli.output import Output
from migsync.cli.prompts import ask_backwards, ask_pairs
from migsync.cli.results import Result, blocked_error
from migsync.cli.views.blocks import Block, Span, Style, line, near
from migsync.cli.views.plans import plan_blocks
from migsync.cli.views.surveys import survey_blocks, survey_document, targets_blocks
from migsync.errors import ExitStatus, MigsyncError, UsageError, common_status
from migsync.sync.plan_file import PlanFile, load_plans
from migsync.sync.plan_groups import sentence_names
from migsync.sync.plan_request import PlanRequest
from migsync.words import did_you_mean, text_list

if TYPE_CHECKING:
    from migsync.project import Project
    from migsync.rewrites.rewrite import Rewrite
    from migsync.shard import Shard
    from migsync.sync.plan import Plan
    from migsync.sync.run import Run
    from migsync.sync.survey import Survey
    from migsync.sync.target import Target


@dataclass
class PlanSet:
    """What is to be applied where, from a plan file or from a survey made now.

    `shown` and `document` tell all of it. `settled` are the results that are known before anything is written: of saved
    plans that were applied before, or must not be applied. `survey` is the one that was made now; `saved` says that the
    plans are those of a file, which it was only compared with.
    """

    project: Project
    plans: Sequence[Plan]
    targets: Mapping[str, Target]
    proposed: Rewrite | None
    errors: Mapping[str, MigsyncError]
    shown: list[Block] = field(default_factory=list)
    document: dict[str, Any] = field(default_factory=dict)
    settled: Sequence[Result] = ()
    survey: Survey | None = None
    saved: bool = False

    @property
    def ready(self) -> list[Plan]:
        """The plans that will be carried out."""
        return [plan for plan in self.plans if not plan.empty and not plan.blocked]

    @property
    def status(self) -> ExitStatus:
        """REFUSED where a database is blocked; the errors' status where some could not be used; else DONE."""
        if any(plan.blocked for plan in self.plans):
            return ExitStatus.REFUSED
        settled = [result.error for result in self.settled if result.error]
        return common_status([*self.errors.values(), *settled])


@contextmanager
def open_plan_set(
    output: Output, project: Project, saved: Path | PlanFile | None, request: PlanRequest, *, ask: bool
) -> Iterator[PlanSet]:
    """The work of the plan file, or of a new survey; its targets stay open inside the `with`.

    With `ask`, a person at a terminal is asked about the pairs that are only likely, and whether a database that is
    ahead of the files shall go back. Raises UsageError where the request asks for a new plan besides a saved one.
    """
    from migsync.sync.survey import survey

    ask = ask and output.can_ask
    if saved:
        name = "the plan" if isinstance(saved, PlanFile) else str(saved)
        held, backwards = _allowed(
            output, name, _saved_plans(saved, name, request, project.shard), word=request.backwards, ask=ask
        )
        journal = project.journal and not request.trust_names
        with _from_file(project, held, journal=journal, backwards=backwards, shorten=output.shorten) as plan_set:
            yield plan_set
        return
    if ask:
        # Only to have something to ask about: the answers make a new request, and what is planned is planned with it.
        with survey(project, request) as first:
            request = ask_pairs(output, first.open_pairs, request)
            request = replace(request, backwards=request.backwards or ask_backwards(output, first.plans))
    with survey(project, request) as found:
        yield surveyed(output, found)


def surveyed(output: Output, found: Survey) -> PlanSet:
    """What a survey wants to apply."""
    return PlanSet(
        found.project,
        found.plans,
        found.targets,
        found.proposed,
        {**found.errors, **_refused_fresh(found)},
        survey_blocks(found, shorten=output.shorten),
        survey_document(found) if output.json else {},
        survey=found,
    )


def _refused_fresh(survey: Survey) -> dict[str, MigsyncError]:
    """The databases without records on which ``migrate`` cannot start, since the files are not in order."""
    reasons = [finding.found for finding in survey.findings if finding.blocks]
    if not reasons:
        return {}
    return {alias: blocked_error(alias, reasons) for alias in survey.fresh}


def write_proposed(output: Output, plan_set: PlanSet) -> str | None:
    """What the plans rest on and no rewrite tells yet becomes a file, before any database is touched."""
    if plan_set.proposed is None or not plan_set.ready:
        return None
    from migsync.rewrites.rewrite_files import write_rewrite

    path = write_rewrite(plan_set.project.rewrites, plan_set.proposed)
    output.show([line("Wrote a rewrite. Commit it with the migrations: ", Span(near(path), Style.COMMAND))])
    return str(path)


def plan_again(output: Output, first: Survey, plan: Plan, *, noinput: bool) -> Plan | Result | None:
    """What to do for the target of a stale plan: somebody else has changed its rows since the `first` survey.

    Its new plan, with `noinput`; a person who said yes to the first plan has not seen this one, and gets None. Where
    nothing is left to do, the result: the run of the journal that did it.
    """
    from migsync.sync.survey import survey

    alias = plan.target.alias
    request = replace(first.request, databases=(alias,))
    if first.proposed:  # the rewrite that was written says it now
        request = replace(request, maps=(), collapses=(), removes=(), news=())
    with survey(first.project, request) as found:
        # There is one database, so one error at most.
        for error in found.errors.values():
            raise error
        made = next(iter(found.plans), None)
        if made is None:
            return None
        if made.empty and not made.blocked:
            return _done_meanwhile(made, found.runs[alias])
        output.tell(
            [line(Span(alias, Style.HEADING), "  the rows have changed in the meantime, so the plan was made again:")]
        )
        output.tell(plan_blocks(made, shorten=output.shorten))
        if made.blocked:
            return Result.blocked(made)
        if noinput and found.proposed:
            # Now, or never: the run that follows rests on it, and no other place writes what a second survey proposes.
            from migsync.rewrites.rewrite_files import write_rewrite

            write_rewrite(found.project.rewrites, found.proposed)
        return made if noinput else None


def _done_meanwhile(plan: Plan, runs: Sequence[Run]) -> Result:
    from migsync.sync.apply import Status
    from migsync.sync.run import applies_in_force

    last = next(reversed(applies_in_force(runs)), None)
    return Result(plan.target.alias, str(Status.ALREADY_APPLIED if last else Status.NOTHING_TO_DO), plan, last)


def _saved_plans(given: Path | PlanFile, name: str, request: PlanRequest, shard: Shard | None) -> PlanFile:
    """The saved plans, only those of the shard, and of the databases that are asked for."""
    kept = PlanRequest(databases=request.databases, backwards=request.backwards, trust_names=request.trust_names)
    if request != kept:
        raise UsageError(
            "Options that make a new plan cannot be combined with a saved plan.",
            "",
            "Leave out PLAN, or use only --database and --backwards of these options.",
        )
    saved, aliases = given if isinstance(given, PlanFile) else load_plans(given), request.databases
    if shard:
        saved = replace(saved, plans=tuple(plan for plan in saved.plans if shard.holds(plan.target.alias)))
    if not aliases:
        return saved
    there = [plan.target.alias for plan in saved.plans]
    chosen: set[str] = set()
    for alias in aliases:
        named = {each for each in there if alias in (each, entry_of(each)) or fnmatchcase(each, alias)}
        if not named:
            listed = f"It has plans for: {text_list(sentence_names(there)) or 'none'}."
            raise UsageError(f"{name} has no plan for {alias!r}.", did_you_mean(alias, there, listed))
        chosen |= named
    plans = tuple(plan for plan in saved.plans if plan.target.alias in chosen)
    return replace(saved, plans=plans, asked=saved.asked and replace(saved.asked, databases=aliases))


def _allowed(output: Output, name: str, saved: PlanFile, *, word: bool, ask: bool) -> tuple[PlanFile, bool]:
    """The saved plans, and whether they may go back; those that do are blocked unless a person says that they may."""
    from migsync.sync.backwards import without_word

    held = [without_word(plan, name) for plan in saved.plans]
    if word or (ask and ask_backwards(output, held)):
        return saved, True
    return replace(saved, plans=tuple(held)), False


@contextmanager
def _from_file(
    project: Project, saved: PlanFile, *, journal: bool, backwards: bool, shorten: bool
) -> Iterator[PlanSet]:
    from migsync.cli.targets import rewrite_labels
    from migsync.sync.apply import Status
    from migsync.sync.review import review

    with review(project, saved, journal=journal, backwards=backwards) as found:
        labels = rewrite_labels(project)
        # What is carried out is the plan made now, so that is shown: it does the same, and its findings are of today.
        made = {plan.target.alias: plan for plan in found.plans}
        past = {*found.gone, *(plan.target.alias for plan, _ in found.applied)}
        told = [made.get(plan.target.alias, plan) for plan in saved.plans if plan.target.alias not in past]
        shown = targets_blocks(told, findings=found.findings, labels=labels, shorten=shorten)
        settled = [Result(plan.target.alias, str(Status.ALREADY_APPLIED), plan, run) for plan, run in found.applied]
        settled += [Result.failed(alias, error) for alias, error in found.errors.items()]
        yield PlanSet(
            project,
            found.plans,
            found.targets,
            found.proposed,
            {},
            shown,
            {**saved.as_dict(), "findings": [finding.as_dict() for finding in found.findings]},
            settled,
            survey=found.survey,
            saved=True,
        )
