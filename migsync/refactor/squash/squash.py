"""``squash``: ranges of migrations, each with one new migration in its place, as one Reshape.

First the ranges are chosen, which needs the graph only; then Django is asked for their files; what that comes to is
pure again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from migsync.engines import engine_named, engine_of
from migsync.files.reshape import ContentChanges, Expectation, KeyChanges, Reshape
from migsync.findings import Finding
from migsync.findings.squash import not_atomic, nothing_to_squash, range_left
from migsync.history import History, Key
from migsync.project import Project
from migsync.refactor.preconditions import broken, chosen_apps
from migsync.refactor.squash import ranges
from migsync.refactor.squash.ranges import Range
from migsync.refactor.squash.safe_ranges import assess, find_safe_ranges, transactions
from migsync.refactor.squash.splits import RowSplits, circle, split_at_cycles
from migsync.refactor.symbolic_dependencies import changed_ends
from migsync.sync.plan_groups import sentence_names
from migsync.words import text_list
from migsync.worker.client import ask_one
from migsync.worker.protocol import SquashedRange, SquashRequest, SquashSpec
from migsync.worker.task import SQUASH

if TYPE_CHECKING:
    from migsync.refactor.ground import Ground


@dataclass(frozen=True)
class Databases:
    """What is known of the project's databases: `applied`, by alias, is what counts as applied in each that was read.

    `unread` are the aliases that could not be read, `engines` those of all the databases. A proof runs on empty tables;
    what a squash does to rows that are there is a matter of the databases that stand before it and hold some.
    """

    applied: Mapping[str, frozenset[Key]] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    engines: frozenset[str] = frozenset()

    def lacking(self, history: History, keys: Sequence[Key]) -> dict[Key, tuple[str, ...]]:
        """For each of `keys` that is still to be run where there may be rows: the aliases of those databases.

        A database has none where nothing was run that the keys come after.
        """
        behind = [alias for alias, applied in self.applied.items() if applied and not applied.issuperset(keys)]
        before = history.ancestors(keys) if behind else ()
        behind = [alias for alias in behind if not self.applied[alias].isdisjoint(before)]
        found = {key: tuple(alias for alias in behind if key not in self.applied[alias]) for key in keys}
        return {key: aliases for key, aliases in found.items() if aliases}


NOWHERE = Databases()
"""No database that is known of."""


@dataclass(frozen=True)
class Choice:
    """The ranges that are to be squashed in one step, or the errors that refuse it.

    `in_two_phases` is Django's own way: the squash has `replaces`, and the old files stay. `optional`: a range of
    which no file can be made, or whose file is refused, is left as it is, with a warning; otherwise that refuses
    everything. `plain` are the squashes that keep every operation as it is. `lacking` are, of the
    migrations in the ranges, those that databases with rows have still to run, and the aliases of these; `unread` those
    of databases that could not be read.
    """

    command: str
    ranges: tuple[Range, ...] = ()
    findings: tuple[Finding, ...] = ()
    in_two_phases: bool = False
    optional: bool = False
    lacking: Mapping[Key, tuple[str, ...]] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    plain: frozenset[Key] = frozenset()

    @property
    def blocked(self) -> bool:
        """True when a finding refuses it."""
        return any(finding.blocks for finding in self.findings)

    def requests(self, *, optimize: bool = True) -> tuple[SquashSpec, ...]:
        """What Django is to be asked for, one file for each range."""
        return tuple(
            SquashSpec(
                each.squash.app,
                tuple(key.name for key in each.keys),
                each.squash.name,
                optimize=optimized,
                keep_replaces=self.in_two_phases,
                # Nothing but the optimizer leaves elidable operations out.
                kept=tuple(key.name for key in each.keys if optimized and key in self.lacking),
            )
            for each in self.ranges
            for optimized in [optimize and each.squash not in self.plain]
        )

    def without(self, answers: Iterable[SquashedRange]) -> Choice:
        """The same without the ranges whose answer is that no file can be made; a warning says why."""
        kept: list[Range] = []
        findings = list(self.findings)
        for each, answer in zip(self.ranges, answers, strict=True):
            if answer.blocked:
                findings += _left(each, answer)
            else:
                kept.append(each)
        return replace(self, ranges=tuple(kept), findings=tuple(findings))


def databases_of(ground: Ground) -> Databases:
    """The project's databases, as the survey of `ground` found them."""
    history = ground.survey.history
    return Databases(
        {alias: history.state(keys).applied for alias, keys in ground.applied.items()},
        tuple(ground.survey.errors),
        frozenset(engine_of(config.url).name for config in ground.survey.project.targets() if config.error is None),
    )


