"""Names that a rewrite has retired, and what bears them now: for files of a branch that was open meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from migsync.findings import Finding
from migsync.findings.history import dangling_dependency, retired_name
from migsync.history import History
from migsync.history.migration import Key
from migsync.rewrites.git_successors import NOTHING_IN_GIT, GitSuccessors
from migsync.rewrites.labels import Labels
from migsync.rewrites.rewrite import AppRewrite, Rewrite
from migsync.rewrites.rewrite_graph import Rewrites


def successors(missing: Key, history: History, rewrites: Rewrites) -> tuple[tuple[Key, ...], ...]:
    """What the rewrites say that `missing`, a name of no file, has become: all answers that fit the files on disk.

    Each answer is the keys that stand for it now: one, or, for a merge that was removed, those of its parents. There
    are several answers where the name was used more than once. None: the rewrites say nothing about it. A label that
    no app has any more means the app that has another one now.
    """
    app, steps, relabelled = _steps(missing, history, rewrites)
    found: list[tuple[Key, ...]] = []
    for number, rewrite in enumerate(steps):
        if missing.name in rewrite.apps[app].sources:
            names = sorted(_followed(missing.name, app, steps[number:]))
            keys = _ends([Key(app, name) for name in names], history)
            if keys and all(key in history.migrations for key in keys) and keys not in found:
                found.append(keys)
    # The label alone has changed, and no rewrite since has used the name otherwise.
    same = (Key(app, missing.name),)
    kept = not any(missing.name in rewrite.apps[app].sources for rewrite in steps[relabelled:])
    if app != missing.app and kept and same[0] in history.migrations and same not in found:
        found.append(same)
    return tuple(found)


def successors_of_contents(app: str, digest: str, history: History, rewrites: Rewrites) -> tuple[tuple[Key, ...], ...]:
    """The :func:`successors` of the names under which a rewrite of `app` knew a file with these operations."""
    olds = {
        old
        for rewrite in Labels(rewrites).view.of_app(app)
        for old in rewrite.apps[app].sources
        if rewrite.apps[app].digests_before.get(old) == digest
    }
    answers = (answer for old in sorted(olds) for answer in successors(Key(app, old), history, rewrites))
    return tuple(dict.fromkeys(answers))


def _steps(missing: Key, history: History, rewrites: Rewrites) -> tuple[str, tuple[Rewrite, ...], int]:
    """The label of today, the app's rewrites under it, and the place of the first one that changed the label."""
    labels = Labels(rewrites)
    app = missing.app if missing.app in history.apps else labels.today(missing.app)
    steps = labels.view.of_app(app)
    changed = {step.rewrite.id for step in labels.path(missing.app)} if app != missing.app else set()
    return app, steps, next((number for number, rewrite in enumerate(steps) if rewrite.id in changed), len(steps))


def retired(history: History, rewrites: Rewrites) -> Mapping[Key, tuple[tuple[Key, ...], ...]]:
    """Every name that a file depends on and that only rewrites know, with its :func:`successors`."""
    return {key: found for key in sorted(_missing(history)) if (found := successors(key, history, rewrites))}


def unexplained(history: History, rewrites: Rewrites) -> Sequence[Key]:
    """Every name that a file depends on, and that neither a file nor a rewrite knows."""
    if not any(finding.code == dangling_dependency.code for finding in history.findings):
        return ()
    return [key for key in sorted(_missing(history)) if not successors(key, history, rewrites)]


def with_successors(history: History, rewrites: Rewrites, by_git: GitSuccessors = NOTHING_IN_GIT) -> History:
    """The history with a finding ``retired-name``, which names the fix, for each dangling dependency that has one.

    `by_git` is what git says of names that the rewrites do not know.
    """
    if not any(finding.code == dangling_dependency.code for finding in history.findings):
        return history
    found = {**retired(history, rewrites), **by_git.renamed}
    told = (each for finding in history.findings for each in _told(finding, history, rewrites, found))
    places = {str(key): place for key, place in by_git.elsewhere.items()}
    findings = (
        each.with_facts(branch=places[each.other][0], path=places[each.other][1])
        if each.code == dangling_dependency.code and each.other in places
        else each
        for each in told
    )
    return replace(history, findings=tuple(dict.fromkeys(findings)))


def _missing(history: History) -> set[Key]:
    replaced = {key for migration in history.migrations.values() for key in migration.replaces}
    return {key for migration in history.migrations.values() for key in _named(history, migration.key)} - replaced


def _named(history: History, origin: Key) -> Iterator[Key]:
    """The dependencies in the file of `origin` that are no file; ``__first__`` and its like do not count."""
    migration = history.migrations[origin]
    for key in (*migration.dependencies, *migration.run_before):
        if key not in history.migrations and not key.name.startswith("__") and not key.app.startswith("__"):
            yield key


def _told(
    finding: Finding, history: History, rewrites: Rewrites, found: Mapping[Key, tuple[tuple[Key, ...], ...]]
) -> list[Finding]:
    """For a dangling dependency a finding for every file that has it; the graph's `finding` is about one of them."""
    if finding.code != dangling_dependency.code:
        return [finding]
    missing = next((key for key in _named(history, Key(finding.app, finding.name)) if str(key) == finding.other), None)
    if missing not in found:
        return [finding]
    return [
        retired_name(
            migration=origin,
            other=missing,
            file=migration.path,
            own=history.apps[origin.app].first_party,
            rewrite=_last_to_retire(missing, history, rewrites),
            now=found[missing],
        )
        for origin, migration in history.migrations.items()
        if missing in (*migration.dependencies, *migration.run_before)
    ]


def _last_to_retire(missing: Key, history: History, rewrites: Rewrites) -> str:
    """The file of the rewrite; empty where it was git that explained the name, and no file says so yet."""
    app, steps, relabelled = _steps(missing, history, rewrites)
    told = [step for step in steps if missing.name in step.apps[app].sources or step in steps[relabelled:]]
    return told[-1].label if told and told[-1].path else ""


def _followed(name: str, app: str, steps: Sequence[Rewrite]) -> set[str]:
    """The names after all of `steps`; a removed one gives way to those that it depended on."""
    names = {name}
    for rewrite in steps:
        names = {new for old in names for new in _became(old, rewrite.apps[app])}
    return names


def _became(name: str, change: AppRewrite) -> set[str]:
    if name in change.removed:
        # A merge has no operations, so what depended on it depends on its parents; these may have been renamed.
        return {new for parent in change.parents_before.get(name, ()) for new in _became(parent, change)}
    for old, new in change.renamed:
        if old == name:
            return {new}
    for olds, news in change.collapsed:
        if name in olds:
            # Whatever depended on any of the old ones must come after all that they did: after the last of the new
            # ones.
            return {news[-1]}
    return {name}


def _ends(keys: Sequence[Key], history: History) -> tuple[Key, ...]:
    """`keys` without those that others of them depend on: after a linearize one of a merge's parents is enough."""
    there = [key for key in keys if key in history.migrations]
    inner = {up for key in there for up in history.ancestors([key]) - {key}}
    return tuple(key for key in keys if key not in inner)
