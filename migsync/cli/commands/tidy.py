"""``migsync tidy``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from migsync.cli.command import MigsyncCommand
from migsync.cli.options import arguments, flag, options
from migsync.cli.output import Output
from migsync.cli.recovery import settle_files
from migsync.cli.refactor import FORMATS, ProvenRefactorOptions, rewrite_files
from migsync.errors import ExitStatus

if TYPE_CHECKING:
    from migsync.files.reshape import Reshape
    from migsync.refactor.ground import Ground


@dataclass(frozen=True)
class TidyOptions:
    """How far ``migsync tidy`` goes."""

    apps: tuple[str, ...] = arguments(metavar="[APP]...")
    remove_replaced: bool = flag(help="Remove the old files too, and with them `replaces` and the rows.")
    assume_deployed: bool = flag(help="Take databases that cannot be reached to be past every squash already.")


@click.command(
    cls=MigsyncCommand,
    short_help="Finish squashes: dependants, old files, `replaces` and rows.",
    examples="""
    migsync tidy --dry-run                        # the to-do list: per app and per database, what is left
    migsync tidy                                  # point dependants to the squashes
    migsync tidy --remove-replaced --update-db    # and end it: old files, `replaces`, and rows in all databases
    migsync tidy shop --remove-replaced --allow-applied --assume-deployed  # rows later; some databases out of reach
    """,
)
@options(TidyOptions, ProvenRefactorOptions, formats=FORMATS)
def tidy(output: Output, asked: TidyOptions, refactor: ProvenRefactorOptions) -> ExitStatus:
    """Finish the squashes of each APP (default: all) whose files still say what they replace, whoever made them.

    Dependants are pointed to the squash; where the old files are gone, `replaces` is taken out, and the rows of the
    old names go. A database that has run only a part of a squash, or that is out of reach, refuses it by name.
    Without arguments, --dry-run lists the steps that are left.
    """
    from migsync.refactor.tidy import databases_of
    from migsync.refactor.tidy import tidy as tidied

    if refactor.consent.dry_run and not asked.apps and not asked.remove_replaced and output.form != "sql":
        return _to_do(output, refactor)

    def reshape(ground: Ground) -> Reshape:
        return tidied(
            ground.survey.history,
            databases_of(ground),
            apps=asked.apps,
            remove_replaced=asked.remove_replaced,
            assume_deployed=asked.assume_deployed,
        )

    return rewrite_files(output, refactor, reshape, assume_deployed=asked.assume_deployed)


def _to_do(output: Output, refactor: ProvenRefactorOptions) -> ExitStatus:
    """Show what is left of every transition; nothing is proposed, and nothing refuses."""
    from migsync.cli.views.findings import findings_blocks
    from migsync.cli.views.transitions import transitions_blocks, transitions_document
    from migsync.refactor.ground import survey_ground
    from migsync.refactor.preconditions import chosen_apps
    from migsync.refactor.tidy import databases_of, settled_transitions, transitions
    from migsync.sync.planning import open_survey

    project = refactor.project.project()
    settle_files(output, project, dry_run=True)
    with open_survey(project) as survey:
        ground = survey_ground(survey, refactor.where.databases)
        databases, apps = databases_of(ground), chosen_apps(survey.history, ())
        found = transitions(survey.history, databases, apps)
        found += settled_transitions(survey.history, survey.rewrites, databases, apps)
        found = tuple(sorted(found, key=lambda each: each.squash.key.app))
        findings = [*survey.findings, *(finding for finding in survey.history.findings if finding.blocks)]
        output.tell(findings_blocks(findings))
        output.show(transitions_blocks(found))
        output.document(
            {
                "status": "to do" if found else "nothing to do",
                "transitions": [transitions_document(each) for each in found],
                "findings": [finding.as_dict() for finding in findings],
            }
        )
    return ExitStatus.DONE
