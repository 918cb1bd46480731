"""Everything about a project and its databases that is cheap to know: what a plan finds, and more."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Self

from migsync.doctor.commits import with_commits
from migsync.doctor.operations import irreversible
from migsync.doctor.order import first_marked, in_order
from migsync.doctor.schema import schema_findings
from migsync.doctor.server import server_findings
from migsync.doctor.squashes import squash_findings
from migsync.errors import MigsyncError
from migsync.filesystem.git import GitError, repository_of, run_git
from migsync.findings import Finding
from migsync.findings import database_objects as objects
from migsync.findings import examination as entries
from migsync.findings.inconsistency import inconsistent_history
from migsync.findings.records import on_another_branch
from migsync.history import History
from migsync.history.migration import FIRST, LATEST
from migsync.history.source_cache import SourceCache
from migsync.key import Key
from migsync.sync.plan import Plan
from migsync.sync.survey import Survey

MANY_GAPS = 5
"""From so many on, gaps in the history have one cause: records were lost."""


@dataclass(frozen=True, slots=True)
class Examination:
    """`general` is about files and rewrites; `findings` has those of each database that could be read, by alias."""

    general: tuple[Finding, ...]
    findings: Mapping[str, tuple[Finding, ...]]

    @property
    def every(self) -> Iterator[Finding]:
        """All findings."""
        yield from self.general
        for found in self.findings.values():
            yield from found

    @classmethod
    def of(cls, survey: Survey, general: Iterable[Finding], databases: Mapping[str, Sequence[Finding]]) -> Self:
        """The findings with their commits, each one before those that it hides.

        What holds for every database of several is about the files.
        """
        shared = _shared([databases.get(plan.target.alias, ()) for plan in survey.plans])
        sections = [[*dict.fromkeys([*general, *shared])]]
        sections += [[each for each in found if each not in shared] for found in databases.values()]
        told = iter(with_commits(survey.history, [each for section in sections for each in section]))
        files, *rest = (in_order(islice(told, len(section))) for section in sections)
        every = [each for section in rest for each in section]
        marked = {alias: first_marked(found, files) for alias, found in zip(databases, rest, strict=True)}
        return cls(first_marked(files, every), marked)


def _shared(found: Sequence[Sequence[Finding]]) -> list[Finding]:
    """What was found in every database of several."""
    return [each for each in found[0] if all(each in other for other in found)] if len(found) > 1 else []


def examine(survey: Survey) -> Examination:
    """All findings of a survey, with those that only the doctor looks for. Nothing is changed."""
    cache = SourceCache(survey.project.cache.with_suffix(".operations"))
    general = (
        *survey.findings,
        *_not_in_git(survey.history),
        *_symbolic_dependencies(survey.history),
        *squash_findings(survey),
        *irreversible(survey.history, cache),
    )
    cache.save()
    databases = {plan.target.alias: _of_database(survey, plan) for plan in survey.plans}
    for alias in survey.fresh:
        if found := tuple(schema_findings(survey, alias)):
            databases[alias] = _named(survey, alias, found)
    return Examination.of(survey, general, databases)


def pending_changes(plan: Plan, apps: Collection[str] | None = None) -> Iterator[Finding]:
    """Changes that were not made yet to the records of `apps`, or of all."""
    changed = [record.app for change in plan.changes if (record := change.before or change.after)]
    of_apps = [app for app in changed if apps is None or app in apps]
    if of_apps:
        yield objects.apply_first(changes=len(of_apps), apps=sorted(set(of_apps)))


def _of_database(survey: Survey, plan: Plan) -> tuple[Finding, ...]:
    alias = plan.target.alias
    with survey.targets[alias].connected():
        more = (
            *(() if plan.blocked else pending_changes(plan)),
            *sequence_findings(survey, alias),
            *server_findings(survey, alias),
            *schema_findings(survey, alias),
            *_gone_apps(survey, alias),
        )
    found = _ahead_first(survey.project.root, _gaps_first(plan.findings, survey.project.typed(alias)))
    return (*found, *_named(survey, alias, more))


def _named(survey: Survey, alias: str, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings with the alias in their commands, where it has to be typed."""
    return tuple(finding.with_facts(alias=survey.project.typed(alias)) for finding in findings)


