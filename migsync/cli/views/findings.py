"""Findings and errors, in one voice: what was found, what it means, what to do next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from migsync.cli.next_command import for_this_project, next_command
from migsync.cli.views.blocks import Block, Line, Span, Style, line, near
from migsync.cli.views.lists import MORE_OF, cut, same_in
from migsync.errors import Interrupted, JournalNotPermitted, MigsyncError, NotPermitted, UsageError
from migsync.findings import Finding, Severity

WORDS = {
    Severity.ERROR: Span("Error: ", Style.BAD),
    Severity.WARNING: Span("Warning: ", Style.WARNING),
    Severity.INFO: Span("Note: ", Style.DIM),
}
NEXT = Span("Next: ", Style.GOOD)
NO_JOURNAL = "--no-journal"
ALIKE = 5
"""On a terminal, so many findings of one code are shown."""
NOTHING_MORE = {MigsyncError.code, UsageError.code, Interrupted.code}
"""Codes that are not shown: `migsync explain` has nothing to add to the message."""
ORDER = (Severity.ERROR, Severity.WARNING, Severity.INFO)


def findings_blocks(findings: Iterable[Finding], indent: int = 0, *, shorten: bool = False) -> list[Block]:
    """All findings, errors first, each in its own order; `shorten` shows no more than some of one code."""
    ordered = sorted(findings, key=lambda finding: ORDER.index(finding.severity))
    alike = Counter(finding.code for finding in ordered)
    seen: Counter[str] = Counter()
    blocks: list[Block] = []
    for finding in ordered:
        code = finding.code
        seen[code] += 1
        shown = len(cut(range(alike[code]), ALIKE, shorten=shorten)[0])
        if seen[code] <= shown:
            blocks += finding_blocks(finding, indent)
            blocks += same_in(finding.others, indent=indent + 2, findings=[finding])
        if seen[code] == shown < alike[code]:
            rest = MORE_OF.format(alike[code] - shown, code)
            blocks.append(line(WORDS[finding.severity], Span(rest, Style.DIM), indent=indent))
    return blocks


def finding_blocks(finding: Finding, indent: int = 0) -> list[Line]:
    """One finding; the place in a file comes with what was found, and its code for `migsync explain` after it."""
    file = near(Path(finding.file)) if finding.file else ""
    place = f"{file}:{finding.line}" if finding.line else file
    # Many sentences name the file themselves; then the place is not put in front of them.
    told = Path(finding.file).name if not finding.line else place
    found = finding.found if not place or told in finding.found else f"{place}: {finding.found}"
    if finding.database:
        found = f"{finding.database}: {found}"
    hint = for_this_project(finding.hint)
    return list(_voice(WORDS[finding.severity], finding.code, found, finding.meaning, hint, indent))


def short_finding(finding: Finding) -> Line:
    """What was found, in one line."""
    first, *_ = finding.found.splitlines() or [""]
    return line(WORDS[finding.severity], first, Span(f"  [{finding.code}]", Style.DIM), hang=2)


def error_blocks(error: MigsyncError, indent: int = 0) -> list[Line]:
    """An error in the same voice as an error finding."""
    hint = for_this_project(next_step(error))
    return list(_voice(WORDS[Severity.ERROR], error.code, error.found, error.meaning, hint, indent))


def next_step(error: MigsyncError) -> str:
    """The error's hint, with what the command that runs offers where a right is missing."""
    context = click.get_current_context(silent=True)
    if context is None or not isinstance(error, NotPermitted):
        return error.hint
    options = {option for parameter in context.command.params for option in parameter.opts}
    if isinstance(error, JournalNotPermitted):
        return f"{error.hint}\nTo go on without a journal: {NO_JOURNAL}" if NO_JOURNAL in options else error.hint
    # Who may not read cannot have a script made either.
    if context.command.name == "apply" and error.right not in ("", "SELECT"):
        script = next_command("script", "--out", "sql")
        return f"{error.hint}\nOr have somebody who has this right run the script that this writes: {script}"
    return error.hint


def _voice(word: Span, code: str, found: str, meaning: str, hint: str, indent: int) -> Iterator[Line]:
    first, *rest = found.splitlines() or [""]
    tail = () if code in NOTHING_MORE else ("  ", Span(f"[{code}]", Style.DIM))
    yield line(word, first, *tail, indent=indent, hang=2)
    for text in (*rest, *meaning.splitlines()):
        yield line(text, indent=indent + 2)
    yield from next_lines(hint, indent)


def next_lines(hint: str, indent: int = 0) -> Iterator[Line]:
    """What to do next, under a sentence that is `indent` deep; nothing for an empty hint."""
    for number, text in enumerate(hint.splitlines()):
        if number:
            yield line(text, indent=indent + 2 + len(NEXT.text))
        else:
            yield line(NEXT, text, indent=indent + 2, hang=len(NEXT.text))
