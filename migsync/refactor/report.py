"""The report of a rewrite, to be pasted into a review: one value, as Markdown and as HTML; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from migsync.escapes import html_code, html_text, markdown, printable
from migsync.findings import Severity
from migsync.sync.plan_groups import plan_groups, sentence_name, sentence_names
from migsync.words import count, truncated

if TYPE_CHECKING:
    from migsync.history import History
    from migsync.refactor.pipeline import Draft

STYLE = (
    ":root{color-scheme:light dark;--line:#bbb;--code:#f3f3f3}"
    "@media(prefers-color-scheme:dark){:root{--line:#555;--code:#2b2f36}}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;overflow-wrap:anywhere}"
    "table{border-collapse:collapse}th,td{border:1px solid var(--line);padding:.2rem .6rem;text-align:left}"
    "td.number,th.number{text-align:right}code,pre{background:var(--code);padding:0 .2rem}"
    "pre{overflow-x:auto;padding:.4rem .6rem;overflow-wrap:normal}summary{cursor:pointer}"
    "@media(max-width:600px){body{margin:1rem auto}ul{padding-left:1.2rem}}"
)
MOST = 40
"""So many lines of a section are in the report."""


@dataclass(frozen=True)
class Section:
    """A heading, and under it sentences or a table; `code` for sentences that are commands to be typed.

    `folded` are texts by their titles, such as diffs, which only the HTML shows: closed, until somebody opens one.
    """

    heading: str
    lines: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    code: bool = False
    folded: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class Report:
    """What a person who reviews a rewrite wants to know; `verdict` is one sentence."""

    title: str
    verdict: str
    sections: tuple[Section, ...]


def make_report(draft: Draft, before: History, root: Path, diffs: Sequence[tuple[str, tuple[str, ...]]] = ()) -> Report:
    """The report of a draft; `before` is the history as it was, `root` the project's, from which paths are told.

    `diffs` are the paths of the files that change, each with its diff.
    """
    proposal = draft.proposal
    sections = [
        Section("Files", header=("app", "migrations before", "after"), rows=tuple(_files(draft, before))),
        Section("Names", _few(_names(draft))),
        Section("Proven", tuple(fact.words for fact in draft.facts)),
        Section("Carried over and left out", _few(proposal.notes)),
        Section("Diffs", _few(path for path, _ in diffs[MOST:]), folded=tuple(diffs[:MOST])),
        Section("Databases", _few(_databases(draft))),
        Section("Findings", _few(text.replace(f"{root}/", "") for text in _findings(draft))),
        Section("Next", () if draft.blocked or draft.empty else tuple(_next(draft)), code=True),
    ]
    shown = tuple(one for one in sections if one.lines or one.rows or one.folded)
    return Report(f"migsync {proposal.command}", _verdict(draft), shown)


def _few(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(truncated(lines, MOST - 1, "And {} more.", spare=1))


def _verdict(draft: Draft) -> str:
    if draft.blocked:
        return "Refused: see the findings. Nothing was changed."
    if draft.empty:
        return "Nothing to do: the files are in order."
    changes = draft.proposal.files
    made = sum(change.old_path is None for change in changes)
    gone = sum(change.new_path is None for change in changes)
    return f"{count(made, 'file')} created, {gone} removed, {len(changes) - made - gone} changed or moved."


def _files(draft: Draft, before: History) -> Iterator[tuple[str, str, str]]:
    """Only apps with another number than before or with changed names, and all of them together."""
    old = Counter(key.app for key in before.migrations if key.app in before.first_party)
    new = Counter(key.app for key in draft.history.migrations if key.app in draft.history.first_party)
    touched = {app for app in old | new if old[app] != new[app]}
    touched |= set(draft.proposal.rewrite.apps if draft.proposal.rewrite else ()) & (old | new).keys()
    yield from ((app, str(old[app]), str(new[app])) for app in sorted(touched))
    if touched:
        yield "all apps of the project", str(old.total()), str(new.total())


def _names(draft: Draft) -> Iterator[str]:
    for app, names in sorted(draft.proposal.rewrite.apps.items()) if draft.proposal.rewrite else ():
        for olds, news in names.collapsed:
            yield f"{app}: {_listed(olds)} became {_listed(news)}."
        for old, new in names.renamed:
            yield f"{app}: {old} was renamed to {new}."
        for name in names.removed:
            yield f"{app}: {name} was removed: a merge migration."


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) < 4 else f"{min(names)} to {max(names)} ({len(names)} names)"


def _databases(draft: Draft) -> Iterator[str]:
    for group in plan_groups(draft.plans):
        plan, alias = group.first, group.first.target.alias
        if plan.blocked:
            state = "blocked, see migsync plan"
        elif not plan.changes:
            state = "no record changes"
        else:
            number = count(len(plan.changes), "record")
            state = f"{number}, in the same step" if alias in draft.chosen else f"{number}, to be updated later"
        yield f"{sentence_name(group.aliases)} ({plan.target.engine}): {state}."
    known = {plan.target.alias for plan in draft.plans}
    unread = sentence_names(alias for alias in draft.later if alias not in known)
    yield from (f"{name}: cannot be reached, to be updated later." for name in unread)


def _findings(draft: Draft) -> Iterator[str]:
    words = {Severity.ERROR: "Error", Severity.WARNING: "Warning", Severity.INFO: "Note"}
    for finding in sorted(draft.findings, key=lambda finding: list(words).index(finding.severity)):
        place = f"{finding.database}:" if finding.database else ""
        text = " ".join(part for part in (place, finding.found, finding.meaning, finding.hint) if part)
        yield f"{words[finding.severity]}: {text}"


def _next(draft: Draft) -> Iterator[str]:
    yield "git add -A"
    if draft.proposal.rewrite:
        yield "migsync apply  # on every other database, with the new files"


def as_markdown(report: Report) -> str:
    """The report as Markdown; what could be markup in names is escaped."""
    lines = [f"## {markdown(report.title)}", "", markdown(report.verdict)]
    for section in (each for each in report.sections if not each.folded):
        lines += ["", f"### {markdown(section.heading)}", ""]
        if section.header:
            lines.append(f"| {' | '.join(map(markdown, section.header))} |")
            lines.append(f"|{'|'.join([' --- ', *(' ---: ' for _ in section.header[1:])])}|")
            lines += [f"| {' | '.join(map(markdown, row))} |" for row in section.rows]
        if section.code:
            lines += ["```sh", *map(printable, section.lines), "```"]
        else:
            lines += [f"- {markdown(text)}" for text in section.lines]
    return "\n".join(lines) + "\n"


def as_html(report: Report) -> str:
    """The report as one HTML document that needs nothing else."""
    title = html_text(report.title)
    return "\n".join(
        [
            "<!doctype html>",
            f'<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f"<title>{title}</title><style>{STYLE}</style></head><body>",
            f"<h1>{title}</h1>",
            f"<p>{html_code(report.verdict)}</p>",
            *(line for section in report.sections for line in _section(section)),
            "</body></html>\n",
        ]
    )


def _section(section: Section) -> Iterator[str]:
    yield f"<h2>{html_text(section.heading)}</h2>"
    if section.header:
        yield f"<table><thead>{_cells(section.header, 'th')}</thead><tbody>"
        yield from (_cells(row, "td") for row in section.rows)
        yield "</tbody></table>"
    for title, text in section.folded:
        yield f"<details><summary>{html_text(title)}</summary><pre>{chr(10).join(map(html_text, text))}</pre></details>"
    if section.code:
        yield f"<pre>{chr(10).join(map(html_text, section.lines))}</pre>"
    elif section.lines:
        yield "<ul>"
        yield from (f"<li>{html_code(text)}</li>" for text in section.lines)
        yield "</ul>"


def _cells(row: Iterable[str], tag: str) -> str:
    first, *rest = (html_text(cell) for cell in row)
    return f"<tr><{tag}>{first}</{tag}>{''.join(f'<{tag} class=number>{cell}</{tag}>' for cell in rest)}</tr>"


def report_text(report: Report, path: Path) -> str:
    """The report in the form that the file's suffix says: HTML for ``.html``, else Markdown."""
    return as_html(report) if path.suffix.lower() == ".html" else as_markdown(report)
