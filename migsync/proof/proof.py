"""The proof: the old and the new files, each in a process of its own, and what differs between their reports."""

from __future__ import annotations

import functools
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from pathlib import Path

from migsync.files.proposal import FileChange, Proposal
from migsync.findings import Finding
from migsync.findings.overlap import cannot_run
from migsync.findings.proof import leaves, model_changes, models_ahead, nothing_to_compare, proof_failed
from migsync.history import Key
from migsync.progress import step
from migsync.project import Project
from migsync.proof.fact import Fact
from migsync.proof.identities import Identities
from migsync.proof.plans import FRESH, Recorded, compare_plans
from migsync.proof.states import differences, equal_apps, relabelled
from migsync.words import count
from migsync.worker.clash import Clash
from migsync.worker.client import Worker, ask
from migsync.worker.codec import Files
from migsync.worker.protocol import ExaminationRequest, ExaminationResult, ModelChange
from migsync.worker.task import EXAMINATION, WorkerFailure

Answer = ExaminationResult | WorkerFailure

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
    def proven(self) -> tuple[Fact, ...]:
        """The same one by one; they hold for a proof that is not blocked."""
        loaded = Fact("Django loads them", f"Django loads {count(self.migrations, 'migration')}.")
        if not self.compared:
            return (loaded, Fact("nothing for `makemigrations`", "`makemigrations --check` finds nothing."))
        yours = f" and for {count(self.targets, 'database')} of yours" if self.targets else ""
        return (
            loaded,
            Fact("same models", f"The state is equal in {count(self.apps, 'app')} ({count(self.models, 'model')})."),
            Fact("nothing new for `makemigrations`", "`makemigrations --check` finds nothing new."),
            Fact("same `migrate --plan`", f"`migrate --plan` is the same for a fresh database{yours}."),
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
    `identities` say which migration is which, where the proposal's rewrite does not. `workers` are those that
    :func:`migsync.worker.client.workers_ahead` has started. Raises ProjectError where there are no settings to start
    Django with.
    """
    started = time.monotonic()
    identities = identities or Identities.of(proposal.rewrite, proposal.replaced, proposal.anew, proposal.merges)
    identities = replace(identities, unordered=proposal.unordered)
    targets = (FRESH, *targets)
    old, new = ask(
        project.runtime(),
        EXAMINATION,
        [
            # The old state is rendered with the new names, so that both can be compared as they are.
            ExaminationRequest(
                identities.renamed, _keys(target.before for target in targets), identities.labels_before
            ),
            ExaminationRequest({}, _keys(target.after for target in targets)),
        ],
        [{}, overlay(proposal.files)],
        workers,
        called=("Proof, old files", "Proof, new files"),
    )
    with step("Comparing states and plans"):
        findings = tuple(_findings(proposal, old, new, targets, identities))
    return Proof(findings, _facts(old, new, targets, identities, time.monotonic() - started))


def overlay(changes: Iterable[FileChange]) -> Files:
    """What the changes leave of each Python file, by its real path; None for a file that goes."""
    changes = [change for change in changes if (change.old_path, change.old) != (change.new_path, change.new)]
    real = functools.cache(os.path.realpath)

    def place(path: Path) -> str:
        # The file itself may be a link; what counts is the directory that Python lists.
        directory, name = os.path.split(path)
        return os.path.join(real(directory), name)  # noqa: PTH118 -- one for each of thousands of files

    files: dict[str, bytes | None] = {place(change.old_path): None for change in changes if change.old_path}
    # New files last: where 0002 and 0003 exchange their names, each path both goes and comes.
    files |= {place(change.new_path): change.new for change in changes if change.new_path}
    # Python imports nothing else; a max_migration.txt is of no matter to Django.
    return {path: content for path, content in files.items() if path.endswith(".py")}


def _facts(old: Answer, new: Answer, targets: Sequence[Recorded], identities: Identities, seconds: float) -> Facts:
    if isinstance(new, WorkerFailure):
        return Facts(seconds=seconds, compared=False)
    number = sum(map(len, new.models.values()))
    if isinstance(old, WorkerFailure):
        return Facts(new.migrations, models=number, seconds=seconds, compared=False)
    equal = equal_apps(relabelled(old.models, identities.labels), new.models)
    return Facts(new.migrations, equal, number, len(targets) - 1, seconds)


def _findings(
    proposal: Proposal, old: Answer, new: Answer, targets: Sequence[Recorded], identities: Identities
) -> Iterator[Finding]:
    if isinstance(new, WorkerFailure):
        yield _broken(new, old if isinstance(old, WorkerFailure) else None)
        return
    if isinstance(old, WorkerFailure):
        yield from _leaves(proposal.leaves, {}, new.leaves, identities.labels)
        yield nothing_to_compare(reason=old.sentence, file=old.file, line=old.line)
        yield from _clashes((), new.clashes, identities)
        yield from _changes(None, new.changes)
        return
    yield from _leaves(proposal.leaves, old.leaves, new.leaves, identities.labels)
    yield from differences(relabelled(old.models, identities.labels), new.models)
    yield from _clashes(old.clashes, new.clashes, identities)
    yield from _changes(old.changes, new.changes)
    for target, before, after in zip(targets, old.targets, new.targets, strict=True):
        yield from compare_plans(target, before, after, identities)


def _broken(new: WorkerFailure, old: WorkerFailure | None) -> Finding:
    """The new files do not get through, and whether the old ones do."""
    app, name = new.key
    return proof_failed(
        reason=new.sentence,
        before=old.sentence if old else "",
        same=old is not None and (old.stage, old.error) == (new.stage, new.error),
        app=app,
        name=name,
        file=new.file,
        line=new.line,
        operation=new.operation,
    )


def _leaves(
    promised: Mapping[str, int],
    old: Mapping[str, Sequence[str]],
    new: Mapping[str, Sequence[str]],
    labels: Mapping[str, str],
) -> Iterator[Finding]:
    # Numbers, since a leaf may have another name now. What the proposal promises goes over what there was: it may close
    # a fork.
    before = {labels.get(app, app): len(names) for app, names in old.items()}
    for app, number in sorted({**before, **promised}.items()):
        names = new.get(app, ())
        if len(names) != number:
            yield leaves(app=app, ends=sorted(names), expected=number)


def _changes(old: Sequence[ModelChange] | None, new: Sequence[ModelChange]) -> Iterator[Finding]:
    """Changes of the models that no migration holds: only those that are new refuse. None: nobody knows the old."""
    # By the full text, and counted: two alterations of a field are in words both "Alter field price on product".
    there = Counter((app, full) for app, _, full in old or ())
    pending: Counter[str] = Counter()
    for app, words, full in new:
        if there[app, full]:
            there[app, full] -= 1
            pending[app] += 1
            continue
        yield model_changes(app=app, change=words, old_fails=old is None)
    if pending:
        yield models_ahead(changes=pending)


def _clashes(old: Iterable[Clash], new: Iterable[Clash], identities: Identities) -> Iterator[Finding]:
    """What cannot run with the new files. What the old ones already run in that order is no matter of the proposal."""
    # Two branches that add the same thing clash in the old files too, but not in an order that these state. Tables of
    # two apps may be in two databases.
    known = {
        (key, each.action, each.part, other)
        for each in old
        if each.ordered or each.other is None or each.other.app != each.key.app
        for key in identities.of_key(each.key)
        for other in (identities.of_key(each.other) if each.other else (None,))
    }
    for each in new:
        if (each.key, each.action, each.part, each.other) not in known:
            yield cannot_run(
                migration=each.key, operation=each.number, action=each.action, part=each.part, other=each.other
            )


def _keys(targets: Iterable[AbstractSet[Key]]) -> tuple[tuple[Key, ...], ...]:
    return tuple(tuple(sorted(keys)) for keys in targets)
