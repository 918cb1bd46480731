"""Which recorded files were united or made anew: those that no file explains, by the tables that they made.

The old files are those of the newest state in git that has them, or what was seen when they ran.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import TypeAlias

from migsync.history.contents import Contents
from migsync.history.tables import TableState, is_made
from migsync.rewrites.evidence.case import Case
from migsync.rewrites.evidence.collapses import Collapse, Files, RunFile, collapses_of, run_files
from migsync.rewrites.evidence.pairs import Pair, Verdict
from migsync.rewrites.file_state import FileState

Sides: TypeAlias = "tuple[list[RunFile], list[RunFile]]"
"""The old files, and those on disk, with the tables that they make."""
Render: TypeAlias = "Callable[[FileState, Sequence[str], Sequence[str]], Sides | str]"
"""From the state of the old files, and the names in order on both sides; a text says why there is no answer."""

SEEN = "what migsync noted when they ran"


@dataclass(frozen=True)
class Reset:
    """The pairs of one app whose old files made the same tables as the new ones, and where the old files were seen.

    `state` is None where only what ran in the database is known.
    """

    pairs: tuple[Pair, ...] = ()
    state: FileState | None = None

    @property
    def squashes(self) -> dict[str, tuple[str, ...]]:
        """The old names that are squashes, with what they replaced."""
        olds = {name for pair in self.pairs for name in pair.old}
        replaced = self.state.replaced if self.state else {}
        return {squash: tuple(sorted(names)) for squash, names in replaced.items() if squash in olds and names <= olds}


def not_rendered(_state: FileState, _olds: Sequence[str], _news: Sequence[str]) -> str:
    """The :data:`Render` where Django cannot be asked."""
    return ""


def find_reset(
    case: Case, ran: Mapping[str, Contents], settled: Mapping[str, str], render: Render = not_rendered
) -> Reset:
    """What became of the records that are still open.

    `ran` is what ran under the recorded names, as far as that is certain. `settled` are old names with their new ones.
    `render` asks Django for the tables where reading the files leaves a question.
    """
    open_names = {name for name in case.recorded if name not in case.disk.names and name not in settled}
    if not open_names or any(not names <= case.disk.migrations.keys() for names in case.disk.replaced.values()):
        return Reset()
    for state in (*_states(case, open_names), None):
        old = _old_files(case, state, ran)
        pairs = tuple(_pairs(case, state, old, ran, settled)) if old else ()
        if state and old and not any(pair.verdict is Verdict.PROOF and open_names & set(pair.old) for pair in pairs):
            pairs = _rendered(case, state, old, ran, settled, render) or pairs
        if any(open_names & set(pair.old) for pair in pairs):
            return Reset(pairs, state)
    return Reset()


def _rendered(
    case: Case,
    state: FileState,
    old: Files,
    ran: Mapping[str, Contents],
    settled: Mapping[str, str],
    render: Render,
) -> tuple[Pair, ...]:
    """The pairs by the tables that Django makes; nothing where the files themselves say all, or it gives no answer."""
    new = _new_files(case)
    known = all(each.known for each in (*run_files(old), *run_files(new)))
    otherwise = any(contents.digest != state.written.get(name) for name, contents in ran.items() if name in dict(old))
    sides = "" if known or otherwise else render(state, [name for name, _ in old], [name for name, _ in new])
    if isinstance(sides, str):
        doubtful = _pairs(case, state, old, ran, settled) if sides else ()
        return tuple(replace(pair, reasons=(*pair.reasons, sides)) for pair in doubtful)
    return tuple(_pairs(case, state, old, ran, settled, sides))


def _states(case: Case, names: AbstractSet[str]) -> list[FileState]:
    """The states with the most of these names, newest first. What an older one has besides was deleted before."""
    most = max((len(names & state.names) for state in case.past), default=0)
    return [state for state in case.past if most and len(names & state.names) == most]


def _old_files(case: Case, state: FileState | None, ran: Mapping[str, Contents]) -> Files:
    """The old files in their order; empty where the contents of some are not known."""
    if state:
        names = state.order or ()
        # A squash beside all that it replaces is another name for it.
        labels = {squash for squash, replaced in state.replaced.items() if replaced <= state.migrations.keys()}
        return [(name, ran.get(name) or state.migrations[name].contents) for name in names if name not in labels]
    files = case.disk.migrations
    if any(name not in ran and name not in files for name in case.recorded):
        return ()
    return [(name, ran[name] if name in ran else files[name].contents) for name in case.recorded]


def _new_files(case: Case) -> Files:
    disk = case.disk
    return [(name, disk.migrations[name].contents) for name in disk.order or () if name not in disk.replaced]


def _pairs(
    case: Case,
    state: FileState | None,
    old: Files,
    ran: Mapping[str, Contents],
    settled: Mapping[str, str],
    sides: Sides | None = None,
) -> Iterator[Pair]:
    new = _new_files(case)
    before, after = dict(old), dict(new)
    same = {**_kept(old, after), **{name: became for name, became in settled.items() if name in before}}
    for each in collapses_of(*(sides or (run_files(old), run_files(new))), same):
        if _only_renamed([before[name] for name in each.olds], [after[name] for name in each.news]):
            continue
        olds = (*each.olds, *_labels(state, each))
        # With a record of its own, the new file has run, or somebody has said so; the old records are leftovers.
        recorded = set(each.news) & (case.records - set(olds) | case.given)
        if recorded or set(olds) == set(each.news) or set(olds) & settled.keys():
            continue
        # Equal operations say more than equal tables.
        if set(each.news) & set(settled.values()):
            continue
        doubt = _doubt(case, state, each, ran)
        verdict = Verdict.HINT if doubt else Verdict.PROOF
        yield Pair(case.app, olds, each.news, verdict, (_reason(case.app, each, state), *((doubt,) if doubt else ())))


def _only_renamed(before: Sequence[Contents], after: Sequence[Contents]) -> bool:
    """True for files that do the same one by one: which is which is not for the tables to tell."""
    known = all(contents.comparable for contents in (*before, *after))
    return known and sorted(each.effects for each in before) == sorted(each.effects for each in after)


def _kept(old: Files, new: Mapping[str, Contents]) -> dict[str, str]:
    """Files that do the same under the same name."""
    return {name: name for name, contents in old if name in new and contents.same_effect(new[name])}


def _labels(state: FileState | None, collapse: Collapse) -> Iterator[str]:
    """The squashes of which all that they replace is in the collapse: databases hold their records, too."""
    for squash, replaced in (state.replaced if state else {}).items():
        if replaced <= set(collapse.olds) and squash not in collapse.olds:
            yield squash


def _doubt(case: Case, state: FileState | None, collapse: Collapse, ran: Mapping[str, Contents]) -> str:
    """Why equal tables are no proof; empty where they are."""
    if not collapse.certain:
        return "Some of their operations are known only when they run, and were left out."
    for name in collapse.olds if state else ():
        if name not in case.records or name in ran:
            continue
        versions = {other.digests[name] for other in case.past if name in other.migrations and _has(other, collapse)}
        if state and case.ran_otherwise(name, state.migrations[name].contents):
            return f"But {name} had other operations when it ran, by its time."
        if name not in case.presumed and len(versions) > 1:
            return f"But {name} was edited while they were there, and nothing shows which version ran."
    return _made_before(case, state, collapse, ran) if state else ""


def _made_before(case: Case, state: FileState, collapse: Collapse, ran: Mapping[str, Contents]) -> str:
    """Why the old files cannot all have run here: what one of them makes was there by then; empty where they can."""
    there = TableState()
    for name in case.recorded:
        file = state.migrations.get(name)
        contents = ran.get(name) or (file.contents if file else case.presumed.get(name, Contents()))
        for operation in contents.operations:
            if name in collapse.olds and name not in ran and is_made(operation, there):
                return f"But {name} cannot have run as it was: what it makes was there by then."
            there.run([operation])
    return ""


def _has(state: FileState, collapse: Collapse) -> bool:
    return set(collapse.olds) <= state.migrations.keys()


def _reason(app: str, collapse: Collapse, state: FileState | None) -> str:
    news = " and ".join(f"{app}.{name}" for name in collapse.news)
    where = f"as they were in {state.source}" if state else f"by {SEEN}"
    make = "make" if len(collapse.news) > 1 else "makes"
    return f"Together they made the same tables as {news} {make} ({where})."
