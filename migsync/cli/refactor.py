"""What every file-changing command does with the change that it wants: draft, prove, show, ask, commit.

The command itself says only what is to become of the migrations; see :mod:`migsync.refactor.pipeline` for that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from migsync.cli.next_command import same_command
from migsync.cli.options import (
    ConsentOptions,
    ProjectOptions,
    ReasonOptions,
    flag,
    group,
    option,
    option_group,
    repeated,
)
from migsync.cli.output import Output, write_output
from migsync.cli.prompts import require_consent_possible, require_yes
from migsync.cli.recovery import settle_files
from migsync.cli.views.blocks import EMPTY, Span, Style, line, near
from migsync.cli.views.findings import findings_blocks
from migsync.errors import NOTHING_CHANGED, ExitStatus, UsageError
from migsync.findings import Severity
from migsync.sync.plan_groups import sentence_names
from migsync.words import count

if TYPE_CHECKING:
    from migsync.files.reshape import Reshape
    from migsync.project import Project
    from migsync.proof.scope import ProofScope
    from migsync.refactor.ground import Ground, Terms
    from migsync.refactor.pipeline import Draft
    from migsync.sync.survey import Survey

    Reshaping = Callable[[Ground], Reshape]

FORMATS = ("text", "json", "sql")
SUFFIXES = (".md", ".html")
RUN = (
    "Every migration really runs there: Django's mail, caches and storages are replaced by local ones, but HTTP "
    "requests and task queues are not."
)

UNNAMED = ""
"""The value of an option whose alias was left out."""


def _checked_report(ctx: click.Context, parameter: click.Parameter, value: Path | None) -> Path | None:
    if value is not None and value.suffix.lower() not in SUFFIXES:
        raise click.BadParameter(f"{value} must end in .md or .html.")
    if value is not None and not value.parent.is_dir():
        raise click.BadParameter(f"The directory {value.parent} does not exist.")
    return value


@option_group
class ProofOptions:
    """What is proven on scratch databases, for a command that keeps all operations: nothing, unless asked for."""

    prove_schema: tuple[str, ...] = repeated(
        metavar="[ALIAS]",
        is_flag=False,
        flag_value="default",
        help="Prove that the old and the new files build the same schema, on scratch databases of the engine of ALIAS "
        f"(default: default). {RUN}",
    )
    prove_transition: tuple[str, ...] = repeated(
        metavar="[ALIAS]",
        is_flag=False,
        flag_value=UNNAMED,
        help="Prove that the new files bring a database that is behind to the same schema, on scratch databases of the "
        "engine of ALIAS (default: SQLite).",
    )

    def scope(self) -> ProofScope:
        """The options as the pipeline takes them."""
        from migsync.proof.scope import ProofScope

        return ProofScope(
            _named(self.prove_schema) if self.prove_schema else None,
            _named(self.prove_transition) if self.prove_transition else None,
        )


@option_group
class FullProofOptions:
    """The same for a command that makes other operations: schema, rows and transition are proven unless turned off."""

    prove_schema: tuple[str, ...] = repeated(
        metavar="ALIAS",
        help="Prove that the old and the new files build the same schema and rows, on scratch databases of the engine "
        f"of ALIAS. Default: of every engine in use. {RUN}",
    )
    no_prove_schema: bool = flag(help="Do not prove that the old and the new files build the same schema and rows.")
    prove_transition: tuple[str, ...] = repeated(
        metavar="ALIAS",
        help="Prove that the new files bring a database that is behind to the same schema, on scratch databases of the "
        "engine of ALIAS. Default: SQLite.",
    )
    no_prove_transition: bool = flag(help="Do not prove what becomes of databases that are behind.")

    def scope(self) -> ProofScope:
        """The options as the pipeline takes them. Raises UsageError for options that exclude each other."""
        from migsync.proof.scope import ProofScope

        if self.prove_schema and self.no_prove_schema:
            raise UsageError("--prove-schema and --no-prove-schema cannot be combined.", "", "Leave out one of them.")
        if self.prove_transition and self.no_prove_transition:
            raise UsageError(
                "--prove-transition and --no-prove-transition cannot be combined.", "", "Leave out one of them."
            )
        return ProofScope(
            None if self.no_prove_schema else _named(self.prove_schema),
            None if self.no_prove_transition else _named(self.prove_transition),
            data=True,
        )


def _named(aliases: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(alias for alias in aliases if alias != UNNAMED)


@option_group
class UpdateOptions:
    """Which databases are updated together with the files; none: all of the project."""

    databases: tuple[str, ...] = repeated(
        "--database",
        "-d",
        metavar="ALIAS",
        help="With --update-db, update only this database. Can be repeated. Default: every database of the project.",
    )


@option_group
class RefactorOptions:
    """How files are changed, in which project: what every file-changing command has."""

    update_db: bool = flag(help="Update the records in the databases in the same step.")
    where: UpdateOptions = group(UpdateOptions)
    allow_applied: bool = flag(
        help="Go on even if a database has applied a name that changes, or cannot be reached. Update it later with "
        "`migsync apply`."
    )
    force: bool = flag(help="Change files that have uncommitted changes in git.")
    proof: ProofOptions | FullProofOptions = group(ProofOptions)
    report: Path | None = option(
        type=click.Path(dir_okay=False, path_type=Path),
        callback=_checked_report,
        metavar="FILE",
        help="Write what changes and what is proven to FILE, which ends in .md or .html. Works with --dry-run.",
    )
    consent: ConsentOptions = group(ConsentOptions)
    diff: bool = flag(help="Show every diff, name and record after the summary; on a terminal, in $PAGER.")
    log: ReasonOptions = group(ReasonOptions)
    project: ProjectOptions = group(ProjectOptions)

    @property
    def refuse_applied(self) -> bool:
        """Whether it ends where a database has applied a name that changes, before any file is made."""
        return not (self.update_db or self.allow_applied or self.consent.dry_run)


@option_group
class ProvenRefactorOptions(RefactorOptions):
    """The same for a command that makes other operations."""

    proof: ProofOptions | FullProofOptions = group(FullProofOptions)


def change_files(
    output: Output,
    options: RefactorOptions,
    reshaping: Reshaping,
    *,
    permits: Callable[[Path], bool] | None = None,
    seen: Callable[[Survey], None] | None = None,
    assume_deployed: bool = False,
) -> ExitStatus:
    """Carry one file-changing command through, from the survey to the commit; the exit status.

    `reshaping` says what the command wants, once files and databases are read. `permits` says of the project's root
    whether what is not committed there may be changed without --force. `seen` may change what the survey sees before
    any database is read. `assume_deployed` takes databases that cannot be reached to be up to date.
    Raises a MigsyncError where the project as a whole, or a file of it, stands in the way.
    """
    project = options.project.project()
    force = options.force or bool(permits and permits(project.root))
    return _FileCommand(output, project, options, force=force, assume_deployed=assume_deployed).run(reshaping, seen)


@dataclass(frozen=True)
class _FileCommand:
    """One file-changing command on its way; `force` and `assume_deployed` as it was decided for this project."""

    output: Output
    project: Project
    options: RefactorOptions
    force: bool
    assume_deployed: bool

    def run(self, reshaping: Reshaping, seen: Callable[[Survey], None] | None) -> ExitStatus:
        """Draft, show, ask, commit."""
        from migsync.refactor.ground import survey_ground
        from migsync.refactor.pipeline import make_draft
        from migsync.sync.survey import open_survey

        settle_files(self.output, self.project, dry_run=self.options.consent.dry_run)
        with open_survey(self.project) as survey:
            self.output.tell(findings_blocks(survey.findings, shorten=self.output.shorten))
            if seen:
                seen(survey)
            ground = survey_ground(survey, self.options.where.databases)
            draft = make_draft(ground, reshaping(ground), self._terms())
            self._show(draft)
            # For a refused change as well: the report says what stands against it.
            if report := self.options.report:
                self._write_report(report, draft, survey)
                self.output.show([EMPTY, line(f"Report written: {near(report.absolute())}")])
            if draft.blocked:
                self.output.show([EMPTY, line(NOTHING_CHANGED)])
                if draft.proposal.files:
                    self._tell_details()
                return self._end(draft, "refused", ExitStatus.REFUSED)
            if draft.empty:
                self._show_nothing_to_do(survey)
                return self._end(draft, "nothing to do", ExitStatus.DONE)
            if self.options.consent.dry_run or not self.options.consent.noinput:
                # Before anybody is asked, or told what would be done. The commit looks again, for itself.
                self._refuse_uncommitted(draft)
            if self.options.consent.dry_run:
                self.output.show([EMPTY, line("Dry run: nothing was changed.")])
                self._tell_details()
                return self._end(draft, "dry run", ExitStatus.DONE)
            self._ask(draft)
            return self._commit(survey, draft)

    def _show_nothing_to_do(self, survey: Survey) -> None:
        """That the files are in order is said only where `migrate` would start with them."""
        from migsync.sync.consistency import conflicts

        found = conflicts(survey.history, survey.history.state(frozenset()))
        forked = [replace(finding, severity=Severity.WARNING) for finding in found]
        if not forked:
            self.output.show([line(Span("Nothing to do: the files are in order.", Style.GOOD))])
            return
        self.output.show([line("There is nothing to do for this command, but the files are not in order:"), EMPTY])
        self.output.show(findings_blocks(forked, shorten=self.output.shorten))

    def _refuse_uncommitted(self, draft: Draft) -> None:
        from migsync.files.commit.git import git_status, refuse_uncommitted

        if not self.force:
            paths = [change.old_path for change in draft.proposal.files if change.old_path]
            refuse_uncommitted(self.project.root, git_status(paths))

    def _commit(self, survey: Survey, draft: Draft) -> ExitStatus:
        from migsync.cli.execution import database_steps, step_results
        from migsync.cli.results import finish_files
        from migsync.cli.views.proposals import done_blocks, draft_document
        from migsync.files.commit import commit, journals_of

        steps = database_steps(
            self.output, draft.updates, survey.targets, self.project.lock_timeout, self.options.log.reason
        )
        made = commit(
            self.project,
            draft.proposal,
            databases=steps,
            run_was_committed=journals_of(self.project),
            force=self.force,
        )
        # First of all what a kill must not lose: runs in doubt are kept before anything is said.
        results = step_results(self.project, draft.updates, made)
        facts = {**draft_document(draft, self.project.root), "commit": made.id} if self.output.json else {}
        status = finish_files(self.output, results, facts)
        self.output.show(done_blocks(draft, made, self.project, shorten=self.output.shorten))
        return status

    def _terms(self) -> Terms:
        from migsync.refactor.ground import Terms
        from migsync.sync.survey import now

        asked, databases = self.options, self.options.where.databases
        scope = asked.proof.scope()
        dry_run = asked.consent.dry_run
        return Terms(asked.update_db, asked.allow_applied, databases, now(), scope, self.assume_deployed, dry_run)

    def _write_report(self, path: Path, draft: Draft, survey: Survey) -> None:
        from migsync.cli.views.diffs import diff, place
        from migsync.refactor.report import make_report, report_text

        root = self.project.root
        diffs = [(f"{place(it.new_path or it.old_path, root)}", tuple(diff(it, root))) for it in draft.proposal.files]
        write_output(path, report_text(make_report(draft, survey.history, root, diffs), path))

    def _show(self, draft: Draft) -> None:
        from migsync.cli.views.proposals import draft_blocks, draft_sql

        if self.output.form == "sql":
            self.output.tell(findings_blocks(draft.findings))
            self.output.raw(draft_sql(draft))
        self.output.show(draft_blocks(draft, shorten=self.output.shorten, verbose=self.output.verbose))
        if self.options.diff:
            self.output.show([EMPTY])
            self._show_details(draft)

    def _show_details(self, draft: Draft) -> None:
        from migsync.cli.views.proposals import detail_blocks

        blocks = detail_blocks(draft, self.project.root, verbose=self.output.verbose)
        self.output.page(blocks, unattended=self.options.consent.noinput)

    def _tell_details(self) -> None:
        """How to see what the summary only counts, where nobody will be asked."""
        if not self.options.diff:
            command = Span(same_command("--dry-run", "--diff"), Style.COMMAND)
            self.output.show([line("To see every diff, name and record: ", command)])

    def _ask(self, draft: Draft) -> None:
        require_consent_possible(self.output, noinput=self.options.consent.noinput)
        self.output.show([EMPTY])
        rows = sum(len(plan.changes) for plan in draft.updates)
        names = sentence_names(plan.target.alias for plan in draft.updates)
        records = f" and {count(rows, 'record')} in {', '.join(names)}"
        files = count(len(draft.proposal.files), "file")
        if not self.options.consent.noinput:
            self.output.show([line(Span("d shows every diff, name and record.", Style.DIM))])
        require_yes(
            f"Change {files}{records if rows else ''}?",
            noinput=self.options.consent.noinput,
            show=lambda: self._show_details(draft),
        )

    def _end(self, draft: Draft, status: str, exit_status: ExitStatus, **more: object) -> ExitStatus:
        from migsync.cli.views.proposals import draft_document

        if self.output.json:
            document = draft_document(draft, self.project.root)
            self.output.document({**document, "status": status, **more, "exit_status": int(exit_status)})
        return exit_status
