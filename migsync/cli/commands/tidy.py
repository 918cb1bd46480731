"""``migsync tidy``."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from migsync.alias import entry_of, schema_of
from migsync.cli.command import MigsyncCommand
from migsync.cli.next_command import for_this_project
from migsync.cli.options import arguments, flag, option_group, options
from migsync.cli.output import Output
from migsync.cli.recovery import settle_files
from migsync.cli.refactor import FORMATS, ProvenRefactorOptions, change_files
from migsync.cli.views.blocks import EMPTY, Block, Span, Style, line, table
from migsync.errors import ExitStatus
from migsync.sync.plan_groups import group_name, sentence_names, shortened_aliases
from migsync.words import count, truncated

if TYPE_CHECKING:
    from migsync.files.reshape import Reshape
    from migsync.refactor.ground import Ground
    from migsync.refactor.tidy import DatabaseProgress, SquashTransition, Step

STATUS = {"done": Style.GOOD, "open": Style.WARNING, "blocked": Style.BAD}
SHOWN = 3


@option_group
class TidyOptions:
    """How far ``migsync tidy`` goes."""

    apps: tuple[str, ...] = arguments(metavar="[APP]...")
    remove_replaced: bool = flag(help="Also remove the old files, and with them `replaces` and the old records.")
    assume_deployed: bool = flag(help="Assume that databases which cannot be reached have applied every squash.")


@click.command(
    cls=MigsyncCommand,
    short_help="Finish squashes: remove old files, `replaces` and old records.",
    examples="""
    migsync tidy --dry-run                        # list what is left to do, for each squash and database
    migsync tidy                                  # make dependencies point to the squashes
    migsync tidy --remove-replaced --update-db    # and remove the old files, `replaces` and the old records
    migsync tidy shop --remove-replaced --allow-applied --assume-deployed  # although some databases are out of reach
    """,
)
@options(TidyOptions, ProvenRefactorOptions, formats=FORMATS)
def tidy(output: Output, asked: TidyOptions, refactor: ProvenRefactorOptions) -> ExitStatus:
    """Finish the squashes of each APP that still have `replaces`. Default: every app of the project.

    Other migrations that depend on a replaced migration then depend on the squash. If the old files are gone, migsync
    removes `replaces`, and the records of the old names. It does not matter how the squashes were made.

    If a database has applied only a part of a squash, or cannot be reached, migsync refuses and names it. Without APP
    and --remove-replaced, --dry-run lists what is left to do.
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

    return change_files(output, refactor, reshape, assume_deployed=asked.assume_deployed)


def _to_do(output: Output, refactor: ProvenRefactorOptions) -> ExitStatus:
    """Show what is left of every transition; nothing is proposed, and nothing refuses."""
    from migsync.cli.views.findings import findings_blocks
    from migsync.refactor.ground import survey_ground
    from migsync.refactor.preconditions import chosen_apps
    from migsync.refactor.tidy import databases_of, settled_transitions, transitions
    from migsync.sync.survey import open_survey

    project = refactor.project.project()
    settle_files(output, project, dry_run=True)
    with open_survey(project) as survey:
        ground = survey_ground(survey, refactor.where.databases)
        databases, apps = databases_of(ground), chosen_apps(survey.history, ())
        found = transitions(survey.history, databases, apps)
        # Of squashes whose files are done, those are left that a database still has old rows of.
        found += settled_transitions(survey.history, survey.rewrites, databases, apps)
        found = tuple(sorted(found, key=lambda each: each.squash.key.app))
        findings = [*survey.findings, *(finding for finding in survey.history.findings if finding.blocks)]
        output.tell(findings_blocks(findings, shorten=output.shorten))
        output.show(_transitions_blocks(found))
        output.document(
            {
                "status": "to do" if found else "nothing to do",
                "transitions": [transition_document(each) for each in found],
                "findings": [finding.as_dict() for finding in findings],
            }
        )
    return ExitStatus.DONE


