"""``migsync rewrite``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from migsync.cli.command import MigsyncCommand
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
from migsync.errors import ExitStatus, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migsync.project import Project
    from migsync.rewrites.name_changes import NameChanges
    from migsync.rewrites.rewrite import Rewrite
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
    these options, migsync reads the databases and writes what their records, git and the journals prove.
    """
    from migsync.sync.plan_request import PlanRequest
    from migsync.sync.survey import survey

    project = where.project()
    settle_files(output, project)
    names, databases = asked.names, asked.chosen.databases
    stated = any(values_of(names).values())
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
    # What a person states needs no database. But where there is one, its records are evidence.
    with survey(project, request, needs_database=not stated) as found:
        made = _stated(found, asked) if stated else found.proposed
        output.show(_unchecked(found) if stated else _open_questions(found))
    if made is None:
        output.show([line(Span("Nothing to write: every proven rename has a rewrite already.", Style.GOOD))])
        output.document({"rewrite": None, "path": None})
        return ExitStatus.DONE
    return _keep(output, project, made, dry_run=asked.dry_run)


def _keep(output: Output, project: Project, made: Rewrite, *, dry_run: bool) -> ExitStatus:
    from migsync.rewrites.rewrite_files import to_toml, write_rewrite

    path = None if dry_run else write_rewrite(project.rewrites, made)
    if path:
        output.show(
            [
                *_facts(made, shorten=output.shorten),
                line("Wrote a rewrite. Commit it with the migrations: ", Span(near(path), Style.COMMAND)),
            ]
        )
    elif output.text:
        output.raw(to_toml(made))
    output.document({"rewrite": made.as_dict(), "path": str(path) if path else None})
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
