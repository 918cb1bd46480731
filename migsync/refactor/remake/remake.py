"""``remake``: an app's migrations from scratch, in place of all that it has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from migsync.errors import UsageError
from migsync.files.reshape import Collapse, ContentChanges, DependencyChanges, Expectation, KeyChanges, Reshape
from migsync.files.resolution import Resolution
from migsync.findings import Finding
from migsync.findings.remake import cannot_carry, cannot_replace, made_already, no_migrations, nothing_left
from migsync.history import SETTING, History, Key, build_history
from migsync.project import Project
from migsync.refactor.databases import applied_findings
from migsync.refactor.ground import Ground
from migsync.refactor.preconditions import broken, chosen_apps
from migsync.refactor.remake import messages
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.sync.survey import Survey
from migsync.words import did_you_mean, text_list
from migsync.worker.client import ask_one
from migsync.worker.protocol import Carried, Disposition, RemakeRequest, RemakeResult
from migsync.worker.task import REMAKE

WORD = "remade"
ASIDE = "_before_remade"
"""No package, and Django looks for migrations in none; nor does it take a name with ``_`` for one."""


@dataclass(frozen=True)
class RemakeOptions:
    """What a person asks for: `apps` (none: all first-party apps with migrations), and the `word` in the new names.

    `drop` are migrations, ``shop.0007`` or the whole name, whose operations need not be carried over. `replaces`: the
    old files stay, and the new ones say that they replace them. `keep_old`: the old files are kept aside.
    """

    apps: tuple[str, ...] = ()
    word: str = WORD
    drop: tuple[str, ...] = ()
    replaces: bool = False
    keep_old: bool = False

    @property
    def command(self) -> str:
        """The command line that says the same, its options in one order."""
        words = [f"--name {self.word}"] if self.word != WORD else []
        words += [f"--drop {key}" for key in sorted(self.drop)]
        words += ["--replaces"] if self.replaces else []
        words += ["--keep-old-migrations"] if self.keep_old else []
        return " ".join(["remake", *sorted(self.apps), *words])


def remake(ground: Ground, options: RemakeOptions, *, refuse_applied: bool = False) -> Reshape:
    """Have Django make the apps' migrations anew, and say what becomes of the old ones.

    With `refuse_applied`, a database that has applied one of the old names refuses it, before Django is asked.
    Raises UsageError for an app or a migration that is not of this project, and what :func:`ask_remake` raises.
    """
    if not re.fullmatch(r"\w+", options.word):
        raise UsageError(
            f"--name {options.word}: this cannot be part of a migration name.",
            hint="Use letters, digits and underscores, for example --name fresh.",
        )
    history = ground.survey.history
    chosen = chosen_apps(history, options.apps)
    dropped = tuple(_dropped(history, chosen, options.drop))
    told = tuple(no_migrations(app=app) for app in options.apps if app not in chosen)
    errors = (*broken(history), *messages.forks(history, chosen))
    if options.replaces:
        errors += tuple(messages.open_squashes(history, chosen))
    elif refuse_applied:
        errors += tuple(applied_findings(ground, {key for key in history.migrations if key.app in chosen}))
    if errors:
        return Reshape(options.command, findings=errors)
    if not chosen:
        return Reshape(options.command, findings=told)
    rewrites, applied = ground.survey.rewrites, tuple(ground.applied.values())
    request = RemakeRequest(
        chosen,
        options.word,
        # A new file under a name that a database has recorded would count as applied there and never run.
        {app: tuple(sorted(taken_names(history, rewrites, applied, app))) for app in chosen},
        dropped,
        options.replaces,
        empty=bool(options.apps),
    )
    remade = ask_remake(ground.survey.project, request)
    if empty := _empty(remade, chosen):
        told += tuple(nothing_left(app=app, emptied=False) for app in empty)
        # Asked again, since an app that is left alone keeps its old names, and the new files of others may depend on
        # those.
        rest = tuple(app for app in chosen if app not in empty)
        if not rest:
            return Reshape(options.command, findings=told)
        request = request._replace(apps=rest)
        remade = ask_remake(ground.survey.project, request)
    return _reshape(ground.survey, options, request, remade, told)


def ask_remake(project: Project, request: RemakeRequest) -> RemakeResult:
    """Have the project's Django make the migrations of the request's apps from scratch; nothing is written.

    Raises HistoryError where Django does not start or does not load the migrations, ProjectError without settings.
    """
    return ask_one(
        project.runtime(),
        REMAKE,
        request,
        meaning="Without it, Django cannot make the migrations from scratch.",
        hint="Fix the cause, then run the command again.",
    )


def _empty(remade: RemakeResult, chosen: Sequence[str]) -> list[str]:
    """The apps of which nothing would be left."""
    if remade.pending or any(each.disposition is Disposition.STUCK for each in remade.carried):
        return []
    made = {key.app for key in remade.files}
    return [app for app in chosen if app not in made]


def _reshape(
    survey: Survey, options: RemakeOptions, request: RemakeRequest, remade: RemakeResult, told: Iterable[Finding]
) -> Reshape:
    history, settings = survey.history, survey.project.settings
    errors = (
        *messages.pending(remade.pending),
        *_stuck(remade.carried, options),
        *(cannot_replace(app=app, command=replace(options, replaces=False).command) for app in remade.crossed),
        *remade.notes,
    )
    told = (*told, *(nothing_left(app=app, emptied=True) for app in remade.empty))
    findings = (*told, *errors, *messages.needless_drops(request.drop, remade))
    if any(finding.blocks for finding in errors):
        return Reshape(options.command, findings=findings)
    olds = [key for key in history.migrations if key.app in request.apps]
    advice = messages.advice(remade) | messages.advice_beside(history, request.apps)
    if options.replaces:
        advice |= messages.advice_against_replaces(olds)
    wanted = Reshape(
        options.command,
        # With --replaces no key changes: old and new files are both there, and Django takes one or the others by the
        # rows.
        KeyChanges(collapsed=() if options.replaces else tuple(_collapses(history, request.apps, remade.files))),
        DependencyChanges(successors={} if options.replaces else _successors(history, remade, frozenset(request.apps))),
        ContentChanges(
            {key: text.encode() for key, text in remade.files.items()},
            aside=ASIDE if options.keep_old else "",
        ),
        Expectation(dict.fromkeys(request.apps, 1), anew=frozenset(request.apps)),
        messages.notes(remade),
        findings,
        explain=partial(messages.explained, messages.left_out(remade), advice),
    )
    resolution = Resolution(history, wanted)
    if all(_is_made_so(resolution, app) for app in request.apps):
        return Reshape(options.command, findings=(*findings, made_already(apps=request.apps)))
    found = _cycle(resolution, settings)
    if not found:
        return wanted
    cycle = messages.cycle(found, remade.files, frozenset(request.apps), history.first_party)
    return replace(wanted, findings=(*findings, cycle))


def _stuck(carried: Iterable[Carried], options: RemakeOptions) -> Iterator[Finding]:
    """An error for each operation that can neither be carried over nor left out."""
    for each in carried:
        if each.disposition is Disposition.STUCK:
            command = replace(options, drop=(*options.drop, str(each.origin))).command
            yield cannot_carry(migration=each.origin, operation_name=each.called, command=command, file=each.file)


def _cycle(resolution: Resolution, settings: Mapping[str, str]) -> tuple[Key, ...]:
    """Migrations that would depend on each other, dependencies on settings included."""
    old = resolution.history.migrations
    swappable = {key: tuple(to for to in migration.dependencies if to.app == SETTING) for key, migration in old.items()}
    after = [
        migration.changed(dependencies=(*migration.dependencies, *swappable.get(key, ())))
        for key, migration in resolution.after.migrations.items()
    ]
    return build_history(after, resolution.history.apps.values(), settings, complete=False).cycle


def _is_made_so(resolution: Resolution, app: str) -> bool:
    """Whether the app's migrations do, one by one, what the new ones would do."""
    history = resolution.history
    old = [history.migrations[Key(app, name)] for name in history.names(app)]
    new = [migration for migration, _ in resolution.created if migration.key.app == app]
    # A squash in transition is not what would be made from scratch, even with the same operations.
    return not any(migration.replaces for migration in old) and [it.digest for it in old] == [it.digest for it in new]


