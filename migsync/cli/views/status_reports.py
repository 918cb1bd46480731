"""What ``migsync status`` knows of all databases, as values: by state, by rewrite, and what ran last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from migsync.alias import entry_of
from migsync.cli.views.documents import plan_state
from migsync.cli.views.plans import engine_title, standing
from migsync.sync.plan_groups import error_groups, group_name, plan_groups

if TYPE_CHECKING:
    from migsync.errors import MigsyncError
    from migsync.findings import Finding
    from migsync.sync.run import Run
    from migsync.sync.survey import Survey

STATES: Final = ("error", "blocked", "ahead", "unexplained", "changes", "fresh", "in line")
"""Every state of a database, as JSON has it; what needs a person first."""


@dataclass(frozen=True)
class StateGroup:
    """Databases of one entry that stand at the same point; `standing` says where, and `behind` are file names."""

    name: str
    aliases: tuple[str, ...]
    state: str
    standing: str
    engine: str = ""
    changes: int = 0
    behind: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    error: MigsyncError | None = None

    @property
    def entry(self) -> str:
        """The entry that they are members of, or the alias."""
        return entry_of(self.aliases[0])


@dataclass(frozen=True)
class StatusReport:
    """All databases of a survey in groups, what needs a person first; `last_runs` are by alias, the newest of each."""

    groups: tuple[StateGroup, ...]
    last_runs: Mapping[str, Run]
    findings: tuple[Finding, ...] = ()

    @property
    def states(self) -> Counter[str]:
        """How many databases are in each state."""
        return Counter({state: sum(len(it.aliases) for it in self.groups if it.state == state) for state in STATES})

    @property
    def behind(self) -> dict[str, list[StateGroup]]:
        """The groups that are behind each rewrite, by its file name."""
        found: dict[str, list[StateGroup]] = {}
        for group in self.groups:
            for rewrite in group.behind:
                found.setdefault(rewrite, []).append(group)
        return dict(sorted(found.items()))


def status_report(survey: Survey) -> StatusReport:
    """The report of a survey."""
    groups = [
        StateGroup(
            group.name,
            group.aliases,
            plan_state(group.first),
            standing(group.first).text,
            engine_title(group.first.target.engine),
            0 if group.first.blocked else len(group.first.changes),
            tuple(rewrite.source for rewrite in group.first.passed),
            group.first.findings,
        )
        for group in plan_groups(survey.plans)
    ]
    fresh: dict[str, list[str]] = {}
    for alias in survey.fresh:
        fresh.setdefault(entry_of(alias), []).append(alias)
    groups += [
        StateGroup(group_name(it), tuple(it), "fresh", "fresh: no django_migrations yet") for it in fresh.values()
    ]
    groups += [
        StateGroup(it.name, it.aliases, "error", "cannot be read", error=it.error) for it in error_groups(survey.errors)
    ]
    runs = {alias: max(of_alias, key=lambda run: run.number) for alias, of_alias in survey.runs.items() if of_alias}
    return StatusReport(
        tuple(sorted(groups, key=lambda group: STATES.index(group.state))), runs, tuple(survey.findings)
    )
