"""Findings and errors as one report, for the formats that other programs read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from migsync.cli.next_command import for_this_project
from migsync.cli.views.findings import next_step
from migsync.errors import MigsyncError
from migsync.filesystem.git import repository_of
from migsync.findings import Finding, Severity
from migsync.history.parser import BrokenFileError


@dataclass(frozen=True, slots=True)
class ReportItem:
    """A finding, or an error, where it is one of many.

    `file` is named as a repository names it: relative to its top, with slashes; absolute outside of it. `line` is 0
    where only the file is known. `database` is the alias of the database that it was found in. `subject` is what it is
    about: an app or a migration. `failure` is True for an error that kept migsync from looking.
    """

    code: str
    severity: Severity
    found: str
    meaning: str = ""
    hint: str = ""
    file: str = ""
    line: int = 0
    database: str = ""
    subject: str = ""
    other: str = ""
    failure: bool = False

    @property
    def text(self) -> str:
        """All sentences, one below the other."""
        found = f"{self.database}: {self.found}" if self.database else self.found
        return "\n".join(filter(None, (found, self.meaning, self.hint)))


@dataclass(frozen=True, slots=True)
class FindingReport:
    """What one command has found.

    `databases` are the aliases that were looked at. `summary` is the last line for people. `file` stands for the whole
    project, for formats in which everything has to be in a file. `fails` is the least severe finding that fails the
    command; None if none does.
    """

    command: str
    problems: tuple[ReportItem, ...] = ()
    databases: tuple[str, ...] = ()
    summary: str = ""
    file: str = ""
    fails: Severity | None = Severity.ERROR

    def failed(self, problem: ReportItem) -> bool:
        """Whether the problem fails the command."""
        return problem.failure or (self.fails is not None and problem.severity.reaches(self.fails))


def render_report(report: FindingReport, form: str) -> str:
    """The text of a report in the format `form`."""
    text: str = import_module(f"migsync.cli.views.{form}").render(report)
    return text


def problems_of(
    findings: Iterable[Finding], relative: Callable[[str], str], database: str = ""
) -> Iterator[ReportItem]:
    """The findings of one database, or of the files; `relative` names a file as the repository does."""
    for finding in findings:
        yield ReportItem(
            finding.code,
            finding.severity,
            finding.found,
            finding.meaning,
            for_this_project(finding.hint),
            relative(finding.file) if finding.file else "",
            finding.line,
            finding.database or database,
            ".".join(filter(None, (finding.app, finding.name))),
            finding.other,
        )


def problem_of_error(error: MigsyncError, database: str = "") -> ReportItem:
    """An error; that of a file which cannot be read points to the line."""
    file, line = "", 0
    if isinstance(error, BrokenFileError):
        real = Path(os.path.realpath(error.path))
        if top := repository_of(real.parent):
            file, line = real.relative_to(top).as_posix(), error.problem.line
    hint = for_this_project(next_step(error))
    return ReportItem(
        error.code, Severity.ERROR, error.found, error.meaning, hint, file, line, database=database, failure=True
    )


def project_file(root: Path) -> str:
    """The file that stands for the project with this root; empty where there is none."""
    names = ("manage.py", "pyproject.toml")
    return next((str(root / name) for name in names if (root / name).is_file()), "")


def in_repository(directory: Path) -> Callable[[str], str]:
    """Names files as the repository that holds `directory` does, and others by their absolute path."""
    top = repository_of(Path(os.path.realpath(directory))) or Path(os.path.realpath(directory))

    def relative(file: str) -> str:
        real = Path(os.path.realpath(file))
        if not file:
            return ""
        return (real.relative_to(top) if real.is_relative_to(top) else real).as_posix()

    return relative
