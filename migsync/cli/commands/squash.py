"""``migsync squash``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from migsync.cli.command import MigsyncCommand
from migsync.cli.next_command import for_this_project
from migsync.cli.options import ProjectOptions, arguments, flag, option, option_group, options
from migsync.cli.output import Output
from migsync.cli.refactor import FORMATS, ProvenRefactorOptions, change_files
from migsync.cli.views.blocks import EMPTY, Block, Span, Style, line
from migsync.cli.views.lists import cut, more
from migsync.errors import ExitStatus, UsageError
from migsync.words import count

if TYPE_CHECKING:
    from migsync.engines import Engine
    from migsync.files.reshape import Reshape
    from migsync.history import History, Key
    from migsync.refactor.ground import Ground
    from migsync.refactor.squash.safe_ranges import SafeRange
    from migsync.refactor.squash.squash import Choice

RISKS = 5
"""On a terminal, so many risks of a range are shown."""


@option_group
class SquashOptions:
    """Which range ``migsync squash`` is about, and how it is squashed."""

    words: tuple[str, ...] = arguments(metavar="[APP FIRST LAST | APP...]")
    suggest: bool = flag(help="Only list the ranges of each APP (default: all) that are safe to squash.")
    all_safe: bool = flag(help="Squash every safe range of each APP (default: all), in one step.")
    squashed_name: str = option(default="", metavar="NAME", help="Use NAME after the number in the name of the squash.")
    no_optimize: bool = flag(help="Do not optimize: keep every operation as it is.")
    keep_replaces: bool = flag(
        help="Squash as Django does, in two steps: write `replaces`, and keep the old files until `migsync tidy`."
    )
    split: bool = flag(help="Squash the range in several parts if it cannot be one squash.")

    def check(self, output: Output) -> None:
        """Raise UsageError for what does not go together."""
        chosen = [option for option, given in (("--suggest", self.suggest), ("--all-safe", self.all_safe)) if given]
        of_range = [
            option for option, given in (("--squashed-name", self.squashed_name), ("--split", self.split)) if given
        ]
        if len(chosen) == 2 or (chosen and of_range):
            raise UsageError(f"{' and '.join([*chosen, *of_range])} cannot be combined.", hint="migsync squash --help")
        if self.squashed_name and not re.fullmatch(r"\w+", self.squashed_name):
            raise UsageError(
                f"--squashed-name {self.squashed_name}: this cannot be a part of a migration's name.",
                hint="Use only letters, digits and underscores, such as: --squashed-name prices",
            )
        if self.suggest and output.form == "sql":
            raise UsageError("--suggest works only with --format text and json.", "It changes no records.")
        if not chosen and len(self.words) != 3:
            raise UsageError(
                "Give a range as APP FIRST LAST.", hint="To list the ranges that are safe: migsync squash --suggest"
            )

    def reshape(self, ground: Ground, *, refuse_applied: bool) -> Reshape:
        """Choose the ranges, have the project's Django compose their files, and put the two together.

        With `refuse_applied`, a database that has applied one of the old names refuses it, before Django is asked.
        """
        from migsync.refactor.databases import applied_findings
        from migsync.refactor.squash.attempts import reshape

        survey, choice = ground.survey, self._choose(ground)
        if refuse_applied and not self.keep_replaces:
            changed = {key for each in choice.ranges for key in each.keys}
            choice = replace(choice, findings=(*choice.findings, *applied_findings(ground, changed)))
        return reshape(survey.project, survey.history, choice, optimize=not self.no_optimize)

    def _choose(self, ground: Ground) -> Choice:
        from migsync.refactor.squash.ranges import taken
        from migsync.refactor.squash.squash import choose_range, choose_safe_ranges, databases_of

        history = ground.survey.history
        databases = databases_of(ground)
        used = taken(history, ground.survey.rewrites, ground.applied.values())
        if self.all_safe:
            return choose_safe_ranges(history, used, self.words, in_two_phases=self.keep_replaces, databases=databases)
        app, first, last = self.words
        return choose_range(
            history,
            used,
            app,
            first,
            last,
            name=self.squashed_name,
            in_two_phases=self.keep_replaces,
            in_parts=self.split,
            databases=databases,
        )


@click.command(
    cls=MigsyncCommand,
    short_help="Squash a range of migrations into one, or list the ranges that are safe.",
    examples="""
    migsync squash --suggest                      # list the safe ranges
    migsync squash orders 0002 0006 --dry-run     # only show what would change, and prove it
    migsync squash orders 0002 0006 --update-db   # the files, and the records in every database
    migsync squash --all-safe --allow-applied     # every safe range; databases later: migsync apply
    migsync squash shop 0002 0009 --split         # in several parts if it cannot be one squash
    """,
)
@options(SquashOptions, ProvenRefactorOptions, formats=FORMATS)
def squash(output: Output, asked: SquashOptions, refactor: ProvenRefactorOptions) -> ExitStatus:
    """Squash the migrations of APP from FIRST to LAST into one. Give their names, or the beginnings of the names.

    The squash replaces them at once: their files are removed, and whatever depended on them, in any app, now depends on
    the squash. In each database the record of LAST gets the name of the squash, and keeps its applied timestamp; the
    other records are removed.

    If a database has applied only some of these migrations, migsync refuses before it writes anything. Migrate that
    database first.
    """
    asked.check(output)
    if asked.suggest:
        return _suggest(output, refactor.project, asked.words)
    return change_files(output, refactor, partial(asked.reshape, refuse_applied=refactor.refuse_applied))


def _suggest(output: Output, where: ProjectOptions, apps: tuple[str, ...]) -> ExitStatus:
    """Show the safe ranges; nothing is changed, and no database is asked."""
    from migsync.cli.recovery import settle_files
    from migsync.cli.views.findings import findings_blocks
    from migsync.refactor.preconditions import broken, chosen_apps
    from migsync.refactor.squash.safe_ranges import assess, find_safe_ranges
    from migsync.sync.survey import open_survey

    project = where.project()
    settle_files(output, project)
    with open_survey(project) as survey:
        history = survey.history
        errors = broken(history)
        output.tell(findings_blocks([*survey.findings, *errors], shorten=output.shorten))
        chosen = chosen_apps(history, apps)
        ranges = () if errors else assess(find_safe_ranges(history, chosen), history.migrations)
        files = sum(len(history.names(app)) for app in chosen)
        if output.json:
            findings = [finding.as_dict() for finding in (*survey.findings, *errors)]
            output.document({**_suggestion_document(history, ranges, files), "findings": findings})
        if errors:
            return ExitStatus.REFUSED
        output.show(_suggestion_blocks(history, ranges, files, shorten=output.shorten))
        return ExitStatus.DONE


def _suggestion_blocks(history: History, ranges: Sequence[SafeRange], files: int, *, shorten: bool) -> list[Block]:
    """Each range with what to type, what it saves, why it ends there, and its risks; then the sum of `files`."""
    blocks: list[Block] = []
    for app, found in groupby(ranges, lambda safe: safe.app):
        blocks += [line(Span(app, Style.HEADING), f"  {count(len(history.names(app)), 'migration')}")]
        for safe in found:
            blocks += _range_blocks(history, safe, shorten)
        blocks.append(EMPTY)
    return [*blocks, *_sum(ranges, files)]


def _range_blocks(history: History, safe: SafeRange, shorten: bool) -> Iterator[Block]:
    yield line(
        Span(_command(history, safe.keys), Style.COMMAND), f"  saves {count(safe.saves, 'file')}", indent=2, hang=2
    )
    in_parts = _in_parts(history, safe)
    # An engine that alters no table after it has changed its rows takes the range in parts only. Where no such cut is
    # needed, the one part is the range itself, and is not shown twice.
    if in_parts != [_command(history, safe.keys)]:
        label = Span(f"on {', '.join(engine.title for engine in _strict_engines())}: ", Style.DIM)
        for command in in_parts:
            yield line(label, Span(command, Style.COMMAND), indent=4)
        if not in_parts:
            yield line(label, "none of them can be squashed together, because they change data.", indent=4)
    yield line(Span("starts here: ", Style.DIM), f"{safe.before.why}.", indent=4, hang=13)
    yield line(Span("ends here:   ", Style.DIM), f"{safe.after.why}.", indent=4, hang=13)
    risks, hidden = cut(safe.risks, RISKS, shorten=shorten)
    for risk in risks:
        yield line(Span("risk: ", Style.WARNING), f"{risk}.", indent=4, hang=6)
    yield from more(hidden, indent=4)


def _sum(ranges: Sequence[SafeRange], files: int) -> Iterator[Block]:
    if not ranges:
        yield line(f"No range of these {count(files, 'file')} is safe to squash.")
        return
    saved, at_once = sum(safe.saves for safe in ranges), _saved_at_once(ranges)
    yield line(
        f"{count(len(ranges), 'range')} would save {saved} of {count(files, 'file')}. All in one step: ", _all(ranges)
    )
    if at_once < saved:
        engines = ", ".join(engine.title for engine in _strict_engines())
        yield line(
            f"This splits a range after each migration that changes data, as {engines} requires, and leaves out files "
            f"whose operations are computed when they are imported. It saves {count(at_once, 'file')}."
        )


def _saved_at_once(ranges: Sequence[SafeRange]) -> int:
    from migsync.refactor.squash.safe_ranges import transactions

    return sum(len(part) - 1 for safe in ranges for part in transactions(safe))


def _all(ranges: Sequence[SafeRange]) -> Span:
    apps = {safe.app for safe in ranges}
    command = f"migsync squash {' '.join([*(apps if len(apps) == 1 else ()), '--all-safe'])}"
    return Span(for_this_project(command), Style.COMMAND)


def _suggestion_document(history: History, ranges: Sequence[SafeRange], files: int) -> dict[str, Any]:
    """The same as JSON values."""
    return {
        "runs": [_document(history, safe) for safe in ranges],
        "saves": sum(safe.saves for safe in ranges),
        "all_safe_saves": _saved_at_once(ranges),
        "files": files,
    }


def _document(history: History, safe: SafeRange) -> dict[str, Any]:
    return {
        "app": safe.app,
        "first": safe.names[0],
        "last": safe.names[-1],
        "names": list(safe.names),
        "command": _command(history, safe.keys),
        **{f"on_{engine.name}": _in_parts(history, safe) for engine in _strict_engines()},
        "saves": safe.saves,
        "stops": {
            place: {"key": str(stop.key) if stop.key else None, "why": stop.why}
            for place, stop in (("before", safe.before), ("after", safe.after))
        },
        "risks": [
            {"name": risk.key.name, "line": risk.line, "hazard": risk.hazard.value, "what": risk.what}
            for risk in safe.risks
        ],
    }


def _in_parts(history: History, safe: SafeRange) -> list[str]:
    """What to type where one of `_strict_engines` is in use: the parts that can each be one transaction."""
    from migsync.refactor.squash.safe_ranges import transactions

    return [_command(history, part) for part in transactions(safe) if len(part) > 1]


def _strict_engines() -> list[Engine]:
    """The engines whose transactions, once they have changed rows, alter no table."""
    from migsync.engines import ENGINES

    return [engine for engine in ENGINES if not engine.schema_after_data]


def _command(history: History, keys: Sequence[Key]) -> str:
    from migsync.refactor.squash.ranges import ends

    return for_this_project(f"migsync squash {keys[0].app} {ends(history, keys)}")
