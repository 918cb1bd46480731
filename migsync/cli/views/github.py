"""Findings and errors as annotations of GitHub Actions: workflow commands on standard output."""

from __future__ import annotations

import os
from pathlib import Path

from migsync.cli.views.findings import next_step
from migsync.errors import MigsyncError
from migsync.escapes import printable_lines
from migsync.filesystem.git import repository_of
from migsync.findings import Finding, Severity
from migsync.history.parser import BrokenFileError

COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def annotation(finding: Finding, file: str) -> str:
    """``::error file=shop/migrations/0002_b.py,line=1,title=missing-rewrite::…``; `file` as the repository names it."""
    place = {"file": file, "line": str(finding.line or 1)} if file else {}
    texts = (finding.found, finding.meaning, finding.hint)
    return _command(COMMANDS[finding.severity], {**place, "title": f"migsync: {finding.code}"}, *texts)


def error_annotation(error: MigsyncError) -> str:
    """An error that ended the command; that of a file which cannot be read points to the line."""
    place = _place(error.path, error.problem.line) if isinstance(error, BrokenFileError) else {}
    title = {"title": f"migsync: {error.code}"}
    return _command("error", {**place, **title}, error.found, error.meaning, next_step(error)) + "\n"


def _place(file: str, line: int) -> dict[str, str]:
    real = Path(os.path.realpath(file))
    top = repository_of(real.parent)
    return {"file": real.relative_to(top).as_posix(), "line": str(line or 1)} if top else {}


def _command(name: str, properties: dict[str, str], *texts: str) -> str:
    said = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{name} {said}::{_data(chr(10).join(filter(None, texts)))}"


def _data(text: str) -> str:
    # GitHub's own escapes. Other control characters could end the line or reach a terminal that shows the log.
    return printable_lines(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
