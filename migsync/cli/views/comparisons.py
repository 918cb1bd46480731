"""What `check` says about two commits."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from migsync.check.comparison import Comparison
from migsync.cli.views.blocks import EMPTY, Block, Span, Style, line, near
from migsync.cli.views.findings import findings_blocks
from migsync.cli.views.reports import FindingReport, problems_of
from migsync.findings import Finding
from migsync.words import count


def comparison_blocks(found: Comparison, written: Path | None, *, shorten: bool) -> list[Block]:
    """The findings, and last what was compared; `written` is the rewrite that was written."""
    blocks = findings_blocks(found.findings, shorten=shorten)
    if written:
        blocks.append(line("Wrote a rewrite. Commit it with the migrations: ", Span(near(written), Style.COMMAND)))
    good = not any(finding.blocks for finding in found.findings)
    return [*blocks, *([EMPTY] if blocks else []), line(Span(_summary(found), Style.GOOD if good else Style.BAD))]


def _summary(found: Comparison) -> str:
    if found.base is None:
        return "Nothing to compare: the repository has no commit yet."
    if not found.apps and not found.findings:
        return f"No migration has changed since {found.base.label}."
    errors = sum(finding.blocks for finding in found.findings)
    apps = count(len(found.apps), "app")
    if errors:
        return f"{count(errors, 'error')} in {apps} that changed since {found.base.label}."
    return f"{apps} changed since {found.base.label}, and every change of names has its rewrite."


def comparison_document(found: Comparison, written: Path | None) -> dict[str, Any]:
    """The comparison as JSON values; paths are relative to the top of the repository."""
    base = found.base
    return {
        "base": {"commit": base.commit, "name": base.name} if base else None,
        "head": base.head or None if base else None,
        "apps": list(found.apps),
        "findings": [{**finding.as_dict(), **_place(found, finding)} for finding in found.findings],
        "rewrite": found.proposed.as_dict() if found.proposed else None,
        "path": _relative(found, str(written)) if written else None,
    }


def comparison_report(found: Comparison, file: str) -> FindingReport:
    """The comparison for other programs; `file` stands for the whole project."""
    problems = problems_of(found.findings, lambda each: _relative(found, each))
    return FindingReport("check", tuple(problems), summary=_summary(found), file=_relative(found, file))


def _place(found: Comparison, finding: Finding) -> dict[str, str]:
    return {"file": _relative(found, finding.file)} if finding.file else {}


def _relative(found: Comparison, file: str) -> str:
    """A path in the repository; another one as it is."""
    top = found.base.top if found.base else None
    inside = top and Path(os.path.realpath(file)).is_relative_to(top)
    return Path(os.path.realpath(file)).relative_to(top).as_posix() if file and top and inside else file