def _collapses(history: History, apps: Iterable[str], files: Mapping[Key, str]) -> Iterator[Collapse]:
    """All old names of each app to all its new ones; what a squash replaced is among the old: databases hold it."""
    for app in apps:
        on_disk = [Key(app, name) for name in history.names(app)]
        replaced = [key for squash in on_disk for key in history.migrations[squash].replaces if key.app == app]
        gone = [key for key in dict.fromkeys(replaced) if key not in history.migrations]
        yield (*gone, *on_disk), tuple(key for key in files if key.app == app)


def _successors(history: History, remade: RemakeResult, apps: frozenset[str]) -> dict[Key, tuple[Key, ...]]:
    """For each old key that a migration of another app names: the new one that it depends on now.

    That is the last of the app's that make its models, or a further one with something that came before the old key.
    Whatever came later in its app is not waited for: it may need what depends on it now.
    """
    return {old: (needed,) for old in _named(history, apps) if (needed := _needed(history, remade, old))}


def _named(history: History, apps: frozenset[str]) -> Iterator[Key]:
    staying = (migration for key, migration in history.migrations.items() if key.app not in apps)
    named = (key for migration in staying for key in migration.dependencies if key.app in apps)
    # `__first__` and `__latest__` mean one of the new migrations by themselves.
    yield from dict.fromkeys(key for key in named if not key.name.startswith("__"))