def _gaps_first(findings: Sequence[Finding], alias: str) -> Sequence[Finding]:
    """The findings of a plan; where the history has many gaps, they are one finding, which comes first."""
    gaps = [each for each in findings if each.code == inconsistent_history.code and each.blocks]
    missing = [*dict.fromkeys(Key.parse(each.other) for each in gaps)]
    # What is wrong with names may be the cause, and comes first.
    if len(missing) < MANY_GAPS or any(each.blocks for each in findings if each not in gaps):
        return findings
    return [entries.gaps_in_history(migrations=missing, alias=alias), *(each for each in findings if each not in gaps)]


def _ahead_first(root: Path, findings: Sequence[Finding]) -> Iterator[Finding]:
    """The findings of a plan; records whose files are in later commits are one finding, which comes first."""
    by_branch: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.code == on_another_branch.code:
            by_branch[str(finding.facts["branch"])].append(finding)
    later = {branch for branch in by_branch if _is_later(root, branch)}
    for branch in sorted(later):
        yield entries.ahead_of_code(migrations=[Key(each.app, each.name) for each in by_branch[branch]], branch=branch)
    told = [each for branch in later for each in by_branch[branch]]
    yield from (finding for finding in findings if finding not in told)


def _is_later(root: Path, branch: str) -> bool:
    """Whether a branch has all of this checkout's commits, and more."""
    try:
        run_git(root, "merge-base", "--is-ancestor", "HEAD", branch, search=True)
    except GitError:
        return False
    return True


def sequence_findings(survey: Survey, alias: str) -> Iterator[Finding]:
    """A sequence that gives ids which are taken."""
    top = max((record.id for record in survey.records[alias] if record.id is not None), default=0)
    try:
        statement = survey.targets[alias].sequence_statement(top)
    except MigsyncError:  # the sequence may not be looked at, and the records could be read all the same
        return
    if statement:
        yield entries.sequence_behind(statement=statement)


def _gone_apps(survey: Survey, alias: str) -> Iterator[Finding]:
    told = {finding.app for plan in survey.plans for finding in plan.findings}
    known = survey.history.apps.keys() | told | {app for each in survey.rewrites.ordered for app in each.apps}
    gone = Counter(record.app for record in survey.records[alias] if record.app not in known)
    if gone:
        yield entries.records_of_gone_apps(apps=sorted(gone), records=gone.total())


def _not_in_git(history: History) -> Iterator[Finding]:
    """Migration files of the project that its repository does not hold."""
    directories = {
        Path(os.path.realpath(app.directory)): label
        for label, app in history.apps.items()
        if app.first_party and app.directory
    }
    by_top: defaultdict[Path, list[Path]] = defaultdict(list)
    for directory in directories:
        if top := repository_of(directory):
            by_top[top].append(directory)
    for top, inside in by_top.items():
        others = ("ls-files", "-z", "--others")
        places = ["--", *(str(each.relative_to(top)) for each in inside)]
        try:
            missing = os.fsdecode(run_git(top, *others, *places)).split("\0")
            new = set(os.fsdecode(run_git(top, *others, "--exclude-standard", *places)).split("\0"))
        except GitError:
            continue
        found: defaultdict[tuple[str, bool], list[str]] = defaultdict(list)
        for file in missing:
            path = top / file
            label = directories.get(path.parent)
            if label and path.suffix == ".py" and path.stem in history.names(label):
                found[label, file not in new].append(str(path))
        for (label, ignored), unsorted in sorted(found.items()):
            files = sorted(unsorted)
            names = [Path(file).stem for file in files]
            yield entries.not_in_git(app=label, names=names, file=files[0], files=files, ignored=ignored)


def _symbolic_dependencies(history: History) -> Iterator[Finding]:
    for key, migration in history.migrations.items():
        if key.app in history.first_party:
            for other in migration.dependencies:
                # The first one of a package stays the first one.
                own_first = other.name == FIRST and other.app in history.first_party
                if other.app != key.app and (other.name == LATEST or own_first):
                    yield entries.symbolic_dependency(migration=key, other=str(other))
