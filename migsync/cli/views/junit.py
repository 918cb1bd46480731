"""A report as JUnit XML, as GitLab, Jenkins and Azure DevOps read it.

The files are a test suite, and each database is one. A problem that fails the command is a failed test, another one a
skipped test. A suite without a failed test has one that passed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from xml.etree import ElementTree

from migsync.cli.views.reports import FindingReport, ReportItem
from migsync.escapes import printable_lines

FILES = "files"


def render(report: FindingReport) -> str:
    """The document, in ASCII: its declaration then holds whatever encoding standard output has."""
    places: dict[str, list[ReportItem]] = {"": [], **{alias: [] for alias in report.databases}}
    for problem in report.problems:
        places.setdefault(problem.database, []).append(problem)
    root = ElementTree.Element("testsuites", name=f"migsync {report.command}")
    for database, problems in places.items():
        root.append(_suite(report, database, problems))
    for total in ("tests", "failures", "errors"):
        root.set(total, str(sum(int(suite.get(total, "0")) for suite in root)))
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="us-ascii").decode("ascii")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{body}\n'


def _suite(report: FindingReport, database: str, problems: Iterable[ReportItem]) -> ElementTree.Element:
    # GitLab shows the class as the suite, and Jenkins takes what is before its last dot for a package.
    name = f"migsync.{report.command}.{_shown(database or FILES).replace('.', '_')}"
    suite = ElementTree.Element("testsuite", name=name)
    seen: Counter[str] = Counter()
    results: Counter[str] = Counter()
    for problem in problems:
        title = _shown(" ".join(filter(None, (problem.code, problem.subject))))
        seen[title] += 1
        # Readers take two tests of one name for one test.
        case = _case(suite, name, title if seen[title] == 1 else f"{title} ({seen[title]})", problem.file)
        kind = ("error" if problem.failure else "failure") if report.failed(problem) else "skipped"
        results[kind] += 1
        result = ElementTree.SubElement(case, kind, message=_shown(problem.found))
        if kind != "skipped":
            result.set("type", problem.code)
        place = f"{problem.file}:{problem.line or 1}\n" if problem.file else ""
        result.text = _shown(place + problem.text)
    if not results["failure"] and not results["error"]:
        _case(suite, name, "no problems" if not results else "no problems that fail the command", "")
    for total, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(total, str(results[kind]))
    suite.set("tests", str(len(suite)))
    suite.set("time", "0")
    return suite


def _case(suite: ElementTree.Element, place: str, name: str, file: str) -> ElementTree.Element:
    case = ElementTree.SubElement(suite, "testcase", name=name, classname=place, time="0")
    if file:
        case.set("file", _shown(file))
    return case


def _shown(text: str) -> str:
    # XML has no way to write control characters and lone surrogates.
    return printable_lines(text)