def _needed(history: History, remade: RemakeResult, old: Key) -> Key | None:
    # A file may name a migration that is gone: the squash that replaced it has its place in the graph.
    above = history.ancestors([old] if old in history.migrations else _squashes(history, old))
    files = [each for each in remade.made if each.key.app == old.app]
    needed = [
        each.key
        for each in files
        if not each.further or not above.isdisjoint(_meant(history, (origin for _, origin in each.origins)))
    ]
    return needed[-1] if needed else next((each.key for each in files), None)


def _squashes(history: History, gone: Key) -> Iterator[Key]:
    """Those that replace a migration which has no file any more."""
    return (key for key, migration in history.migrations.items() if gone in migration.replaces)


def _meant(history: History, origins: Iterable[Key]) -> Iterator[Key]:
    """Migrations, and what they replace."""
    for origin in origins:
        yield origin
        if origin in history.migrations:
            yield from history.migrations[origin].replaces


def taken_names(history: History, rewrites: Rewrites, applied: Iterable[frozenset[Key]], app: str) -> frozenset[str]:
    """Every name of the app that a file bears, or ever bore as far as is known, or that a database holds."""
    found = {key.name for rows in applied for key in rows if key.app == app}
    for name in history.names(app):
        found |= {name, *(key.name for key in history.migrations[Key(app, name)].replaces)}
    for rewrite in rewrites.of_app(app):
        change = rewrite.apps[app]
        found |= {*change.before, *change.after, *change.sources, *change.targets}
    return frozenset(found)


def _dropped(history: History, apps: Sequence[str], asked: Iterable[str]) -> Iterator[Key]:
    """The migrations that were dropped by their whole names, or by how those begin; raises UsageError for others."""
    for text in asked:
        try:
            key = Key.parse(text)
        except ValueError as error:
            raise UsageError(f"--drop {text}: {error}.", hint="Write it as --drop APP.NAME.") from error
        if key.app not in apps:
            raise UsageError(
                f"--drop {text}: this command does not remake {key.app}.",
                did_you_mean(key.app, apps),
                f"Add {key.app} to the apps of the command, or leave out --drop {text}.",
            )
        names = history.names(key.app)
        fits = [name for name in names if name == key.name] or [name for name in names if name.startswith(key.name)]
        if len(fits) != 1:
            which = f"this matches {text_list(fits)}" if fits else f"{key.app} has no such migration"
            near = "" if fits else did_you_mean(key.name, names)
            raise UsageError(f"--drop {text}: {which}.", near, "Give the whole name of a migration.")
        yield Key(key.app, fits[0])