def choose_range(
    history: History,
    used: Collection[Key],
    app: str,
    first: str,
    last: str,
    *,
    name: str = "",
    in_two_phases: bool = False,
    in_parts: bool = False,
    databases: Databases = NOWHERE,
) -> Choice:
    """The range from `first` to `last`, or with `in_parts` its parts, as few as close no circle and are not refused.

    `used` are the keys that no new migration may have, `name` is what the squash is called after its number. Raises
    UsageError for what is no app of this project, and no range.
    """
    chosen_apps(history, [app])
    command = " ".join(["squash", app, first, last, *_options(name, in_two_phases, in_parts)])
    if errors := broken(history):
        return Choice(command, findings=errors)
    keys = ranges.range_between(history, app, first, last)
    lacking = databases.lacking(history, keys)
    # One migration file serves all databases, so the strictest engine decides.
    together = all(engine_named(engine).schema_after_data for engine in databases.engines)
    rows = RowSplits(history, lacking, schema_after_data=together)
    parts = [small for part in split_at_cycles(history, keys) for small in rows.parts(part)] if in_parts else [keys]
    wanted = tuple(
        Range(part, ranges.squash_key(history, part, used, name if place == 0 else name and f"{name}_{place + 1}"))
        for place, part in enumerate(part for part in parts if len(part) > 1)
    )
    findings = [
        *ranges.range_findings(history, keys),
        *([] if wanted else [nothing_to_squash(migration=keys[0], last=keys[-1].name)]),
    ]
    findings += [found for each in wanted if (found := circle(history, each))]
    findings += [found for each in wanted if (found := ranges.name_finding(history, each, used))]
    # The risks are read from the files, which is not worth the time for a range that is refused anyway.
    if not findings:
        findings += [found for each in wanted for found in rows.findings(each.keys)]
    return Choice(
        command,
        wanted,
        (*findings, *_mixed(history, wanted)),
        in_two_phases,
        lacking=lacking,
        unread=databases.unread,
    )


def choose_safe_ranges(
    history: History,
    used: Collection[Key],
    apps: Collection[str] = (),
    *,
    in_two_phases: bool = False,
    databases: Databases = NOWHERE,
) -> Choice:
    """Every range of `apps` that is safe to squash, in parts that are each one transaction; reads their files.

    Raises UsageError for an app that is not of this project.
    """
    chosen = chosen_apps(history, apps)
    command = " ".join(["squash", *sorted(apps), "--all-safe", *_options("", in_two_phases, False)])
    if errors := broken(history):
        return Choice(command, findings=errors)
    names = set(used)
    found: list[Range] = []
    safe_ranges = find_safe_ranges(history, chosen)
    lacking = {key: aliases for safe in safe_ranges for key, aliases in databases.lacking(history, safe.keys).items()}
    safe_ranges = assess(safe_ranges, history.migrations, lacking)
    for keys in (part for safe in safe_ranges for part in transactions(safe) if len(part) > 1):
        found.append(Range(keys, ranges.squash_key(history, keys, names)))
        # The next part's squash must not get the same name.
        names.add(found[-1].squash)
    return Choice(command, tuple(found), (), in_two_phases, optional=True, lacking=lacking, unread=databases.unread)


def _options(name: str, in_two_phases: bool, in_parts: bool) -> Iterator[str]:
    if name:
        yield f"--squashed-name {name}"
    if in_two_phases:
        yield "--keep-replaces"
    if in_parts:
        yield "--split"