def _transitions_blocks(found: Sequence[SquashTransition]) -> list[Block]:
    """Each squash with its steps and the databases, and what to do next."""
    if not found:
        return [line(Span("Nothing to do: every squash is finished.", Style.GOOD))]
    blocks: list[Block] = []
    for each in found:
        blocks += [EMPTY] if blocks else []
        squash = each.squash
        verb = "replaced" if squash.settled else "replaces"
        what = f"{verb} {count(len(squash.replaced), 'migration')}, {len(squash.files)} of them on disk"
        blocks += [line(Span(str(squash.key), Style.HEADING), f"  {what}")]
        blocks += [table(("step", "", "left to do"), [_row(step, each.places) for step in each.steps], prose=True)]
        if each.places:
            header = ("database", "state", "old records", "not applied")
            blocks += [table(header, map(_place_row, _groups(each.places)), prose=True)]
        blocks += [_next(each)]
    return blocks


def _row(step: Step, places: Sequence[DatabaseProgress]) -> tuple[Span | str, ...]:
    left = ", ".join(truncated(step.keys, SHOWN, spare=1))
    if step.name == "rows":
        held: dict[int, list[str]] = {}
        for place in places:
            held.setdefault(len(place.rows), []).append(place.alias)
        left = ", ".join(f"{rows} in {name}" for rows, found in held.items() if rows for name in sentence_names(found))
    return step.name, Span(step.status, STATUS[step.status]), left or "; ".join(step.blockers)


def _groups(places: Sequence[DatabaseProgress]) -> Iterable[Sequence[DatabaseProgress]]:
    """Members of one entry that stand at the same point are one group."""
    groups: dict[tuple[object, ...], list[DatabaseProgress]] = {}
    for place in places:
        alias = entry_of(place.alias) if schema_of(place.alias) else place.alias
        groups.setdefault((alias, place.state, place.rows, place.missing), []).append(place)
    return groups.values()


def _place_row(group: Sequence[DatabaseProgress]) -> tuple[Span | str, ...]:
    place, name = group[0], group_name([each.alias for each in group])
    style = Style.GOOD if place.past else Style.BAD
    missing = ", ".join(truncated(place.missing, SHOWN, spare=1)) if place.state == "partly applied" else ""
    return Span(name, Style.HEADING), Span(place.state, style), str(len(place.rows)), missing or place.error


def _next(transition: SquashTransition) -> Block:
    """The command to type, or what has to be cleared away before."""
    squash = transition.squash
    if transition.blockers:
        return line("Blocked: ", Span("; ".join(transition.blockers), Style.BAD), indent=2)
    if squash.settled:
        names = shortened_aliases(place.alias for place in transition.places)
        command = " ".join(["migsync apply", *(f"-d {shlex.quote(name)}" for name in names)])
    else:
        command = f"migsync tidy {squash.key.app}{' --remove-replaced' if squash.files else ''}"
    return line("Next: ", Span(for_this_project(command), Style.COMMAND), indent=2)


def transition_document(transition: SquashTransition) -> dict[str, Any]:
    """One transition as JSON values."""
    squash = transition.squash
    return {
        "squash": str(squash.key),
        "app": squash.key.app,
        "replaces": [str(key) for key in squash.replaced],
        "settled": squash.settled,
        "dependants": {str(child): [str(key) for key in named] for child, named in squash.dependants.items()},
        "steps": [
            {
                "step": step.name,
                "status": step.status.value,
                "left": [str(key) for key in step.keys],
                "blockers": list(step.blockers),
            }
            for step in transition.steps
        ],
        "databases": [
            {
                "alias": place.alias,
                "standing": place.state.name.lower(),
                "past": place.past,
                "rows": [str(key) for key in place.rows],
                "missing": [str(key) for key in place.missing],
                **({"error": place.error} if place.error else {}),
            }
            for place in transition.places
        ],
    }
