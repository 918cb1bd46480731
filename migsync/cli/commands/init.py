"""``migsync init``."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from migsync.cli.command import MigsyncCommand
from migsync.cli.options import (
    ConsentOptions,
    ProjectOptions,
    TargetOptions,
    flag,
    group,
    option,
    option_group,
    options,
)
from migsync.cli.output import Output, write_outputs
from migsync.cli.prompts import require_consent_possible, require_yes
from migsync.cli.views.blocks import EMPTY, Block, Line, Span, Style, line, near
from migsync.errors import ExitStatus, MigsyncError, PartlyDone, ProjectError, common_status
from migsync.filesystem.git import repository_of
from migsync.words import count, text_list

if TYPE_CHECKING:
    from pathlib import Path

    from migsync.project import Project
    from migsync.project.setup_files import SetupFile
    from migsync.sync.survey import Survey
    from migsync.sync.target_state import TargetState

FRESH = "has no django_migrations yet. Run this command again after the first migrate."
NAMED = 5


@option_group
class InitOptions:
    """What ``migsync init`` sets up."""

    where: TargetOptions = group(TargetOptions)
    pre_commit: bool = flag(help="Also write .pre-commit-config.yaml, with the hook that runs `migsync check`.")
    ci: str | None = option(
        type=click.Choice(("github", "gitlab")),
        help="Also write the job of GitHub Actions, or of GitLab CI, that runs `migsync check`.",
    )
    consent: ConsentOptions = group(ConsentOptions)


@click.command(
    cls=MigsyncCommand,
    short_help="Set up migsync in a project: its settings, its tables, the CI job.",
    examples="""
    migsync init                             # [tool.migsync], and the tables of every database
    migsync init --pre-commit --ci github    # also the hook, and the job of GitHub Actions
    migsync init -d default                  # the tables of one database
    migsync init --dry-run                   # only show it
    """,
)
@options(InitOptions, ProjectOptions)
def init(output: Output, asked: InitOptions, where: ProjectOptions) -> ExitStatus:
    """Write [tool.migsync] into pyproject.toml, and create migsync's tables in each database.

    Everything is shown first. A file that is there is never changed, but for pyproject.toml, which gets the table at
    its end; what another file lacks is printed for you to add.

    The first `migsync apply` that changes something creates the same tables. From then on the guard of `migrate` notes
    what each migration is that it runs, and each `migsync apply` notes what the files are. With this command that
    begins at once. No record is changed, and there is no run to undo.
    """
    from migsync.cli.views.findings import error_blocks
    from migsync.sync.survey import open_survey

    project = where.project()
    files = _files(project, where.settings, asked)
    written = [file for file in files if file.is_written]
    _require_journal(project, written)
    with open_survey(project) as found:
        states = _states(found, asked.where.databases, written)
        output.show(_shown(files))
        makes = [state.ref.alias for state in states if state.held.version != _newest()]
        if asked.consent.dry_run:
            output.show([*_tables(makes), line("Dry run: nothing was changed.")])
            databases: list[dict[str, Any]] = [
                {"alias": state.ref.alias, "before": state.held.version, "version": _newest()} for state in states
            ]
        else:
            if written or makes:
                require_consent_possible(output, noinput=asked.consent.noinput)
                require_yes(_question(written, makes), noinput=asked.consent.noinput)
            try:
                _write(output, written)
                databases = list(_make(output, found, states))
            except KeyboardInterrupt:
                raise PartlyDone(
                    "Interrupted.",
                    "What is listed above is done. No record was changed.",
                    "To do the rest, run the command again.",
                ) from None
        for alias in found.fresh:
            output.show([line(Span(alias, Style.HEADING), f"  {FRESH}")])
            databases.append({"alias": alias, "fresh": True})
        for alias, failed in found.errors.items():
            output.tell([EMPTY, line(Span(alias, Style.HEADING)), *error_blocks(failed, indent=2)])
            databases.append({"alias": alias, "error": _error(failed)})
        if not asked.consent.dry_run:
            output.show(_left(written, project.root))
        output.document({"databases": databases, "files": [_document(file) for file in files]})
        return common_status(found.errors.values())


def _files(project: Project, settings: str | None, asked: InitOptions) -> list[SetupFile]:
    from migsync.project.root import find_root, settings_module
    from migsync.project.setup_files import github_file, gitlab_file, hook_file, settings_file

    place = find_root(project.root, root=project.root)
    module = settings or ""
    if not module:
        # Rather what manage.py says, which holds for everybody, than the environment of this shell.
        with suppress(ProjectError):
            module = settings_module(place, None, {})
    files = [settings_file(place, module or project.settings_module)]
    if asked.pre_commit:
        files.append(hook_file(place))
    if asked.ci:
        files.append(github_file(place) if asked.ci == "github" else gitlab_file(place))
    return files


def _require_journal(project: Project, written: Sequence[SetupFile]) -> None:
    if not project.journal and not written:
        raise ProjectError(
            "journal is false in pyproject.toml, so migsync has no tables in the databases.",
            "Without them, nothing can be noted.",
            "Remove journal = false from [tool.migsync], then run the command again.",
        )


def _states(survey: Survey, asked: Sequence[str], written: Sequence[SetupFile]) -> list[TargetState]:
    """The databases that may get tables; a project without one may still get files."""
    if not survey.project.journal or (written and not survey.project.targets()):
        return []
    return survey.read_targets(asked)


def _shown(files: Sequence[SetupFile]) -> Iterator[Block]:
    """What is written, or is to be added by hand; nothing for a file that has it."""
    from migsync.project.setup_files import FileFate

    words = {FileFate.NEW: "{}, a new file:", FileFate.LONGER: "{}, at its end:"}
    words[FileFate.BY_HAND] = "{} is there, and migsync does not change it. Add this to it:"
    for file in files:
        if file.state in words:
            yield line(words[file.state].format(near(file.path)), hang=2)
            yield from (Line((Span(text),), indent=2, verbatim=True) for text in file.text.splitlines())
            yield EMPTY


def _tables(makes: Sequence[str]) -> list[Block]:
    return [line(f"Tables would be created, or brought up to date, in {text_list(makes, NAMED)}.")] if makes else []


def _question(written: Sequence[SetupFile], makes: Sequence[str]) -> str:
    parts = [f"Write {count(len(written), 'file')}"] if written else []
    parts += [f"create the tables in {text_list(makes, NAMED)}"] if makes else []
    question = " and ".join(parts)
    return f"{question[0].upper()}{question[1:]}?"


def _write(output: Output, files: Sequence[SetupFile]) -> None:
    for file in files:
        texts = {file.path: file.content.decode()}
        write_outputs(file.path.parent, texts, retry="Fix the cause, then run the command again.")
        output.show([line("Wrote ", Span(near(file.path), Style.COMMAND))])


def _left(written: Sequence[SetupFile], root: Path) -> list[Block]:
    """What is left to be done with the files, where git keeps the project."""
    if not written or repository_of(root) is None:
        return []
    paths = shlex.join(near(file.path) for file in written)
    return [EMPTY, line("Add it to git: ", Span(f"git add {paths}", Style.COMMAND))]


def _make(output: Output, survey: Survey, states: Sequence[TargetState]) -> Iterator[dict[str, Any]]:
    """The tables of each database; what was done in it, as JSON values. Those that fail are among the errors."""
    for state in states:
        alias = state.ref.alias
        try:
            made = _init(survey, state)
        except MigsyncError as error:
            survey.errors[alias] = error
            continue
        output.show([line(Span(alias, Style.HEADING), f"  {_said(made)}")])
        yield {"alias": alias, **made}


def _init(survey: Survey, state: TargetState) -> dict[str, Any]:
    from migsync.sync.look import take_look
    from migsync.sync.setup import make_journal

    before = make_journal(state.target, lock_timeout=survey.project.lock_timeout)
    held = replace(state.held, version=_newest())
    looked = take_look(state.target, survey.history, held, sources=survey.project.keep_sources)
    return {"before": before, "version": _newest(), "noted": looked}


def _newest() -> str:
    from migsync.sync.journal.tables import NEWEST

    return NEWEST


def _said(made: dict[str, Any]) -> str:
    before, version = made["before"], made["version"]
    tables = "the tables are there already" if before == version else "created the tables"
    if before and before != version:
        tables = f"brought the tables from version {before} to {version}"
    return f"{tables}; {'noted what the migration files are' if made['noted'] else 'nothing new to note'}."


def _error(error: MigsyncError) -> dict[str, str]:
    from migsync.cli.views.documents import error_document

    return error_document(error)


def _document(file: SetupFile) -> dict[str, str]:
    return {"path": str(file.path), "state": file.state.value}
