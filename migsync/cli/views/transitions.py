"""The to-do list of squashes as text and as JSON: the steps of each transition, and where each database stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from migsync.cli.views.blocks import EMPTY, Block, Span, Style, line, table
from migsync.words import count, truncated

if TYPE_CHECKING:
    from migsync.refactor.tidy import DatabaseProgress, SquashTransition, Step

STATUS = {"done": Style.GOOD, "open": Style.WARNING, "blocked": Style.BAD}
SHOWN = 3


def transitions_blocks(found: Sequence[SquashTransition]) -> list[Block]:
    """Each squash with its steps and the databases, and what to do next."""
    if not found:
        return [line(Span("Nothing to do: no squash stands open.", Style.GOOD))]
    blocks: list[Block] = []
    for each in found:
        blocks += [EMPTY] if blocks else []
        squash = each.squash
        verb = "replaced" if squash.settled else "replaces"
        what = f"{verb} {count(len(squash.replaced), 'migration')}, {len(squash.files)} of them on disk"
        blocks += [line(Span(str(squash.key), Style.HEADING), f"  {what}")]
        blocks += [table(("step", "", "what is left"), [_row(step, each.places) for step in each.steps])]
        if each.places:
            blocks += [table(("database", "standing", "old rows", "not applied"), map(_place_row, each.places))]
        blocks += [_next(each)]
    return blocks


def _row(step: Step, places: Sequence[DatabaseProgress]) -> tuple[Span | str, ...]:
    left = ", ".join(truncated(step.keys, SHOWN, spare=1))
    if step.name == "rows":
        left = ", ".join(f"{len(place.rows)} in {place.alias}" for place in places if place.rows)
    return step.name, Span(step.status, STATUS[step.status]), left or "; ".join(step.blockers)


def _place_row(place: DatabaseProgress) -> tuple[Span | str, ...]:
    style = Style.GOOD if place.past else Style.BAD
    missing = ", ".join(truncated(place.missing, SHOWN, spare=1)) if place.state == "partly recorded" else ""
    return Span(place.alias, Style.HEADING), Span(place.state, style), str(len(place.rows)), missing or place.error


def _next(transition: SquashTransition) -> Block:
    """The command to type, or what has to be cleared away before."""
    squash = transition.squash
    if transition.blockers:
        return line("Blocked: ", Span("; ".join(transition.blockers), Style.BAD), indent=2)
    if squash.settled:
        command = " ".join(["migsync apply", *(f"-d {place.alias}" for place in transition.places)])
    else:
        command = f"migsync tidy {squash.key.app}{' --remove-replaced' if squash.files else ''}"
    return line("Next: ", Span(command, Style.COMMAND), indent=2)


def transitions_document(transition: SquashTransition) -> dict[str, Any]:
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
