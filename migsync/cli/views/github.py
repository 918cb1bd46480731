"""A report as annotations of GitHub Actions: workflow commands on standard output."""

from __future__ import annotations

from migsync.cli.views.reports import FindingReport, ReportItem
from migsync.escapes import printable_lines
from migsync.findings import Severity

COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(report: FindingReport) -> str:
    """An annotation for each problem, and a last line for the log."""
    lines = [*map(annotation, report.problems), *([report.summary] if report.summary else [])]
    return "".join(f"{each}\n" for each in lines)


def annotation(problem: ReportItem) -> str:
    """``::error file=shop/migrations/0002_b.py,line=1,title=migsync%3A missing-rewrite::…``."""
    properties = {"file": problem.file, "line": str(problem.line or 1)} if problem.file else {}
    properties["title"] = f"migsync: {problem.code}"
    said = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{COMMANDS[problem.severity]} {said}::{_data(problem.text)}"


def _data(text: str) -> str:
    # GitHub's own escapes. Other control characters could end the line or reach a terminal that shows the log.
    return printable_lines(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
