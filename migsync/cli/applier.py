"""Who carries out a plan for a command: its own process, or others that it asks to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from threading import Event

    from migsync.sync.apply import Outcome
    from migsync.sync.plan import Plan
    from migsync.sync.target import Target


class Applier(Protocol):
    """Carries out plans. Used by several threads at a time."""

    def apply(
        self,
        target: Target,
        plan: Plan,
        *,
        run_id: str,
        lock_timeout: float,
        journal: bool,
        reason: str,
        commit_sent: Event,
    ) -> Outcome:
        """As :func:`migsync.sync.apply.apply_plan` does."""

    def interrupt(self) -> None:
        """Ctrl-C was pressed: what has not begun must not begin. Called in the main thread."""


@dataclass(frozen=True)
class LocalApplier:
    """The command carries out the plans itself. `use_tz` is what the project's settings say."""

    use_tz: bool = False

    def apply(
        self,
        target: Target,
        plan: Plan,
        *,
        run_id: str,
        lock_timeout: float,
        journal: bool,
        reason: str,
        commit_sent: Event,
    ) -> Outcome:
        """At the present time, where the plan waits for that."""
        from migsync.sync.apply import apply_plan
        from migsync.sync.stated_records import waits_for_time, with_time

        if waits_for_time(plan):
            plan = with_time(plan, target.read() or (), target.behaviour.applied_form, use_tz=self.use_tz)
        return apply_plan(
            target,
            plan,
            run_id=run_id,
            lock_timeout=lock_timeout,
            journal=journal,
            reason=reason,
            commit_sent=commit_sent,
        )

    def interrupt(self) -> None:
        """Nothing: a run that has begun is finished."""