def compose_all(project: Project, choice: Choice, *, optimize: bool) -> tuple[Choice, tuple[SquashedRange, ...]]:
    """The files of all ranges, by the project's own Django; of what is optional, those that can be made.

    Raises what :func:`ask_squash` raises.
    """
    while choice.ranges and not choice.blocked:
        answers = ask_squash(project, choice.requests(optimize=optimize))
        if not choice.optional or not any(answer.blocked for answer in answers):
            return choice, answers
        choice = choice.without(answers)  # and again: the others must not name what is not made
    return choice, ()


def ask_squash(
    project: Project, ranges: Sequence[SquashSpec], stands: Mapping[Key, tuple[Key, ...]] | None = None
) -> tuple[SquashedRange, ...]:
    """The squash of each range, all from one start of Django.

    What depends on a migration of another range depends on that one's squash, or on what `stands` says. Raises
    HistoryError where Django does not start or does not load the migrations, ProjectError without settings.
    """
    request = SquashRequest(tuple(ranges), tuple((stands or {}).items()))
    return ask_one(
        project.runtime(),
        SQUASH,
        request,
        meaning="The squash is made of the operations that Django loads.",
        hint="Fix the cause, then run the command again.",
    ).squashes


def squash(history: History, choice: Choice, answers: Sequence[SquashedRange]) -> Reshape:
    """The new files, the old ones that go, and whoever depended on them; in two phases the new files alone."""
    if choice.blocked or any(answer.blocked for answer in answers) or not answers:
        notes = [note for answer in answers for note in answer.notes]
        return Reshape(choice.command, findings=(*choice.findings, *notes))
    made = list(zip(choice.ranges, answers, strict=True))
    # For `__first__` and `__latest__`, a squash is the first and the last of its range under another name.
    ends = {key: each.squash for each in choice.ranges for key in (each.keys[0], each.keys[-1])}
    return Reshape(
        choice.command,
        # In two phases no key changes: the squash stands beside the old files, and Django takes one or the others.
        KeyChanges(collapsed=() if choice.in_two_phases else tuple((it.keys, (it.squash,)) for it in choice.ranges)),
        contents=ContentChanges({each.squash: answer.text.encode() for each, answer in made}),
        expected=Expectation({each.squash.app: len(history.leaves(each.squash.app)) for each in choice.ranges}),
        notes=tuple(note for each, answer in made for note in _notes(choice, each, answer)),
        findings=(
            *choice.findings,
            *(note for answer in answers for note in answer.notes),
            *changed_ends(history, ends),
        ),
    )


def _notes(choice: Choice, made: Range, answer: SquashedRange) -> Iterator[str]:
    less = f", {answer.before} operations became {answer.after}" if answer.after != answer.before else ""
    yield f"{made.squash} replaces {len(made.keys)} migrations{less}."
    unread = f" {text_list(sentence_names(choice.unread))} could not be read: if it has not run there, it never will."
    for key, words in answer.elided:
        yield f"{made.squash} leaves out what is elidable: {words} of {key.name}.{unread if choice.unread else ''}"
    for key, words in answer.kept:
        aliases = choice.lacking[key]
        have = "has" if len(aliases) == 1 else "have"
        named = text_list(sentence_names(aliases))
        yield f"{made.squash} keeps {words} of {key.name}, though it is elidable: {named} {have} not run it yet."


def _mixed(history: History, chosen: Iterable[Range]) -> Iterator[Finding]:
    """A warning where a squash takes into no transaction what was in one."""
    for each in chosen:
        without = [key for key in each.keys if not history.migrations[key].atomic]
        if without and len(without) < len(each.keys):
            yield not_atomic(migration=each.squash, without=without[0])


def _left(each: Range, answer: SquashedRange) -> Iterator[Finding]:
    for note in answer.notes:
        if note.blocks:
            yield range_left(
                app=note.app,
                name=note.name,
                first=each.keys[0],
                last=each.keys[-1],
                reason=note.found,
                advice=note.hint,
                file=note.file,
                line=note.line,
            )
