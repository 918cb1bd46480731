"""The project's targets, opened for commands that need no plan of their own: log, show and undo."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migsync.cli.completion import remember_runs
from migsync.errors import MigsyncError, UnknownRun
from migsync.sync.plan_groups import sentence_names
from migsync.words import did_you_mean, text_list

if TYPE_CHECKING:
    from migsync.history import History
    from migsync.project import Project
    from migsync.rewrites.record import Record
    from migsync.rewrites.rewrite import Rewrite
    from migsync.sync.plan import Plan
    from migsync.sync.run import Run
    from migsync.sync.target import Target

NAMED = 3
"""Of several runs that may be meant, so many are named."""


@dataclass
class OpenTargets:
    """Targets by alias, each database once, with their runs; `same` maps an alias left out to the one that it is.

    `records` are there where they were asked for: the rows of the same moment as the runs.
    """

    targets: dict[str, Target] = field(default_factory=dict)
    runs: dict[str, tuple[Run, ...]] = field(default_factory=dict)
    records: dict[str, Sequence[Record]] = field(default_factory=dict)
    errors: dict[str, MigsyncError] = field(default_factory=dict)
    same: dict[str, str] = field(default_factory=dict)


@contextmanager
def open_targets(project: Project, aliases: Sequence[str], *, records: bool = False) -> Iterator[OpenTargets]:
    """Open the targets of `aliases` (none: all). Raises UnknownAlias; what cannot be read is in `errors`."""
    from migsync.sync.snapshots import SnapshotReader
    from migsync.sync.survey import choose
    from migsync.sync.target import Snapshot
    from migsync.sync.target_pool import TargetPool

    found = OpenTargets()
    chosen: dict[str, Target] = {}
    identities: dict[str, str] = {}

    def alone(target: Target) -> tuple[Snapshot, str]:
        return target.snapshot() if records else Snapshot((), target.runs()), ""

    with TargetPool() as pool:
        # The schemas of a database are of no interest here, so none is asked for.
        reader = SnapshotReader(pool, alone, None, journaled=True, readers=project.readers)
        for reading in reader.read_all(choose(project, aliases)):
            config, target, held = reading.config, reading.target, reading.snapshot
            if isinstance(target, MigsyncError):
                found.errors[config.alias] = target
                continue
            identity = target.ref.identity
            identities[config.alias] = identity
            # Two aliases of one database (a replica that tests share, say): the one that can be written to is kept.
            other = chosen.get(identity)
            if other and not (other.read_only and not target.read_only):
                continue
            if other:
                del found.targets[other.alias], found.runs[other.alias], found.records[other.alias]
            chosen[identity] = target
            found.targets[config.alias] = target
            found.runs[config.alias], found.records[config.alias] = held.runs, held.records
        pool.release()
        # Not before the last one is open: a later alias may be kept in the place of the one that was kept so far.
        kept = {alias: chosen[identity].alias for alias, identity in identities.items()}
        found.same = {alias: other for alias, other in kept.items() if alias != other}
        remember_runs(project, found.runs)
        yield found


def readable_rewrites(project: Project) -> tuple[Rewrite, ...]:
    """The project's rewrites; none where they cannot be read.

    An undo needs no rewrite, so a broken one must not stop it.
    """
    from migsync.rewrites.package_rewrites import all_rewrites

    try:
        return all_rewrites(project)[0].ordered
    except MigsyncError:
        return ()


def rewrite_labels(project: Project) -> dict[str, str]:
    """The file names of the project's rewrites by id, for showing; none where they cannot be read."""
    return {rewrite.id: rewrite.source for rewrite in readable_rewrites(project)}


def undo_plans(
    project: Project, found: OpenTargets, run: str | None, rewrites: Sequence[Rewrite], since: str = ""
) -> tuple[list[Plan], list[str]]:
    """The undo of each database, and the databases where there is nothing to take back.

    `run` is as :func:`find_runs` takes it; without one, the last run that is in force and was not made before `since`.
    """
    from migsync.sync.undo import changed_presence, last_to_undo, plan_undo

    if run is not None:
        chosen = find_runs(found.runs, run)
    else:
        last = {alias: last_to_undo(runs) for alias, runs in found.runs.items()}
        chosen = {alias: each for alias, each in last.items() if each and each.at >= since}
    history = _readable_history(project) if any(map(changed_presence, chosen.values())) else None
    plans = []
    for alias, each in chosen.items():
        target = found.targets[alias]
        plan = plan_undo(target.ref, each, found.records[alias], found.runs[alias], rewrites, history)
        plans.append(plan.naming(project.typed(alias)))
    return plans, [] if run else [alias for alias in found.targets if alias not in chosen]


def _readable_history(project: Project) -> History | None:
    """The migration files; None where they cannot be read, which must not stop an undo."""
    from migsync.sync.survey import open_survey

    try:
        with open_survey(project) as files:
            return files.history
    except MigsyncError:
        return None


def find_runs(runs: Mapping[str, Sequence[Run]], text: str) -> dict[str, Run]:
    """By alias, the run that `text` means: its number, its id, or the beginning of its id.

    One id can be in two databases, where one was copied from the other. Raises UnknownRun for no run and for several.
    """
    if not text:
        raise UnknownRun("No run was given.")
    # Digits alone may be both. They are first of all the number that `migsync log` shows.
    found = _numbered(runs, text) or _beginning(runs, text)
    ids = {run.id for run in found}
    if not ids:
        from migsync.cli.views.runs import SHORT  # only a mistake needs it

        known = {run.id[: max(SHORT, len(text))] for of_alias in runs.values() for run in of_alias}
        meaning = filter(None, ("Nothing was changed.", did_you_mean(text, known)))
        where = text_list(sentence_names(runs)) or "any database"
        raise UnknownRun(f"There is no run {text} in {where}.", "\n".join(meaning))
    if len(ids) > 1:
        raise UnknownRun(
            f"{text} matches {len(ids)} runs: {text_list(sorted(ids), NAMED)}.",
            "Nothing was changed.",
            "Give more of the id, or name the database: --database ALIAS",
        )
    return {alias: run for alias, of_alias in runs.items() for run in of_alias if run.id in ids}


def _numbered(runs: Mapping[str, Sequence[Run]], text: str) -> list[Run]:
    if not (text.isascii() and text.isdigit()):
        return []
    return [run for of_alias in runs.values() for run in of_alias if run.number == int(text)]


def _beginning(runs: Mapping[str, Sequence[Run]], text: str) -> list[Run]:
    return [run for of_alias in runs.values() for run in of_alias if run.id.startswith(text.lower())]
