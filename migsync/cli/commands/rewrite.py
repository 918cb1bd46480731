"""``migsync rewrite``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from migsync.cli.command import MigsyncCommand
from migsync.cli.next_command import for_this_project
from migsync.cli.options import (
    AGAINST_EVIDENCE,
    NameOptions,
    ProjectOptions,
    TargetOptions,
    flag,
    group,
    option_group,
    options,
    values_of,
)
from migsync.cli.output import Output
from migsync.cli.recovery import settle_files
from migsync.cli.views.blocks import EMPTY, Block, Span, Style, line, near
from migsync.cli.views.lists import cut, more
from migsync.errors import ExitStatus, ProjectError, UsageError
from migsync.words import text_list

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from migsync.check.comparison import Comparison
    from migsync.project import Project
    from migsync.rewrites.name_changes import NameChanges
    from migsync.rewrites.rewrite import Rewrite
    from migsync.sync.plan_request import PlanRequest
    from migsync.sync.survey import Survey

SHOWN = 20
"""On a terminal, so many names of one app are shown."""


@option_group
class RewriteOptions:
    """What ``migsync rewrite`` writes down."""

    names: NameOptions = group(NameOptions)
    accept: bool = flag(help="Accept renames that are likely but not proven. Not with --map, --collapse or --remove.")
    third_party: bool = flag(
        help="Write a rewrite for an app of an installed package, which ships none itself. With --map, --collapse and "
        "--remove."
    )
    against_evidence: bool = flag(help=AGAINST_EVIDENCE)
    dry_run: bool = flag(help="Show the rewrite, and do not write it.")
    chosen: TargetOptions = group(TargetOptions)


@click.command(
    cls=MigsyncCommand,
    short_help="Write a rewrite for names that were changed by hand.",
    examples="""
    migsync rewrite                                         # for every name whose change is proven
    migsync rewrite --map shop.0003_b=0002_b                # 0003_b was renamed to 0002_b
    migsync rewrite --collapse shop.0002_x=0003_y+0004_z    # 0003_y and 0004_z became 0002_x
    migsync rewrite --remove shop.0005_merge                # 0005_merge was removed
    migsync rewrite --map shop.0002_b=0003_b --new shop.0002_b   # a new file has the old name
    migsync rewrite --third-party --map taggit.0003_x=0003_y     # an installed package renamed a file
    """,
)
@options(RewriteOptions, ProjectOptions)
def rewrite(output: Output, asked: RewriteOptions, where: ProjectOptions) -> ExitStatus:
    """Write a rewrite for migration files that you renamed, united or removed by hand.

    A rewrite is a file to commit with the migrations. It states which name became which, so that `migsync apply` can
    update every database.

    State the changes with --map, --collapse and --remove; the files on disk must have the new names already. Without
    these options, migsync first compares the files with the commit at which this branch left the main branch, as
    `migsync check` does. Then it reads the databases, and writes what their records, git and the journals prove.

    The exit status is 1 if a database could not be read: it may hold names that no rewrite explains.
    """
    from migsync.sync.plan_request import PlanRequest
    from migsync.sync.survey import survey

    names, databases = asked.names, asked.chosen.databases
    stated = any(values_of(names).values())
    # What a person states needs no database, and what git proves neither.
    project = where.project(files_only=not databases)
    settle_files(output, project)
    if stated and (asked.accept or databases):
        raise UsageError("--accept and --database cannot be combined with --map, --collapse, --remove and --new.")
    if asked.third_party and not stated:
        raise UsageError(
            "--third-party needs --map, --collapse or --remove.",
            "What became of the names of an installed package is not worked out: git has no files of it.",
            "State it: migsync rewrite --third-party --map APP.OLD=NEW",
        )
    request = PlanRequest(
        databases=databases,
        accept=asked.accept,
        against_evidence=asked.against_evidence,
        third_party=asked.third_party,
        **values_of(names),
    )
    if not stated:
        return _worked_out(output, project, request, dry_run=asked.dry_run)
    # Where there is a database, its records are evidence.
    with survey(project, request, needs_database=False) as found:
        made = _stated(found, asked)
        output.show(_unchecked(found))
    return _keep(output, project, [made] if made else [], dry_run=asked.dry_run)


def _worked_out(output: Output, project: Project, request: PlanRequest, *, dry_run: bool) -> ExitStatus:
    """Write what a comparison with the main branch proves, and what the databases prove besides."""
    from migsync.sync.survey import survey

    comparison = _compared(output, project)
    compared = comparison.proposed if comparison else None
    with survey(project, request, proposed=compared, needs_database=False) as found:
        made = [each for each in (compared, found.proposed) if each]
        output.show(_open_questions(found))
        unread = list(_unread(found))
    if project.is_library and not made:
        return _nothing_for_library(output, comparison)
    status = _keep(output, project, made, dry_run=dry_run, looked=not unread)
    output.tell(unread)
    return ExitStatus.REFUSED if unread else status


def _nothing_for_library(output: Output, comparison: Comparison | None) -> ExitStatus:
    """A library has no database to ask, so that nothing was found says no more than what git could compare."""
    output.document({"rewrite": None, "path": None, "rewrites": []})
    if comparison is None or comparison.base is None:
        state = "To state which name became which: migsync rewrite --map APP.OLD=NEW"
        output.tell(
            [line("Nothing was compared: a library has no database, and git has no older commit."), line(state)]
        )
        return ExitStatus.REFUSED
    base, older = comparison.base.label, for_this_project("migsync check --against REV --write")
    output.show(
        [
            line(Span(f"Nothing to write: since {base}, every change of names has a rewrite.", Style.GOOD)),
            line(
                "To compare with an older release: ",
                Span(older, Style.COMMAND),
            ),
        ]
    )
    return ExitStatus.DONE


def _compared(output: Output, project: Project) -> Comparison | None:
    """The comparison with the main branch, and the rewrite that it proposes; where git cannot tell, that is said."""
    from migsync.check.comparison import compare
    from migsync.filesystem.git import repository_of
    from migsync.project.root import find_root

    if repository_of(project.root.resolve()) is None:
        return None
    try:
        return compare(find_root(project.root, root=project.root))
    except ProjectError as error:
        output.tell([line(f"Not compared with an older commit: {error.found}"), EMPTY])
        return None


def _unread(found: Survey) -> Iterator[Block]:
    """The databases whose names are not known."""
    from migsync.cli.views.findings import error_blocks, findings_blocks
    from migsync.findings.project import settings_not_imported
    from migsync.worker.runtime import LIBRARY_SETTINGS

    project = found.project
    yield from findings_blocks([each for each in found.findings if each.code == settings_not_imported.code])
    for alias, error in found.errors.items():
        yield line(Span(alias, Style.HEADING), "  could not be read")
        yield from error_blocks(error, indent=2)
    if found.errors or not (project.targets() or project.settings_module == LIBRARY_SETTINGS):
        what = text_list(found.errors) or "no database of this project"
        verb = "could not be read" if found.errors else "is known"
        yield line(f"Not all names are known: {what} {verb}, and may hold names that no rewrite explains.")


def _keep(
    output: Output, project: Project, made: Sequence[Rewrite], *, dry_run: bool, looked: bool = True
) -> ExitStatus:
    """Write the rewrites; where there is none, that is said if it was `looked` everywhere."""
    from migsync.rewrites.rewrite_files import to_toml, write_rewrite

    written: list[dict[str, Any]] = []
    for each in made:
        path = None if dry_run else write_rewrite(project.rewrites, each)
        written.append({"rewrite": each.as_dict(), "path": str(path) if path else None})
        if path:
            told = line("Wrote a rewrite. Commit it with the migrations: ", Span(near(path), Style.COMMAND))
            output.show([*_facts(each, shorten=output.shorten), told])
        elif output.text:
            output.raw(to_toml(each))
    if looked and not made:
        output.show([line(Span("Nothing to write: every proven rename has a rewrite already.", Style.GOOD))])
    output.document({**(written[0] if written else {"rewrite": None, "path": None}), "rewrites": written})
    return ExitStatus.DONE


def _facts(made: Rewrite, *, shorten: bool) -> list[Block]:
    """What the rewrite says, app by app."""
    blocks: list[Block] = []
    for app, change in sorted(made.apps.items()):
        found = [f"{old} -> {new}" for old, new in change.renamed]
        found += [f"{' + '.join(olds)} -> {' + '.join(news)}" for olds, news in change.collapsed]
        found += [f"{name} removed" for name in change.removed]
        shown, hidden = cut(found, SHOWN, shorten=shorten)
        blocks += [line(Span(app, Style.HEADING)), *(line(text, indent=2) for text in shown), *more(hidden, indent=2)]
    return blocks


def _open_questions(found: Survey) -> list[Block]:
    from migsync.cli.views.findings import findings_blocks

    blocks: list[Block] = []
    for plan in found.plans:
        if plan.findings:
            blocks += [line(Span(plan.target.alias, Style.HEADING)), *findings_blocks(plan.findings, indent=2), EMPTY]
    return blocks


def _unchecked(found: Survey) -> list[Block]:
    """What could not be compared with the statements."""
    from migsync.cli.views.findings import findings_blocks
    from migsync.findings.pairs import unchecked_name

    blocks = findings_blocks([finding for finding in found.findings if finding.code == unchecked_name.code])
    for alias, error in found.errors.items():
        blocks.append(line(f"Not compared with the records of {alias}, which cannot be read: {error.found}"))
    return [*blocks, *([EMPTY] if blocks else [])]


def _stated(found: Survey, asked: RewriteOptions) -> Rewrite | None:
    """The rewrite of what was stated, without what is proven of other apps."""
    from migsync.rewrites.name_changes import parse_changes

    names = asked.names
    changes = parse_changes(names.maps, names.collapses, names.removes, names.news)
    if known := _known_already(found, changes):
        return known
    made = found.proposed
    options = {"--map": names.maps, "--collapse": names.collapses, "--remove": names.removes, "--new": names.news}
    apps = {app: change for app, change in made.apps.items() if app in changes} if made else {}
    if not (made and apps):
        return None
    words = [f"{option} {value}" for option, values in options.items() for value in values]
    command = " ".join(["rewrite", *(["--third-party"] if asked.third_party else []), *words])
    return replace(made, command=command, apps=apps, third_party=asked.third_party)


def _known_already(found: Survey, changes: Mapping[str, NameChanges]) -> Rewrite | None:
    """The newest rewrite, where it says all of this: the same command twice writes one file."""
    from migsync.rewrites.name_changes import says

    for known in reversed(found.rewrites.ordered):
        if changes.keys() == known.apps.keys() and all(
            says(known.apps[app], asked) and set(known.apps[app].after) <= set(found.history.names(app))
            for app, asked in changes.items()
        ):
            return known
    return None
