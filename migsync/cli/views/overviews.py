"""A project in a few lines, for someone who has typed ``migsync`` and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from migsync.cli.next_command import next_command
from migsync.cli.views.blocks import EMPTY, Block, Span, Style, line, near
from migsync.cli.views.findings import WORDS, short_finding
from migsync.cli.views.lists import cut, more
from migsync.cli.views.surveys import targets_in_short
from migsync.findings import Finding, Severity
from migsync.findings.commands import migrate
from migsync.sync.survey import Survey
from migsync.words import count, text_list

SHOWN = 5
"""So many findings are shown."""
LONG = 30
"""An app with so many migrations may gain from a squash."""


@dataclass(frozen=True)
class NextStep:
    """What to do next, and the command."""

    why: str
    command: str


def overview_blocks(survey: Survey, *, new: bool, shorten: bool) -> Iterator[Block]:
    """What was found: apps, migrations, rewrites, databases, what needs attention; and the next command.

    `new`: nothing of the project says anything about migsync yet.
    """
    rows = list(_rows(survey))
    width = max(len(name) for name, _ in rows)
    yield from (line(Span(f"{name:<{width}}", Style.HEADING), f"  {text}", hang=width + 2) for name, text in rows)
    if in_short := list(targets_in_short(survey, shorten=shorten)):
        yield from (EMPTY, *in_short)
    if serious := [finding for finding in _findings(survey) if finding.severity is not Severity.INFO]:
        shown, hidden = cut(serious, SHOWN, shorten=True)
        yield EMPTY
        yield from map(short_finding, shown)
        yield from more(hidden)
    yield EMPTY
    for step in next_steps(survey, new=new):
        yield line(f"{step.why}: ", Span(step.command, Style.COMMAND))


def _rows(survey: Survey) -> Iterator[tuple[str, str]]:
    project, history = survey.project, survey.history
    settings = f", settings {project.settings_module}" if project.runnable and not project.is_library else ""
    yield "project", f"{project.root}{settings}"
    sizes = _sizes(survey)
    largest = text_list([f"{app} ({number})" for app, number in sizes.items()], SHOWN)
    yield "migrations", f"{sum(sizes.values())} in {count(len(sizes), 'app')}{': ' if sizes else ''}{largest}"
    if others := sum(key.app not in history.first_party for key in history.migrations):
        yield "", f"{others} of installed packages"
    yield "rewrites", _rewrites(survey)
    if not (survey.plans or survey.fresh or survey.errors):
        yield "databases", "none"


def _rewrites(survey: Survey) -> str:
    own = sorted(survey.project.rewrites.glob("*.toml"))
    return f"{len(own)} in {near(survey.project.rewrites)}" if own else "none"


def _sizes(survey: Survey) -> dict[str, int]:
    """The number of migrations of each app of the project, the largest first; apps without one are left out."""
    sizes = {app: len(survey.history.names(app)) for app in survey.history.first_party}
    return {app: sizes[app] for app in sorted(sizes, key=lambda app: (-sizes[app], app)) if sizes[app]}


def _findings(survey: Survey) -> list[Finding]:
    found = [*survey.findings, *(finding for plan in survey.plans for finding in plan.findings)]
    order = list(WORDS)
    return sorted(dict.fromkeys(found), key=lambda finding: order.index(finding.severity))


def next_steps(survey: Survey, *, new: bool) -> Iterator[NextStep]:
    """The next command, and the one after it."""
    blocked = survey.errors or any(finding.blocks for finding in _findings(survey))
    changes = any(plan.changes for plan in survey.plans)
    if changes and not blocked:
        yield NextStep("To see what must change", next_command("plan"))
    elif survey.fresh and not (survey.plans or blocked):
        yield NextStep("To make the tables", migrate())
    else:
        yield NextStep("To see what is wrong" if blocked else "To look closer", next_command("doctor"))
    if new and not blocked:
        yield NextStep("To set up migsync for this project", next_command("init"))
    elif not (blocked or changes) and any(number >= LONG for number in _sizes(survey).values()):
        yield NextStep("To see what can be squashed", next_command("squash", "--suggest"))
    yield NextStep("All commands", "migsync --help")
