"""The thin skin that all commands share that rewrite migration files: prove, show, ask, commit."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from migsync.cli.options import (
    Where,
    consent_options,
    database_option,
    output_options,
    packed,
    project_options,
    reason_option,
    together,
)
from migsync.cli.output import Output
from migsync.cli.prompts import require_consent_possible, require_yes
from migsync.cli.proving import Proving, proving_options, write_report
from migsync.cli.recovery import settle_files
from migsync.cli.views.blocks import EMPTY, Block, Span, Style, line, near
from migsync.cli.views.findings import findings_blocks
from migsync.errors import ExitStatus
from migsync.words import count

if TYPE_CHECKING:
    from migsync.files.commit import Committed
    from migsync.files.reshape import Reshape
    from migsync.project import Project
    from migsync.refactor.ground import Ground, Terms
    from migsync.refactor.pipeline import Draft
    from migsync.sync.planning import Survey

    Reshaping = Callable[[Ground], Reshape]

app_option = click.option(
    "--app", "apps", metavar="LABEL", multiple=True, help="Only this app; give it again for more. Default: all."
)
TERMS = (
    "databases",
    "noinput",
    "dry_run",
    "force",
    "allow_applied",
    "update_db",
    "proving",
    "reason",
)


@dataclass(frozen=True)
class Asked:
    """The values of `rewriting_options`; `assume_deployed` is an option of those commands that have it."""

    databases: tuple[str, ...] = ()
    noinput: bool = False
    dry_run: bool = False
    force: bool = False
    allow_applied: bool = False
    update_db: bool = False
    proving: Proving = field(default_factory=Proving)
    reason: str = ""
    assume_deployed: bool = False


def rewriting_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """How files are rewritten, handed on as `asked`; with them `where`, and how output looks."""
    return _rewriting_options(function, proving_options(always=False))


def proven_rewriting_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same for a command that makes other operations: schema, rows and transition are proven unless turned off."""
    return _rewriting_options(function, proving_options(always=True))


def _rewriting_options(
    function: Callable[..., Any], proving: Callable[[Callable[..., Any]], Callable[..., Any]]
) -> Callable[..., Any]:
    options = together(
        click.option("--update-db", is_flag=True, help="Change the records of the databases in the same step."),
        database_option,
        click.option(
            "--allow-applied",
            is_flag=True,
            help="Go on where a changing name is applied, or a database is not reached: migsync apply syncs it later.",
        ),
        click.option("--force", is_flag=True, help="Change files that have changes which are not committed in git."),
        proving,
        consent_options,
        reason_option,
    )
    return together(
        lambda inner: options(packed("asked", TERMS, lambda values: Asked(**values), inner)),
        project_options,
        output_options(forms=("text", "json", "sql")),
    )(function)


def rewrite_files(
    output: Output,
    where: Where,
    asked: Asked,
    reshaping: Reshaping,
    *,
    permits: Callable[[Path], bool] | None = None,
    seen: Callable[[Survey], None] | None = None,
) -> ExitStatus:
    """Carry one rewriting command through, from the survey to the commit; the exit status.

    `permits` says of the project's root whether what is not committed there may be changed without --force. `seen` may
    change what the survey sees before any database is read.
    Raises a MigsyncError where the project as a whole, or a file of it, stands in the way.
    """
    project = where.project()
    if permits and permits(project.root):
        asked = replace(asked, force=True)
    return _Rewriting(output, project, asked).run(reshaping, seen)


