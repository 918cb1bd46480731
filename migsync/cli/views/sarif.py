"""A report in SARIF 2.1.0, the format of GitHub code scanning, of Azure DevOps and of editors.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from migsync import __version__
from migsync.cli.views.reports import FindingReport, ReportItem
from migsync.errors import page_address
from migsync.escapes import json_text
from migsync.findings import Severity
from migsync.findings.pages import Page, pages

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
ROOT = "%SRCROOT%"
"""What readers replace by the top of the repository."""


def render(report: FindingReport) -> str:
    """The log file, with one run."""
    codes = sorted({problem.code for problem in report.problems})
    known = pages()
    driver = {
        "name": "migsync",
        "version": __version__,
        "rules": [_rule(code, known.get(code)) for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"migsync/{report.command}/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": not any(problem.failure for problem in report.problems)}],
        "results": _results(report, codes),
    }
    document = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json_text(json.dumps(document, indent=2, ensure_ascii=False)) + "\n"


def _rule(code: str, page: Page | None) -> dict[str, Any]:
    rule: dict[str, Any] = {"id": code}
    if page:
        text = "\n\n".join((page.title, *page.body))
        rule["shortDescription"] = {"text": page.title}
        rule["fullDescription"] = {"text": page.body[0] if page.body else page.title}
        # Pages are written in Markdown.
        rule["help"] = {"text": text, "markdown": text}
        rule["defaultConfiguration"] = {"level": _level(page)}
    if site := _site():
        rule["helpUri"] = f"{site}/{page_address(code)}"
    return rule


def _level(page: Page) -> str:
    # The usual severity comes first: "warning or error".
    return page.kind.split()[0]


def _site() -> str:
    """Where the documentation of this version is, as the package's metadata say; a `helpUri` has to be absolute."""
    try:
        urls = metadata("migsync").get_all("Project-URL") or ()
    except PackageNotFoundError:
        return ""
    label = "Documentation, "
    return next((str(url).removeprefix(label).rstrip("/") for url in urls if url.startswith(label)), "")


def _results(report: FindingReport, codes: list[str]) -> list[dict[str, Any]]:
    seen: Counter[str] = Counter()
    results = []
    for problem in report.problems:
        # Without sentences and lines, which change while the problem stays the same.
        same = "\n".join((problem.code, problem.subject, problem.other, problem.database))
        seen[same] += 1
        digest = hashlib.sha256(f"{same}\n{seen[same]}".encode("utf-8", "backslashreplace")).hexdigest()
        results.append(
            {
                "ruleId": problem.code,
                "ruleIndex": codes.index(problem.code),
                "level": LEVELS[problem.severity],
                "message": {"text": problem.text},
                "locations": [_location(problem, report.file)],
                "partialFingerprints": {"migsync/v1": digest},
            }
        )
    return results


def _location(problem: ReportItem, default: str) -> dict[str, Any]:
    location: dict[str, Any] = {}
    # GitHub refuses a result without a file.
    if file := problem.file or default:
        region = {"startLine": problem.line or 1}
        location["physicalLocation"] = {"artifactLocation": _artifact(file), "region": region}
    if name := "/".join(filter(None, (problem.database, problem.subject))):
        kind = "resource" if problem.database else "module"
        location["logicalLocations"] = [{"fullyQualifiedName": name, "kind": kind}]
    return location


def _artifact(file: str) -> dict[str, str]:
    path = PurePosixPath(file)
    escaped = quote(file, errors="surrogateescape")
    return {"uri": f"file://{escaped}"} if path.is_absolute() else {"uri": escaped, "uriBaseId": ROOT}
