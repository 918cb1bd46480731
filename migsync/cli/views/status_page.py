"""``migsync status`` as one HTML file that needs nothing else: no network, no other file."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from migsync import __version__
from migsync.cli.views.plans import kinds
from migsync.cli.views.runs import short, when
from migsync.cli.views.status_reports import STATES, StateGroup, StatusReport
from migsync.escapes import html_text
from migsync.graph.page import embedded, standalone_page
from migsync.sync.run import RunKind
from migsync.words import count

if TYPE_CHECKING:
    from migsync.findings import Finding
    from migsync.sync.run import Run

RUNS: Final = 10
"""So many of the newest runs are listed."""
WORDS: Final = {
    "error": "cannot be read",
    "blocked": "blocked",
    "ahead": "ahead of the files",
    "unexplained": "with unexplained records",
    "changes": "need changes",
    "fresh": "fresh",
    "in line": "up to date",
}


def status_page(report: StatusReport, title: str, now: datetime.datetime) -> str:
    """The page; `now` is the time of the look."""
    data = {
        "groups": [
            {"state": group.state, "standing": group.standing, "behind": list(group.behind)} for group in report.groups
        ],
        "databases": [
            [alias, number, _run(report.last_runs[alias]) if alias in report.last_runs else ""]
            for number, group in enumerate(report.groups)
            for alias in group.aliases
        ],
        "words": WORDS,
    }
    return standalone_page(
        "migsync.cli.views",
        "status",
        ("status.js",),
        title=html_text(f"{title}: databases"),
        made=html_text(f"{now:%Y-%m-%d %H:%M:%S} UTC, migsync {__version__}"),
        states="".join(_tiles(report)),
        findings=_findings(report.findings),
        groups=_table(("database", "engine", "state", "needs", "found"), map(_group, report.groups), "No database."),
        rewrites=_table(
            ("rewrite", "databases behind", "which"),
            map(_rewrite, report.behind.items()),
            "Every rewrite was applied to every database that could be read.",
        ),
        runs=_table(
            ("when (UTC)", "database", "run", "changes", "by", "reason"),
            _runs(report),
            "No database has a run of migsync.",
        ),
        data=embedded(data),
    )


def _tiles(report: StatusReport) -> Iterator[str]:
    for state, number in report.states.items():
        if number:
            words = html_text(WORDS[state])
            yield f'<button class="tile" data-state="{state}"><b>{number}</b> {words}</button>'


def _table(head: Iterable[str], rows: Iterable[str], nothing: str) -> str:
    body = "".join(rows)
    if not body:
        return f"<p>{html_text(nothing)}</p>"
    return f"<table><thead><tr>{''.join(f'<th>{name}</th>' for name in head)}</tr></thead><tbody>{body}</tbody></table>"


def _row(*cells: str, state: str = "") -> str:
    opening = f'<tr data-state="{state}">' if state else "<tr>"
    return f"{opening}{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _group(group: StateGroup) -> str:
    found = _findings(group.findings)
    if group.error:
        found = _details(f"<b>{html_text(group.error.found)}</b>", group.error.meaning, group.error.hint)
    state = f'<span class="state">{html_text(group.standing)}</span>'
    return _row(html_text(group.name), html_text(group.engine), state, _listed(group.behind), found, state=group.state)


def _rewrite(item: tuple[str, list[StateGroup]]) -> str:
    rewrite, groups = item
    behind = sum(len(group.aliases) for group in groups)
    return _row(html_text(rewrite), str(behind), _listed(group.name for group in groups))


def _listed(texts: Iterable[str]) -> str:
    return "<br>".join(map(html_text, texts)) or "-"


def _runs(report: StatusReport) -> Iterator[str]:
    newest = sorted(report.last_runs.items(), key=lambda item: item[1].at, reverse=True)
    for alias, run in newest[:RUNS]:
        cells = (when(run), alias, _kind(run), kinds(run.changes), run.author, run.reason)
        yield _row(*map(html_text, cells))
    if len(newest) > RUNS:
        more = f"The last runs of {count(len(newest) - RUNS, 'more database')} are in the list below."
        yield f'<tr><td colspan="6">{more}</td></tr>'


def _run(run: Run) -> str:
    return f"{_kind(run)}, {when(run)} UTC by {run.author}"


def _kind(run: Run) -> str:
    undone = f" of {short(run.undoes)}" if run.kind is RunKind.UNDO else ""
    return f"{run.kind.value} {short(run.id)}{undone}"


def _findings(findings: Iterable[Finding]) -> str:
    return "".join(
        _details(f'<b class="{each.severity}">{each.severity}</b> {html_text(each.found)}', each.meaning, each.hint)
        for each in findings
    )


def _details(summary: str, *paragraphs: str) -> str:
    said = "".join(f"<p>{_listed(text.splitlines())}</p>" for text in paragraphs if text)
    return f"<details><summary>{summary}</summary>{said}</details>" if said else f"<p>{summary}</p>"


assert WORDS.keys() == set(STATES)  # noqa: S101 -- one word for each
