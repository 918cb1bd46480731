"""Compares two commits: plans the database that the older one would have made, with the files of the newer one."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from migsync.check.base import Base, find_base
from migsync.check.base_database import BaseDatabase
from migsync.check.report import OF_CONTENTS, ComparisonReport
from migsync.check.sides import Sides, open_sides
from migsync.errors import HistoryError, ProjectError
from migsync.filesystem.git import GitError, repository_of, run_git
from migsync.findings import Finding
from migsync.findings.check import changed_again
from migsync.findings.positions import open_position
from migsync.findings.rewrites import rewrites_conflict
from migsync.history import History, read_history
from migsync.history.migration import Key
from migsync.project.project import rewrites_directory
from migsync.project.root import Root
from migsync.rewrites.rewrite import Rewrite
from migsync.rewrites.rewrite_files import load_rewrites
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.rewrites.successors import with_successors
from migsync.sync.plan_request import PlanRequest
from migsync.sync.survey import Survey, plan_state

MANY_EDITED = 20
"""Of so many edited files at most it is asked what a database shows that has run nothing after them."""
MANY_NAMES = 50
"""With more names gone, all apps are read, rather than looked through for each of the names."""


@dataclass(frozen=True)
class Comparison:
    """The result. `base` is None in a repository without a commit; `apps` are those in which something changed.

    `proposed` is the rewrite that is missing. `rewrites` is the directory that it belongs into.
    """

    base: Base | None
    rewrites: Path
    apps: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    proposed: Rewrite | None = None


def compare(
    place: Root, *, against: str | None = None, head: str | None = None, environ: Mapping[str, str] = os.environ
) -> Comparison:
    """Compare `head`, or the files on disk, with the base that :func:`find_base` chooses.

    Raises ProjectError where there is no git repository, or where git cannot tell what changed.
    """
    directory = Path(os.path.realpath(place.directory))
    rewrites = rewrites_directory(place)
    top = repository_of(directory)
    if top is None:
        raise ProjectError(
            f"{place.directory} is not in a git repository.",
            "migsync check compares the migration files with those of an older commit.",
            "Without git, compare them with the databases: migsync plan",
        )
    try:
        base = find_base(top, against, head, environ)
        if base is None:
            return Comparison(None, rewrites)
        with ExitStack() as stack:
            sides = open_sides(place, base, stack)
            if not sides.labels and not sides.rewrites_changed:
                return Comparison(base, rewrites)
            return _compare(sides, rewrites, against)
    except GitError as error:
        raise ProjectError(f"Git could not be asked: {error}", "So it is not known which names changed.") from error


def _compare(sides: Sides, rewrites: Path, against: str | None) -> Comparison:
    base = sides.base
    before = _before(sides)
    known = load_rewrites(sides.after.project.rewrites)
    old_rewrites = load_rewrites(sides.before.project.rewrites)
    named = _changed_apps(old_rewrites, known) if sides.rewrites_changed else frozenset[str]()
    history = with_successors(_after(sides, before, named), known)
    database = BaseDatabase(base, before, history, sides.labels, old_rewrites)
    survey = _planned(sides, known, history, database)
    behind, proposed = _behind(sides, known, history, database, survey.proposed)
    # A file may name what is proven to have another name now.
    told = with_successors(history, known.with_proposed(proposed))
    if proposed is not survey.proposed or told is not history:
        history, told_of = told, known if proposed is survey.proposed else known.with_proposed(proposed)
        survey = _planned(sides, told_of, history, database)
    report = ComparisonReport(sides, before, history, old_rewrites, known, survey, proposed, behind, against or "")
    found = list(report.findings())
    if all(each.code != rewrites_conflict.code for each in found):
        again = dict(_changed_again(sides, known, old_rewrites, proposed))
    else:
        again = {}  # which of the branch's rewrites is the last one is not known
    found = [*again.values(), *(each for each in found if each.app not in again or not each.blocks)]
    if proposed and again:
        apps = {app: change for app, change in proposed.apps.items() if app not in again}
        proposed = replace(proposed, apps=apps) if apps else None
    return Comparison(base, rewrites, tuple(sorted(sides.labels)), tuple(found), proposed)


def _changed_again(
    sides: Sides, known: Rewrites, before: Rewrites, proposed: Rewrite | None
) -> Iterator[tuple[str, Finding]]:
    """Apps whose names changed once more after a rewrite that only this branch has: the next one follows that one."""
    for app in proposed.apps if proposed else ():
        if own := [each for each in known.of_app(app) if each.id not in before.by_id]:
            base, last = sides.base, own[-1]
            log = ("log", "-1", "--format=%h", "--diff-filter=A", base.head or "HEAD", "--")
            commit = run_git(base.top, *log, sides.after.path(last.path)).decode().strip()
            yield app, changed_again(app=app, rewrite=last.label, commit=commit)


def _planned(
    sides: Sides, rewrites: Rewrites, history: History, database: BaseDatabase, last: Key | None = None
) -> Survey:
    state = database.state(last)
    # Its position is known. But one that is stated would hide that two rewrites are in conflict.
    for positions in ((), database.positions(rewrites)):
        survey = Survey(sides.after.project, history, rewrites, request=PlanRequest(positions=positions))
        plan_state(survey, state, database.ran(state), database.git())
        codes = {finding.code for plan in survey.plans for finding in plan.findings}
        if open_position.code not in codes or rewrites_conflict.code in codes:
            break
    return survey


def _behind(
    sides: Sides, known: Rewrites, history: History, database: BaseDatabase, proposed: Rewrite | None
) -> tuple[list[Finding], Rewrite | None]:
    """What databases that are behind show of edited files, and the rewrite with what they prove besides.

    Where two files exchanged their names, or operations moved from one to another, a database that has run both is in
    order. One that has run the first only is not.
    """
    findings: list[Finding] = []
    for key in list(database.edited())[:MANY_EDITED]:
        told = known.with_proposed(proposed)
        if any(key.name in rewrite.apps[key.app].sources for rewrite in told.of_app(key.app)):
            continue  # a rewrite says what became of it
        survey = _planned(sides, told, history, database, key)
        if survey.proposed and key.app in survey.proposed.apps and not (proposed and key.app in proposed.apps):
            apps = {**(proposed.apps if proposed else {}), key.app: survey.proposed.apps[key.app]}
            proposed = replace(proposed or survey.proposed, apps=apps)
        else:
            findings += [each for plan in survey.plans for each in plan.findings if each.code in OF_CONTENTS]
    return findings, proposed


def _before(sides: Sides) -> History:
    try:
        return read_history(sides.before.project.apps, complete=False)
    except HistoryError as error:
        raise ProjectError(
            f"The migrations of {sides.base.label} cannot be read: {error.found}",
            "So it is not known which names changed.",
            "Compare with a commit in which they can be read: migsync check --against REV",
        ) from error


def _after(sides: Sides, before: History, named: Collection[str]) -> History:
    """The migrations of the apps that changed, of those that they name, and of those that name what is gone."""
    apps = {app.label: app for app in sides.after.project.apps}
    wanted = {*sides.labels, *named} & apps.keys()
    changed = read_history([apps[label] for label in sorted(wanted)], complete=False)
    wanted |= _named_apps(changed) & apps.keys()
    gone = [key for key in before.migrations if key not in changed.migrations]
    if len(gone) > MANY_NAMES:
        wanted = set(apps)
    elif gone:
        wanted |= _naming(sides, {key.name for key in gone})
    if wanted == changed.apps.keys():
        return changed
    return read_history([app for label, app in apps.items() if label in wanted], complete=False)


def _named_apps(history: History) -> set[str]:
    return {
        key.app
        for migration in history.migrations.values()
        for key in (*migration.dependencies, *migration.run_before, *migration.replaces)
    }


def _naming(sides: Sides, names: Collection[str]) -> set[str]:
    """The apps of which a file has one of these names in it."""
    base = sides.base
    options = ["--files-with-matches", "-z", "--fixed-strings", "--no-color", "--full-name"]
    options += [word for name in sorted(names) for word in ("-e", name)]
    options += [base.head] if base.head else ["--untracked"]
    found = os.fsdecode(run_git(base.top, "grep", *options, "--", sides.inside, answers=(0, 1))).split("\0")
    places = {path.removeprefix(f"{base.head}:").rpartition("/")[0] for path in found}
    return {app.label for place, app in sides.after.directories.items() if place in places}


def _changed_apps(before: Rewrites, after: Rewrites) -> frozenset[str]:
    """The apps of the rewrites that only one side has."""
    differ = before.by_id.keys() ^ after.by_id.keys()
    both = {**before.by_id, **after.by_id}
    return frozenset(app for each in differ for app in both[each].apps)
