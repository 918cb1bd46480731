"""The proof: the old and the new files, each in a process of its own, and what differs between their reports."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from migsync.files.proposal import Proposal
from migsync.findings import Finding, Severity
from migsync.project import Project
from migsync.proof.identities import Identities
from migsync.proof.plans import FRESH, Recorded, compare_plans
from migsync.proof.states import differences, equal_apps, relabelled
from migsync.words import count
from migsync.worker.client import Answer, Failure, Worker, ask, overlay

__all__ = ["Facts", "Identities", "Proof", "Recorded", "prove"]


@dataclass(frozen=True)
class Facts:
    """What was looked at: `migrations` loaded from the new files, `apps` whose state is equal and their `models`.

    `targets` are the databases whose plans were compared, a fresh one not counted; `seconds` the whole took. Without
    `compared`, the old files did not load, and only the new ones and the models were looked at.
    """

    migrations: int = 0
    apps: int = 0
    models: int = 0
    targets: int = 0
    seconds: float = 0.0
    compared: bool = True

    @property
    def words(self) -> tuple[str, ...]:
        """The same as sentences; they hold for a proof that is not blocked."""
        loaded = f"Django loads {count(self.migrations, 'migration')}."
        if not self.compared:
            return (loaded, "`makemigrations --check` finds nothing.")
        yours = f" and for {count(self.targets, 'database')} of yours" if self.targets else ""
        return (
            loaded,
            f"The state is equal in {count(self.apps, 'app')} ({count(self.models, 'model')}).",
            "`makemigrations --check` finds nothing new.",
            f"`migrate --plan` is the same for a fresh database{yours}.",
        )


@dataclass(frozen=True)
class Proof:
    """The result. Only when it is not `blocked` is anything proven."""

    findings: tuple[Finding, ...] = ()
    facts: Facts = field(default_factory=Facts)

    @property
    def blocked(self) -> bool:
        """True when a finding refuses the proposal."""
        return any(finding.blocks for finding in self.findings)


def prove(
    project: Project,
    proposal: Proposal,
    targets: Sequence[Recorded] = (),
    *,
    identities: Identities | None = None,
    workers: Sequence[Worker] = (),
) -> Proof:
    """Prove a proposal by Django's own loader; no file is written and no database is asked.

    `targets` say what is recorded where; a fresh database is always among those whose plans are compared.
    `identities` say which migration is which, where the proposal's rewrite does not. `workers` are those of
    :func:`workers_ahead`. Raises ProjectError where there
    are no settings to start Django with.
    """
    started = time.monotonic()
    identities = identities or Identities.of(proposal.rewrite, proposal.replaced, proposal.anew)
    targets = (FRESH, *targets)
    common = {"task": "examine"}
    old, new = ask(
        project,
        [
            {
                **common,
                "names": identities.renamed,
                "targets": [_sorted(target.before) for target in targets],
                "labels": identities.labels_before,
            },
            {**common, "names": {}, "targets": [_sorted(target.after) for target in targets]},
        ],
        [{}, overlay(proposal.files)],
        workers,
    )
    findings = tuple(_findings(proposal, old, new, targets, identities))
    return Proof(findings, _facts(old, new, targets, identities, time.monotonic() - started))


def _facts(old: Answer, new: Answer, targets: Sequence[Recorded], identities: Identities, seconds: float) -> Facts:
    if new.failure:
        return Facts(seconds=seconds, compared=False)
    models = new.report["models"]
    number = sum(map(len, models.values()))
    if old.failure:
        return Facts(new.report["migrations"], models=number, seconds=seconds, compared=False)
    equal = equal_apps(relabelled(old.report["models"], identities.labels), models)
    return Facts(new.report["migrations"], equal, number, len(targets) - 1, seconds)


def _findings(
    proposal: Proposal, old: Answer, new: Answer, targets: Sequence[Recorded], identities: Identities
) -> Iterator[Finding]:
    if new.failure:
        yield _broken(new.failure, old.failure)
        return
    yield from _leaves(proposal.leaves, old.report.get("leaves"), new.report["leaves"], identities.labels)
    if old.failure:
        yield _nothing_to_compare(old.failure)
        yield from _changes([], new.report["changes"])
        return
    state = relabelled(old.report["models"], identities.labels)
    yield from differences(state, new.report["models"])
    yield from _changes(old.report["changes"], new.report["changes"])
    for target, before, after in zip(targets, old.report["targets"], new.report["targets"], strict=True):
        yield from compare_plans(target, before, after, identities)


def _broken(new: Failure, old: Failure | None) -> Finding:
    """The new files do not get through, and whether the old ones do."""
    if old is not None and (old.stage, old.error) == (new.stage, new.error):
        what = "It is so with the files as they are: that must be mended first, since nothing can be proven."
    else:
        what = (
            "It is so only with the proposal's files." if old is None else f"With the files as they are: {old.sentence}"
        )
    return Finding(
        "proof-failed",
        Severity.ERROR,
        new.sentence,
        what,
        app=new.key[0],
        name=new.key[1],
        file=new.file,
        line=new.line,
        operation=new.operation,
    )


def _nothing_to_compare(old: Failure) -> Finding:
    return Finding(
        "nothing-to-compare",
        Severity.WARNING,
        f"The files as they are cannot be compared with. {old.sentence}",
        "The new files load, and must make the state that the models have.",
        file=old.file,
        line=old.line,
    )


def _leaves(
    promised: Mapping[str, int],
    old: Mapping[str, Sequence[str]] | None,
    new: Mapping[str, Sequence[str]],
    labels: Mapping[str, str],
) -> Iterator[Finding]:
    before = {labels.get(app, app): len(names) for app, names in (old or {}).items()}
    for app, number in sorted({**before, **promised}.items()):
        names = new.get(app, ())
        if len(names) != number:
            yield Finding(
                "leaves",
                Severity.ERROR,
                f"{app} would end in {len(names)} migrations ({', '.join(sorted(names)) or 'none'}), not in {number}.",
                app=app,
            )


def _changes(old: Sequence[Sequence[str]], new: Sequence[Sequence[str]]) -> Iterator[Finding]:
    """Changes of the models that no migration holds: only those that are new refuse."""
    there = Counter((app, full) for app, _, full in old)
    pending: Counter[str] = Counter()
    for app, words, full in new:
        if there[app, full]:
            there[app, full] -= 1
            pending[app] += 1
            continue
        yield Finding(
            "model-changes",
            Severity.ERROR,
            f"`makemigrations` would add to {app}: {words}.",
            "The new files do not make the state that the models have, where the old ones did.",
            app=app,
        )
    if pending:
        counts = ", ".join(f"{app} ({number})" for app, number in sorted(pending.items()))
        yield Finding(
            "changes-pending",
            Severity.INFO,
            f"{count(pending.total(), 'model change')} without a migration, before and after: {counts}.",
            hint="They are no matter here. To make the migrations: python manage.py makemigrations",
        )


def _sorted(keys: Any) -> list[list[str]]:  # noqa: ANN401
    return [list(key) for key in sorted(keys)]
