"""Who carries out a plan for a command: its own process, or others that it asks to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypedDict, Unpack

if TYPE_CHECKING:
    from threading import Event

    from migsync.sync.apply import Outcome
    from migsync.sync.plan import Plan
    from migsync.sync.target import Target


class RunArguments(TypedDict):
    """What a run of a plan takes besides, as :func:`migsync.sync.apply.apply_plan` does."""

    run_id: str
    lock_timeout: float
    journal: bool
    reason: str
    commit_sent: Event


class Applier(Protocol):
    """Carries out plans. Used by several threads at a time."""

    def apply(self, target: Target, plan: Plan, **run: Unpack[RunArguments]) -> Outcome:
        """As :func:`migsync.sync.apply.apply_plan` does."""

    def interrupt(self) -> None:
        """Ctrl-C was pressed: what has not begun must not begin. Called in the main thread."""


@dataclass(frozen=True)
class LocalApplier:
    """The command carries out the plans itself. `use_tz` is what the project's settings say."""

    use_tz: bool = False

    def apply(self, target: Target, plan: Plan, **run: Unpack[RunArguments]) -> Outcome:
        """At the present time, where the plan waits for that."""
        from migsync.sync.apply import apply_plan
        from migsync.sync.stated_records import timed

        return apply_plan(target, timed(plan, target, use_tz=self.use_tz), **run)

    def interrupt(self) -> None:
        """Nothing: a run that has begun is finished."""