class _Rewriting:
    def __init__(self, output: Output, project: Project, asked: Asked) -> None:
        self.output = output
        self.project = project
        self.asked = asked

    def run(self, reshaping: Reshaping, seen: Callable[[Survey], None] | None) -> ExitStatus:
        """Draft, show, ask, commit."""
        from migsync.refactor.ground import survey_ground
        from migsync.refactor.pipeline import make_draft
        from migsync.sync.planning import open_survey

        settle_files(self.output, self.project, dry_run=self.asked.dry_run)
        with open_survey(self.project) as survey:
            self.output.tell(findings_blocks(survey.findings))
            if seen:
                seen(survey)
            ground = survey_ground(survey, self.asked.databases)
            draft = make_draft(ground, reshaping(ground), self._terms())
            self._show(draft)
            if report := self.asked.proving.report:
                write_report(report, draft, survey)
                self.output.show([EMPTY, line(f"The report is in {near(report.absolute())}.")])
            if draft.blocked:
                return self._end(draft, "refused", ExitStatus.REFUSED)
            if draft.empty:
                self.output.show([line(Span("Nothing to do: the files are in order.", Style.GOOD))])
                return self._end(draft, "nothing to do", ExitStatus.DONE)
            if self.asked.dry_run or not self.asked.noinput:
                self._refuse_uncommitted(draft)  # before anybody is asked; the commit looks for itself
            if self.asked.dry_run:
                self.output.show([EMPTY, line("Dry run: nothing was changed.")])
                return self._end(draft, "dry run", ExitStatus.DONE)
            self._ask(draft)
            return self._commit(survey, draft)

    def _refuse_uncommitted(self, draft: Draft) -> None:
        from migsync.files.commit.git import held_by_git, refuse_uncommitted

        if not self.asked.force:
            paths = [change.old_path for change in draft.proposal.files if change.old_path]
            refuse_uncommitted(self.project.root, held_by_git(paths))

    def _commit(self, survey: Survey, draft: Draft) -> ExitStatus:
        from migsync.cli.execution import database_steps, step_results
        from migsync.cli.results import finish_files
        from migsync.cli.views.proposals import draft_document
        from migsync.files.commit import commit, journals_of

        steps = database_steps(draft.updates, survey.targets, self.project.lock_timeout, self.asked.reason)
        made = commit(
            self.project,
            draft.proposal,
            databases=steps,
            run_was_committed=journals_of(self.project),
            force=self.asked.force,
        )
        results = step_results(self.project, draft.updates, made)
        facts = {**draft_document(draft, self.project.root), "commit": made.id} if self.output.json else {}
        status = finish_files(self.output, results, facts)
        self._tell_next(draft, made)
        return status

    def _tell_next(self, draft: Draft, made: Committed) -> None:
        """What is left to be done, in words."""
        from migsync.cli.views.proposals import paths_to_commit

        proposal = draft.proposal
        paths = [path for change in proposal.files for path in (change.old_path, change.new_path) if path]
        places = [*paths_to_commit(paths), *([near(self.project.rewrites)] if proposal.rewrite else [])]
        blocks: list[Block] = [line(Span(f"{count(len(proposal.files), 'file')} changed.", Style.GOOD))]
        if made.untracked:
            copies = count(len(made.untracked), "file")
            blocks.append(line(f"Git had no copy of {copies}; what they were is kept in {near(made.backup)}"))
        blocks += [EMPTY, line("Commit it: ", Span(f"git add -A {shlex.join(places)}", Style.COMMAND))]
        by_hand = [finding for finding in draft.findings if finding.code == "reference-by-name"]
        blocks += [line("Look at it by hand: ", finding.found) for finding in by_hand]
        if draft.later:
            blocks.append(line(f"Not in line yet: {', '.join(draft.later)}"))
        if proposal.rewrite:
            blocks.append(line("On every other database, with the new files: ", Span("migsync apply", Style.COMMAND)))
        blocks.append(line("To take it back: ", Span("migsync undo --files", Style.COMMAND)))
        if made.interrupted:
            blocks.append(line("Ctrl-C came when it could not be stopped any more: what is said above was done."))
        self.output.show(blocks)

    def _terms(self) -> Terms:
        from migsync.refactor.ground import Terms
        from migsync.sync.planning import now

        asked = self.asked
        wishes = asked.proving.wishes()
        return Terms(asked.update_db, asked.allow_applied, asked.databases, now(), wishes, asked.assume_deployed)

    def _show(self, draft: Draft) -> None:
        from migsync.cli.views.proposals import draft_blocks

        if self.output.form == "sql":
            self.output.tell(findings_blocks(draft.findings))
            self.output.raw(_sql(draft))
        self.output.show(
            draft_blocks(draft, self.project.root, shorten=self.output.shorten, verbose=self.output.verbose)
        )

    def _ask(self, draft: Draft) -> None:
        require_consent_possible(self.output, noinput=self.asked.noinput)
        self.output.show([EMPTY])
        rows = sum(len(plan.changes) for plan in draft.updates)
        records = f" and {count(rows, 'record')} in {', '.join(plan.target.alias for plan in draft.updates)}"
        files = count(len(draft.proposal.files), "file")
        require_yes(f"Change {files}{records if rows else ''}?", noinput=self.asked.noinput)

    def _end(self, draft: Draft, status: str, exit_status: ExitStatus, **more: object) -> ExitStatus:
        from migsync.cli.views.proposals import draft_document

        if self.output.json:
            document = draft_document(draft, self.project.root)
            self.output.document({**document, "status": status, **more, "exit_status": int(exit_status)})
        return exit_status


def _sql(draft: Draft) -> str:
    from migsync.sync.scripts import apply_script

    return "\n".join(apply_script(plan) for plan in draft.plans if not plan.empty and not plan.blocked)
