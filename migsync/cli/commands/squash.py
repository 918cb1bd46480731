"""``migsync squash``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from migsync.cli.command import MigsyncCommand
from migsync.cli.options import ProjectOptions, arguments, flag, option, options
from migsync.cli.output import Output
from migsync.cli.refactor import FORMATS, ProvenRefactorOptions, rewrite_files
from migsync.errors import ExitStatus, UsageError

if TYPE_CHECKING:
    from migsync.files.reshape import Reshape
    from migsync.refactor.ground import Ground
    from migsync.refactor.squash.squash import Choice


@dataclass(frozen=True)
class SquashOptions:
    """Which range ``migsync squash`` is about, and how it is squashed."""

    words: tuple[str, ...] = arguments(metavar="[APP FIRST LAST | APP...]")
    suggest: bool = flag(help="Only list the runs of each APP (default: all) that are safe to squash.")
    all_safe: bool = flag(help="Squash every such run of each APP (default: all), in one step.")
    squashed_name: str = option(default="", metavar="NAME", help="What the squash is called, after its number.")
    no_optimize: bool = flag(help="Keep every operation as it is.")
    keep_replaces: bool = flag(
        help="Django's way in two phases: the squash has `replaces`, and the old files stay until migsync tidy."
    )
    split: bool = flag(help="Make several squashes of the range where one would be refused.")

    def check(self, output: Output) -> None:
        """Raise UsageError for what does not go together."""
        chosen = [option for option, given in (("--suggest", self.suggest), ("--all-safe", self.all_safe)) if given]
        of_range = [
            option for option, given in (("--squashed-name", self.squashed_name), ("--split", self.split)) if given
        ]
        if len(chosen) == 2 or (chosen and of_range):
            raise UsageError(f"{' and '.join([*chosen, *of_range])} do not go together.", hint="migsync squash --help")
        if self.squashed_name and not re.fullmatch(r"\w+", self.squashed_name):
            raise UsageError(
                f"--squashed-name {self.squashed_name}: not a word.",
                hint="Letters, digits and underscores: --squashed-name prices",
            )
        if self.suggest and output.form == "sql":
            raise UsageError("--suggest changes no record: it has no SQL.", hint="--format text or --format json")
        if not chosen and len(self.words) != 3:
            raise UsageError(
                "A range is APP FIRST LAST.", hint="Which ranges are safe to squash: migsync squash --suggest"
            )

    def reshape(self, ground: Ground) -> Reshape:
        """Choose the ranges, have the project's Django compose their files, and put the two together."""
        from migsync.refactor.squash.squash import compose_all, squash

        project, history = ground.survey.project, ground.survey.history
        choice, answers = compose_all(project, self._choose(ground), optimize=not self.no_optimize)
        return squash(history, choice, answers)

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
    short_help="Put one migration in the place of a range, and say which ranges are safe.",
    examples="""
    migsync squash --suggest                      # which runs are safe, what each saves, what it stops at
    migsync squash orders 0002 0006 --dry-run     # every file, name and database, and what is proven
    migsync squash orders 0002 0006 --update-db   # files, dependants and the records of all databases in one step
    migsync squash --all-safe --allow-applied     # every safe run; the databases later, with migsync apply
    migsync squash shop 0002 0009 --split         # in parts, where one squash would be refused
    """,
)
@options(SquashOptions, ProvenRefactorOptions, formats=FORMATS)
def squash(output: Output, asked: SquashOptions, refactor: ProvenRefactorOptions) -> ExitStatus:
    """Squash the migrations of APP from FIRST to LAST (names, or how they begin) into one.

    The squash takes their place at once: whatever depended on them, in any app, depends on it, their files go, and in
    every database the record of the last becomes that of the squash, with its time. A database that has applied only
    some of them is refused before anything is written: migrate it first.
    """
    asked.check(output)
    if asked.suggest:
        return _suggest(output, refactor.project, asked.words)
    return rewrite_files(output, refactor, asked.reshape)


def _suggest(output: Output, where: ProjectOptions, apps: tuple[str, ...]) -> ExitStatus:
    """Show the runs; nothing is changed, and no database is asked."""
    from migsync.cli.recovery import settle_files
    from migsync.cli.views.findings import findings_blocks
    from migsync.cli.views.suggestions import suggestion_blocks, suggestion_document
    from migsync.refactor.preconditions import broken, chosen_apps
    from migsync.refactor.squash.safe_ranges import assess, find_safe_ranges
    from migsync.sync.planning import open_survey

    project = where.project()
    settle_files(output, project)
    with open_survey(project) as survey:
        history = survey.history
        errors = broken(history)
        output.tell(findings_blocks([*survey.findings, *errors]))
        chosen = chosen_apps(history, apps)
        runs = () if errors else assess(find_safe_ranges(history, chosen), history.migrations)
        files = sum(len(history.names(app)) for app in chosen)
        if output.json:
            findings = [finding.as_dict() for finding in (*survey.findings, *errors)]
            output.document({**suggestion_document(history, runs, files), "findings": findings})
        if errors:
            return ExitStatus.REFUSED
        output.show(suggestion_blocks(history, runs, files, shorten=output.shorten))
        return ExitStatus.DONE
