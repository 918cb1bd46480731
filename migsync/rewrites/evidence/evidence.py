"""Names that were changed by hand: what the records of a database, the files on disk and git say became what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from migsync.history import History
from migsync.history.contents import Contents
from migsync.rewrites.evidence.alike import alike, state_of, translated
from migsync.rewrites.evidence.case import Case
from migsync.rewrites.evidence.database import AppRecords
from migsync.rewrites.evidence.hints import Hints
from migsync.rewrites.evidence.moves import Moves, find_moves, unrecorded
from migsync.rewrites.evidence.pairs import Pair, Verdict
from migsync.rewrites.evidence.past_files import NO_PAST, PastFiles
from migsync.rewrites.evidence.proofs import Proofs
from migsync.rewrites.evidence.resets import Render, Reset, find_reset, not_rendered
from migsync.rewrites.file_state import FileState, topological_order, unlike_above

EMPTIED = "It had no operations when it ran, and its name belongs to another migration today."
NOTED = "what migsync noted in a database or in a rewrite"


@dataclass(frozen=True)
class Evidence:
    """All that is known about the changed names of one app, enough to make a rewrite of it.

    `before` are the old names in a legal order with `depends` as in :class:`AppRewrite`; both are empty when no old
    files are known. `pairs` hold what is proven, what is likely and what is spoken against; `removed` the merges that
    are proven to be gone. `gone` are records without a file whose operations are known to be in a recorded file or a
    squash, with the reasons; `seen` says where the files of the others were last seen. `taken` are records whose name
    another migration has taken over while nothing says what became of them. `distinct` are (record, name on disk) that
    are two different migrations, as git shows. `recorded` is as given. `squashes` are as in :class:`AppRewrite`.
    """

    app: str
    recorded: tuple[str, ...]
    after: tuple[str, ...]
    before: tuple[str, ...] = ()
    depends: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    digests_before: Mapping[str, str] = field(default_factory=dict)
    digests_after: Mapping[str, str] = field(default_factory=dict)
    pairs: tuple[Pair, ...] = ()
    removed: tuple[tuple[str, tuple[str, ...]], ...] = ()
    gone: tuple[tuple[str, tuple[str, ...]], ...] = ()
    taken: tuple[str, ...] = ()
    seen: Mapping[str, str] = field(default_factory=dict)
    distinct: frozenset[tuple[str, str]] = frozenset()
    source: str = ""
    squashes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def proven(self) -> tuple[Pair, ...]:
        """The pairs that go into a plan without asking."""
        return tuple(pair for pair in self.pairs if pair.verdict is Verdict.PROOF)

    @property
    def open(self) -> tuple[Pair, ...]:
        """The pairs that only a person can settle."""
        return tuple(pair for pair in self.pairs if pair.verdict is Verdict.HINT)

    @property
    def is_permuted(self) -> bool:
        """True where all that is found is that names of recorded migrations changed places among themselves."""
        olds = {name for pair in self.pairs for name in pair.old}
        news = {name for pair in self.pairs for name in pair.new}
        return bool(olds) and self.proven == self.pairs and olds == news <= set(self.recorded)

    @property
    def is_in_question(self) -> bool:
        """True with an open pair, or with a record that nothing explains beside a file that may be what it ran."""
        settled = [name for pair in self.proven for name in pair.old]
        gone = [name for name, _ in (*self.removed, *self.gone)]
        left = set(self.recorded).difference(self.after, settled, gone)
        free = set(self.after).difference(self.recorded, (name for pair in self.proven for name in pair.new))
        return bool(self.open or self.taken or (left and free))


def is_explained(history: History, app: str, recorded: AbstractSet[str]) -> bool:
    """True when the files on disk explain the records of `app`, so that there is nothing to look for."""
    return FileState.on_disk(history, app).explains(recorded)


def is_moved(history: History, app: str, recorded: Sequence[str], ran: Mapping[str, Contents]) -> bool:
    """True when what ran is in files of other names, although every name may fit."""
    return bool(find_moves(FileState.on_disk(history, app), recorded, ran))


def find_evidence(
    history: History,
    app: str,
    records: AppRecords,
    past: PastFiles = NO_PAST,
    stated: Sequence[Mapping[str, str]] = (),
    render: Render = not_rendered,
) -> Evidence:
    """Work out what became of the names of `app`.

    `records` are those of one database after the known rewrites. Git is asked for the states of the `past` only where
    the files on disk do not explain them, and for abandoned commits only where the branch does not either. `stated` are
    digests by name, one mapping for each state of the app that a journal or a rewrite wrote down. `render` asks Django
    for the tables that files make.
    """
    disk = FileState.on_disk(history, app)
    records = records._replace(names=tuple(dict.fromkeys(records.names)))
    recorded, ran, presumed, _ = records
    if presumed and (moves := find_moves(disk, recorded, presumed)):
        return _moved(app, disk, recorded, moves, presumed, tuple(past.states()))
    if disk.explains(frozenset(recorded)):
        return Evidence(
            app, recorded, tuple(history.names(app)), pairs=tuple(_changed_since_stated(app, disk, recorded, stated))
        )
    case = _case(app, disk, records, tuple(past.states()), stated, tuple(past.line()))
    # A commit that was amended or rebased away may be what the database was migrated with. But there are many of them,
    # and most were never run anywhere, so they are read only where the branch itself explains nothing.
    explained = case.before is not None and case.before.explains(case.records)
    if not explained and (more := tuple(past.abandoned())):
        case = _case(app, disk, records, (*case.past, *more), stated, case.line)
    return _evidence(Proofs(case), tuple(history.names(app)), ran, render)


def _moved(
    app: str,
    disk: FileState,
    recorded: tuple[str, ...],
    moves: Moves,
    ran: Mapping[str, Contents],
    past: Sequence[FileState],
) -> Evidence:
    """The evidence where every name fits, but what ran is in files of other names."""
    seen = state_of(app, {name: contents for name, contents in ran.items() if name in recorded})
    same = alike((disk, seen, *past))
    now, seen, *then = (replace(state, alike=same) for state in (disk, seen, *past))
    # The newest commit in which every old name has what ran under it: with its other files and the real order.
    state = next(
        (each for each in then if all(each.digests.get(name) == seen.digests.get(name) for name in moves.olds)), None
    )
    others = unrecorded(now, state, moves, recorded) if state else {}
    parents = state.as_recorded(frozenset(recorded)) if state else {name: frozenset[str]() for name in recorded}
    order = topological_order(parents) if state else tuple(recorded)
    digests = {name: digest for name, digest in (state or now).written.items() if digest and name in parents}
    source = state.source if state else ""
    return Evidence(
        app=app,
        recorded=recorded,
        after=tuple(disk.migrations),
        before=order or tuple(parents),
        depends=unlike_above(order or tuple(parents), parents),
        digests_before={**digests, **seen.written},
        digests_after={name: digest for name, digest in disk.written.items() if digest},
        pairs=tuple(
            Pair(app, olds, news, Verdict.PROOF, (reason,))
            for olds, news, reason in (
                *(((old,), (new,), _moved_reason(app, new)) for old, new in moves.renamed.items()),
                *((olds, (new,), _moved_reason(app, new)) for new, olds in moves.united.items()),
                *(((name,), (), EMPTIED) for name in moves.emptied),
                *(((old,), (new,), f"The operations are the same as in {source}.") for old, new in others.items()),
            )
        ),
        source=source,
    )


def _moved_reason(app: str, new: str) -> str:
    return f"What ran under this name is in {app}.{new} today, and in no other file."


def _case(
    app: str,
    disk: FileState,
    records: AppRecords,
    past: Sequence[FileState],
    stated: Sequence[Mapping[str, str]],
    line: Sequence[AbstractSet[str]],
) -> Case:
    """A case in which one digest stands for all files that do the same."""
    recorded, ran, presumed, given = records
    seen = state_of(app, ran)
    same = alike((disk, *past, seen))
    now, seen, *then = (replace(state, alike=same) for state in (disk, seen, *past))
    digests = [
        {name: same.get(digest, digest) for name, digest in state.items()}
        for state in translated(stated, (disk, *past))
    ]
    return Case(app, now, recorded, tuple(then), digests, line, seen.digests, ran, presumed, given)


def _evidence(
    proofs: Proofs, after: tuple[str, ...], ran: Mapping[str, Contents], render: Render = not_rendered
) -> Evidence:
    case = proofs.case
    # The proven pairs come first: a hint is looked for only among the names that they leave over.
    collapsed = [
        Pair(case.app, _in_order_of(olds, case), (new,), Verdict.PROOF, (_squash_reason(case.app, new, state),))
        for new, (olds, state) in proofs.collapsed.items()
    ]
    renamed = [
        Pair(case.app, (old,), (new,), Verdict.PROOF, _rename_reasons(proofs, old, new))
        for old, new in proofs.renamed.items()
        if not any(new in pair.new for pair in collapsed)
    ]
    settled = {old: pair.new[0] for pair in (*collapsed, *renamed) for old in pair.old}
    reset = find_reset(case, ran, settled, render)
    settled |= {old: pair.new[0] for pair in reset.pairs for old in pair.old}
    removed = {name: state for name, state in proofs.removed.items() if name not in settled}
    leaving = settled.keys() | removed.keys()
    given = set(settled.values()).union(name for pair in reset.pairs for name in pair.new)
    # A renamed record would end with the name of one that stays.
    taken = tuple(name for name in case.recorded if name in given and name not in leaving)
    taken = tuple(name for name in taken if not any(name in pair.new for pair in (*collapsed, *reset.pairs)))
    hints = Hints(case, settled, frozenset(removed), frozenset(taken))
    gone = {
        name: reasons for name in hints.old if name not in taken and (reasons := _gone_reasons(case, name, leaving))
    }
    # Of what is in a recorded file, nothing else is likely.
    likely = tuple(pair for pair in hints.pairs() if not gone.keys() >= set(pair.old))
    before, depends, digests_before = _old_side(proofs, removed, reset, ran)
    return Evidence(
        app=case.app,
        recorded=tuple(case.recorded),
        after=after,
        before=before,
        depends=depends,
        digests_before=digests_before,
        digests_after={name: digest for name, digest in case.disk.written.items() if digest},
        pairs=(*renamed, *collapsed, *reset.pairs, *likely, *_changed_since(case, leaving | set(settled.values()))),
        removed=tuple((name, (_merge_reason(case.app, name, state),)) for name, state in removed.items()),
        gone=tuple((name, reasons) for name, reasons in gone.items() if not any(name in pair.old for pair in likely)),
        taken=taken,
        seen={name: state.source for name in hints.old if (state := case.last_seen(name))},
        distinct=frozenset((*case.distinct(hints.old), *case.unrelated(hints.old))),
        source=proofs.old_state.source if proofs.old_state else "",
        squashes=reset.squashes,
    )


def _old_side(
    proofs: Proofs, removed: Mapping[str, FileState], reset: Reset, ran: Mapping[str, Contents]
) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]], dict[str, str]]:
    """`before`, `depends` and `digests_before`; merges that are gone come along even from an older state."""
    case, state = proofs.case, reset.state or proofs.old_state
    renamed = {old: case.disk.written[new] for old, new in proofs.renamed.items()}
    # What is known to have run comes before what git last held under the name.
    certain = {name: contents.digest for name, contents in ran.items() if contents.digest} if reset.pairs else {}
    if state is None:
        return (), {}, {**renamed, **certain}
    parents = state.as_recorded(case.records)
    for name, other in removed.items():
        if name not in parents:
            parents[name] = other.parents[name] & parents.keys()
    order = topological_order(parents) or tuple(parents)
    digests = {name: digest for name, digest in state.written.items() if digest and name in parents}
    return order, unlike_above(order, parents), {**renamed, **digests, **certain}


def _in_order_of(names: Iterable[str], case: Case) -> tuple[str, ...]:
    order = list(case.before.as_recorded(case.records)) if case.before else list(case.recorded)
    return tuple(sorted((name for name in names if name in order), key=order.index))


def _rename_reasons(proofs: Proofs, old: str, new: str) -> tuple[str, ...]:
    case, where = proofs.case, _where(proofs, old, new)
    if not case.disk.migrations[new].operations:
        return (f"Neither has operations, and both come after the same migrations ({where.name}).",)
    if where.digest not in ("", case.disk.written[new]):
        return (
            f"Its operations differ from those in {where.name} only in what no database sees, "
            "and no other file has them.",
        )
    return (f"The operations are the same as in {where.name}, and no other file has them.",)


class _Place(NamedTuple):
    """Where an old name was seen with the operations that it is known by, and their digest there if it is known."""

    name: str
    digest: str = ""


def _where(proofs: Proofs, old: str, new: str) -> _Place:
    case = proofs.case
    if old in case.ran:
        return _Place("what migsync saw when it ran in this database")
    states = (*([proofs.old_state] if proofs.old_state else []), *case.past)
    wanted = case.disk.digests[new]
    found = next((state for state in states if state.digests.get(old) == wanted), None)
    if found is None and case.before and old in case.before.migrations:
        found = case.before  # without operations
    return _Place(found.source, found.written[old]) if found else _Place(NOTED)


def _squash_reason(app: str, new: str, state: FileState) -> str:
    return f"In {state.source} it was a squash that replaces them, and its operations are still the same."


def _merge_reason(app: str, name: str, state: FileState) -> str:
    ups = sorted(state.parents[name])
    between = f"{', '.join(ups[:-1])} and {ups[-1]}"
    return f"In {state.source} it was a merge of {between} without operations, and its file is gone."


def _gone_reasons(case: Case, name: str, leaving: AbstractSet[str]) -> tuple[str, ...]:
    """Why a record without a file is explained; nothing where it is not. `leaving` are records that get other names."""
    if replacing := case.replaced_in(name):
        return (f"It was replaced by a squash in {replacing.source}.",)
    held = case.last_seen(name)
    if held is None:
        return ()
    files = case.disk.migrations
    heirs = sorted((case.records - leaving).intersection(case.disk.bearers.get(held.digests[name], ())))
    heirs = [each for each in heirs if not case.ran_otherwise(each, files[each].contents)]
    if not heirs:
        return ()
    heir = f"{case.app}.{heirs[0]}, which is recorded as well, has its operations"
    return (f"Its file was last seen in {held.source}; {heir}.",)


def _changed_since(case: Case, named: AbstractSet[str]) -> Iterable[Pair]:
    """Recorded names that are still there with other operations than they can have been recorded for."""
    for name in case.recorded:
        now = case.disk.digests.get(name)
        if now and name not in named and case.meanings(name) and now not in case.meanings(name):
            where = next((state.source for state in case.positions.values() if name in state.migrations), "a journal")
            yield _changed(case.app, name, where)


def _changed_since_stated(
    app: str, disk: FileState, recorded: Sequence[str], stated: Sequence[Mapping[str, str]]
) -> Iterable[Pair]:
    """Recorded names whose files have other operations than every journal and rewrite states for them.

    Used where the files on disk explain the records, so that git is not asked.
    """
    for name in recorded:
        known = {state[name] for state in stated if name in state}
        file = disk.migrations.get(name)
        if known and file and disk.digests[name] and not any(file.has(digest) for digest in known):
            yield _changed(app, name, "the journal")


def _changed(app: str, name: str, where: str) -> Pair:
    reason = f"Its operations are no longer those of {where}."
    return Pair(app, (name,), (name,), Verdict.AGAINST, (reason,))
