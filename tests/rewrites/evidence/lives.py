"""A project whose files change by hand, and its databases, planned as ``migsync plan`` does it but without any I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self, cast

from migsync.history import App, History, build_history
from migsync.rewrites.evidence.database import DatabaseEvidence
from migsync.rewrites.evidence.discovery import Discovery, discover
from migsync.rewrites.evidence.statements import Statements
from migsync.rewrites.file_state import FileState
from migsync.rewrites.git import GitHistory
from migsync.rewrites.name_changes import NameChanges
from migsync.rewrites.record import Record
from migsync.rewrites.rewrite import Rewrite
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.sync.plan import Plan
from migsync.sync.planner import PlanOptions, make_plan
from migsync.sync.run import Run, RunKind
from migsync.sync.target_state import afterwards, unexplained_apps
from tests.rewrites.evidence.evolution import Evolution
from tests.sync.planner.texts import MADE, REF, records


class Hands(Evolution):
    """What people do to files that git cannot follow."""

    def do_unite(self, first: int, second: int, _: int) -> None:
        """A file takes in the operations of the one after it, which goes."""
        order = self._order()
        place = first % len(order)
        one, other = order[place], order[(place + 1) % len(order)]
        if self.files[other].parents == (one,):
            both = f"{self.files[one].operations}; {self.files[other].operations}"
            files = {name: file for name, file in self.files.items() if name != other}
            self.files = {
                name: replace(file, parents=tuple(dict.fromkeys(one if up == other else up for up in file.parents)))
                for name, file in files.items()
            }
            self.files[one] = replace(self.files[one], operations=both)

    def do_split(self, first: int, second: int, _: int) -> None:
        """A part of a file's operations goes into a new file after it."""
        one, name = self._some(first), self._free(second)
        if name and not self.files[one].replaces:
            for below, file in self.files.items():
                self.files[below] = replace(file, parents=tuple(name if up == one else up for up in file.parents))
            self.files[name] = self._fresh((one,))
            self.files[one] = replace(self.files[one], operations=self._fresh(()).operations)

    def do_shift(self, *_: int) -> None:
        """A new file comes right after the first one and takes the name of the next, which takes that of the next."""
        order = list(self._order())
        if any(file.replaces or len(file.parents) > 1 for file in self.files.values()) or len(order) < 2:
            return
        last = next((name for number in range(5, 12) if (name := f"{number:04}_z") not in self.files), None)
        if last:
            self._rename(dict(zip(order[1:], [*order[2:], last], strict=True)))
            second = order[1]
            self.files = {
                name: replace(file, parents=(second,)) if file.parents == (order[0],) else file
                for name, file in self.files.items()
            }
            self.files[second] = self._fresh((order[0],))


STEPS = sorted(name.removeprefix("do_") for name in dir(Hands) if name.startswith("do_"))


@dataclass(frozen=True)
class Git:
    """Stands in for GitHistory: the states of one app, or none."""

    states: Sequence[FileState]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def of(self, _: str) -> Sequence[FileState]:
        return self.states

    def abandoned(self, _: str) -> Sequence[FileState]:
        return ()

    def line(self, _: str) -> Sequence[frozenset[str]]:
        return [frozenset(state.migrations) for state in self.states]

    def elsewhere(self, _: str, names: Sequence[str]) -> dict[str, tuple[str, str]]:
        return {}

    def reason(self, _: str) -> str:
        return "" if self.states else "The files are not in a git repository."

    def is_shallow(self, _: str) -> bool:
        return False


@dataclass
class Database:
    """Its rows and its journal."""

    rows: list[Record]
    runs: list[Run] = field(default_factory=list)

    def ran(self, plan: Plan) -> None:
        """Note that `plan` was applied, or that what it undoes was undone."""
        number = len(self.runs) + 1
        kind = RunKind.UNDO if plan.undoes else RunKind.APPLY
        self.runs.append(
            Run(
                f"{number}" * 32,
                number,
                kind,
                plan.id,
                "2026-12-01T10:00:00Z",
                "",
                "",
                undoes=plan.undoes,
                passed=plan.passed,
                returned=plan.returned,
                changes=plan.changes,
                digests=plan.digests,
            )
        )


def databases(*recorded: Sequence[str]) -> list[Database]:
    return [Database(records(*(f"shop.{name}" for name in names))) for names in recorded]


def history_of(evolution: Evolution) -> History:
    return build_history(evolution.history().migrations.values(), apps=[App("shop", "/project/shop")])


def plans(
    history: History,
    known: Rewrites,
    targets: Sequence[Database],
    git: Sequence[FileState],
    *,
    accept: bool = False,
    stated: Mapping[str, NameChanges] | None = None,
) -> tuple[Rewrite | None, list[Plan]]:
    """What `migsync plan` proposes to write, and the plan of each database."""
    found, made = survey(history, known, targets, git, accept=accept, stated=stated)
    return found and found.proposed, made


def survey(
    history: History,
    known: Rewrites,
    targets: Sequence[Database],
    git: Sequence[FileState],
    *,
    accept: bool = False,
    stated: Mapping[str, NameChanges] | None = None,
) -> tuple[Discovery | None, list[Plan]]:
    """What was found out about names, if anything had to be, and the plan of each database."""
    stated = stated or {}

    def plan_all(rewrites: Rewrites, options: PlanOptions) -> list[Plan]:
        return [make_plan(history, rewrites, each.rows, REF, runs=each.runs, options=options) for each in targets]

    first = plan_all(known, PlanOptions(conflicts=True))
    unexplained = [unexplained_apps(plan) for plan in first]
    if not stated and not any(unexplained):
        return None, first
    found = discover(
        history,
        known,
        {"shop"},
        [
            DatabaseEvidence("", afterwards(each.rows, plan), each.rows, [run.digests for run in each.runs])
            for each, plan in zip(targets, first, strict=True)
        ],
        Statements(stated, accept),
        created=MADE,
        git=cast("GitHistory", Git(git)),
    )
    made = plan_all(known.with_proposed(found.proposed), PlanOptions(origins=found.origins, conflicts=True))
    return found, [
        replace(plan, findings=(*found.questions(apps), *plan.findings))
        for plan, apps in zip(made, unexplained, strict=True)
    ]
