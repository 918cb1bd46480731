"""In which order plans are carried out, how many at a time, and when the rest is left alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING

import click

from migsync.cli.options import option, option_group
from migsync.errors import NotBegun

if TYPE_CHECKING:
    from migsync.cli.workers import Workers
    from migsync.project import Project
    from migsync.sync.plan import Plan

MOST_JOBS = 32


@dataclass(frozen=True)
class Rollout:
    """What a person asked for: `jobs` plans at a time, the first `canary` of each group alone, `max_failures` at most.

    `max_failures` is 0 for any number.
    """

    jobs: int = 1
    canary: int = 1
    max_failures: int = 0


ONE_BY_ONE = Rollout(canary=0)


@option_group
class RolloutOptions:
    """How many databases are changed at a time, which ones first, and when to stop."""

    jobs: int | None = option(
        type=click.IntRange(1, MOST_JOBS),
        metavar="N",
        help="Change N databases at a time, and read as many. Default: change 1, read 8; with --workers, change as "
        "many as there are worker processes.",
    )
    canary: int = option(
        default=1,
        type=click.IntRange(0),
        metavar="N",
        help="Of schemas with equal plans, change N first, and the others only if that works. Default: 1.",
    )
    max_failures: int = option(
        default=0,
        type=click.IntRange(0),
        metavar="N",
        help="Begin no other database after N failures. Default: 0, no limit.",
    )

    def of(self, project: Project) -> Project:
        """The project, of whose databases no more are read at a time than are changed."""
        return replace(project, readers=self.jobs or project.readers)

    def rollout(self, workers: Workers | None = None) -> Rollout:
        """The options as the execution takes them, here or with workers."""
        jobs = self.jobs or (min(workers.processes, MOST_JOBS) if workers else 1)
        return Rollout(jobs, self.canary, self.max_failures)


def waves(groups: Iterable[Sequence[Plan]], canary: int) -> tuple[list[Plan], list[Plan]]:
    """The first `canary` plans of each group, and the rest; a group no larger than that is in the first wave whole."""
    first: list[Plan] = []
    rest: list[Plan] = []
    for group in groups:
        first += group[:canary]
        rest += group[canary:]
    return first, rest


@dataclass
class Failures:
    """The plans that failed so far, and with that, which others are not begun. Used by several threads."""

    rollout: Rollout
    groups: Mapping[str, Hashable]
    """By alias, the group of a target that is in one."""
    _total: int = 0
    _canaries: Counter[Hashable] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock)

    def add(self, alias: str, *, canary: bool) -> None:
        """Note that the plan of the alias failed."""
        with self._lock:
            self._total += 1
            if canary and alias in self.groups:
                self._canaries[self.groups[alias]] += 1

    def refusal(self, alias: str) -> NotBegun | None:
        """Why the plan of the alias is not begun any more; None where it is."""
        with self._lock:
            if self.rollout.max_failures and self._total >= self.rollout.max_failures:
                return NotBegun(f"{alias} was not begun: {self._total} failed before (--max-failures).")
            if alias in self.groups and self._canaries[self.groups[alias]]:
                return NotBegun(f"{alias} was not begun: the canary of its group failed.")
        return None
