"""Questions to a person, and what happens when there is nobody to ask."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from migsync.cli.next_command import same_command
from migsync.cli.output import Output
from migsync.cli.views.blocks import EMPTY, Span, Style, line
from migsync.cli.views.width import UNBOUNDED, width_of
from migsync.errors import NOTHING_CHANGED, Interrupted, NeedsConsent, UsageError

if TYPE_CHECKING:
    from migsync.rewrites.evidence.pairs import Pair
    from migsync.sync.plan import Plan
    from migsync.sync.plan_request import PlanRequest


def require_consent_possible(output: Output, *, noinput: bool) -> None:
    """Raise NeedsConsent where a confirmation is needed and nobody can give it."""
    if not noinput and not output.can_ask:
        raise NeedsConsent(
            "migsync cannot ask for confirmation: this is not a terminal."
            if output.text
            else f"migsync cannot ask for confirmation with --format {output.form}.",
            NOTHING_CHANGED,
            f"To see what would change: {same_command('--dry-run')}\nTo do it: {same_command('--noinput')}",
        )


def require_yes(question: str, *, noinput: bool, show: Callable[[], None] | None = None) -> None:
    """Ask, with No as the answer of a bare Enter; raise Interrupted for No. The answer `d` is to `show` more first."""
    if noinput:
        return
    answer = _answer(_fitted(question), show) if show else click.confirm(_fitted(question), default=False)
    if not answer:
        raise Interrupted(f"Cancelled. {NOTHING_CHANGED}")


def _fitted(question: str) -> str:
    """The question on lines that fit the terminal, with room for the answers behind the last one."""
    from migsync.cli.views.layout import lay_out  # only questions need it here

    width = (width_of(sys.stdout) or UNBOUNDED) - len(" [y/N/d]: ")
    return "\n".join("".join(span.text for span in spans) for spans in lay_out(line(question), width))


def _answer(question: str, show: Callable[[], None]) -> bool:
    answers = click.Choice(("y", "yes", "n", "no", "d"), case_sensitive=False)
    while (
        answer := click.prompt(f"{question} [y/N/d]", default="n", type=answers, show_default=False, show_choices=False)
    ) == "d":
        show()
    return answer.startswith("y")


def require_reason(output: Output, plans: Iterable[Plan], reason: str, *, noinput: bool) -> str:
    """The reason for the log, which a person has to give where a plan rests on their word alone."""
    from migsync.sync.stated_records import is_repair, is_stated

    plans = list(plans)
    if any(map(is_repair, plans)):
        return f"repair: {reason}" if reason else "repair"
    if reason or not any(map(is_stated, plans)):
        return reason
    if noinput or not output.can_ask:
        raise UsageError(
            "--record and --unrecord need a reason.",
            f"They rest on your word alone, so the log says why. {NOTHING_CHANGED}",
            f"Give it: {same_command('--reason', 'TEXT', *(['--noinput'] if noinput else []))}",
        )
    return str(click.prompt("Reason, for the log"))


def ask_pairs(output: Output, pairs: Iterable[Pair], request: PlanRequest) -> PlanRequest:
    """Ask about each likely pair, and add those that a person says yes to. A name is taken once."""
    settled: set[tuple[str, str]] = set()
    for pair in pairs:
        olds, news = {(pair.app, name) for name in pair.old}, {(pair.app, name) for name in pair.new}
        if settled & (olds | news):  # a yes before has decided about one of these names
            continue
        output.show([EMPTY, line(_claim(pair)), *(line(reason, indent=2) for reason in pair.reasons)])
        if click.confirm("Is that right?", default=False):
            settled |= olds | news
            request = _with(request, pair)
    return request


def ask_backwards(output: Output, plans: Iterable[Plan]) -> bool:
    """Whether a person wants the databases that are ahead of the files to go back; True where there is none.

    Raises Interrupted for a No where no other database has anything to say.
    """
    from migsync.cli.views.findings import findings_blocks
    from migsync.findings.backwards import database_ahead

    plans = list(plans)
    waiting = [plan for plan in plans if plan.waits_for_word]
    for plan in waiting:
        findings = [finding for finding in plan.findings if finding.code == database_ahead.code]
        output.show([EMPTY, line(Span(plan.target.alias, Style.HEADING)), *findings_blocks(findings, indent=2)])
    if not waiting:
        return True
    aliases = ", ".join(plan.target.alias for plan in waiting)
    output.show([EMPTY])
    question = f"Go back to older names in {aliases}?"
    # With nothing else to do a No ends the command; else the other databases are still asked about.
    if all(plan in waiting or plan.empty for plan in plans):
        require_yes(question, noinput=False)
        return True
    return click.confirm(_fitted(question), default=False)


def _claim(pair: Pair) -> str:
    olds = ", ".join(f"{pair.app}.{name}" for name in pair.old)
    if not pair.new:
        return f"{olds} may be a merge that was removed."
    return f"{olds} may have become {', '.join(f'{pair.app}.{name}' for name in pair.new)}."


def _with(request: PlanRequest, pair: Pair) -> PlanRequest:
    """The request with one pair more, as if it had been given on the command line."""
    if not pair.new:
        return replace(request, removes=(*request.removes, f"{pair.app}.{pair.old[0]}"))
    if len(pair.old) == len(pair.new) == 1:
        return replace(request, maps=(*request.maps, f"{pair.app}.{pair.old[0]}={pair.new[0]}"))
    collapse = f"{pair.app}.{'+'.join(pair.new)}={'+'.join(pair.old)}"
    return replace(request, collapses=(*request.collapses, collapse))
