"""Files that were united or made anew, so that no operation is what it was: the tables that they make are compared.

After a reset by hand, one ``0001_initial`` has a CreateModel for what took five operations in three files. No file is
equal to another one, but the old files together made the same tables as the new one. :func:`collapses_of` runs both
lists of files side by side and looks for the places where their tables are the same. What is between two such places
became each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

from migsync.history.contents import Action, Contents, Operation
from migsync.history.tables import TableState

Files: TypeAlias = "Sequence[tuple[str, Contents]]"
"""Files by name, in an order in which they can run, with what they do."""

CODE = frozenset(["RunPython", "RunSQL"])
"""Django's operations that change no table, as far as Django knows. What they did is done where they ran."""

NO_TABLES = ""
"""What :attr:`RunFile.tables` is before the first table."""


class RunFile(NamedTuple):
    """A file in the order in which it runs: `tables` stand for all that there are after it, and `code` is its own.

    `changes`: it changes tables. `known`: each of its operations is.
    """

    name: str
    tables: str
    code: tuple[str, ...]
    changes: bool
    known: bool = True


def run_files(files: Files) -> list[RunFile]:
    """The files as they are read, one after the other."""
    state = TableState()
    found = []
    for name, contents in files:
        state.run(contents.operations)
        tables = str(hash(frozenset(state.parts.items()))) if state.parts else NO_TABLES
        found.append(RunFile(name, tables, tuple(_code(contents)), _makes_tables(contents), _is_known(contents)))
    return found


@dataclass(frozen=True)
class Collapse:
    """Old files that made the same tables as the new ones make.

    There are several new ones where Django divides what belongs together: two tables that refer to each other.
    `certain`: all of their operations are known. Else some were left out, of which only running the file shows what
    they are.
    """

    olds: tuple[str, ...]
    news: tuple[str, ...]
    certain: bool = True


@dataclass(frozen=True)
class _Place:
    """What the files before one place in a list have made. `same` are those among them that stayed what they were."""

    tables: str
    code: Counter[str]
    same: frozenset[str]

    def is_like(self, new: _Place) -> bool:
        """Whether the files before `new` make the same. Their code must have run; other code may have run as well."""
        return self.tables == new.tables and self.same == new.same and new.code <= self.code


def collapses_of(old: Sequence[RunFile], new: Sequence[RunFile], same: Mapping[str, str]) -> tuple[Collapse, ...]:
    """What became of the `old` files; nothing where some are gone, and the tables differ from there on.

    `same` are the old files that are still themselves, with their names in `new`: they are in no collapse. Behind the
    new files there may be others, which are still to run.
    """
    there = list(_places(old, same))
    claimed = list(_places(new, {name: name for name in same.values()}))
    found: list[Collapse] = []
    waiting: list[str] = []
    place = reached = 0
    for index in range(1, len(there)):
        alike = [each for each in range(reached, len(claimed)) if there[index].is_like(claimed[each])]
        if not alike:
            continue
        # Where the tables are the same in several places, the first that has most of the code that ran.
        at = min(alike, key=lambda each: (-claimed[each].code.total(), each))
        passed = [each.name for each in old[place:index]]
        news = [each.name for each in new[reached:at] if each.name not in same.values()]
        # An old file that changes no table belongs to the next ones that do.
        waiting += [name for name in passed if name not in same]
        if news and waiting:
            found.append(Collapse(tuple(waiting), tuple(news)))
        if news or same.keys() & set(passed):
            waiting = []
        place, reached = index, at
    on_disk = {each.name for each in new}
    if any(each.name not in same and each.name not in on_disk for each in old[place:]):
        return ()
    before, after = ({each.name: each for each in side} for side in (old, new))
    found = _with_last(found, waiting, before, new[reached:])
    settled = {name for each in found for name in each.news}.union(same.values())
    pending = _code_of(each for each in new if each.name not in settled)
    return tuple(_judged(found, before, after, pending))


def _places(files: Sequence[RunFile], same: Mapping[str, str]) -> Iterator[_Place]:
    code, kept = Counter[str](), frozenset[str]()
    yield _Place(NO_TABLES, code, kept)
    for each in files:
        code = code + Counter(each.code)
        kept |= {same[each.name]} if each.name in same else frozenset()
        yield _Place(each.tables, code, kept)


def _with_last(
    found: list[Collapse], waiting: Sequence[str], old: Mapping[str, RunFile], rest: Sequence[RunFile]
) -> list[Collapse]:
    """The collapses with the last old files, which changed no table: what they ran may be in the next new files.

    Otherwise they belong to the collapse before them.
    """
    ran = _code_of(old[name] for name in waiting)
    for number in range(1, len(rest) + 1 if ran else 0):
        news = rest[:number]
        if not any(each.changes for each in news) and ran == _code_of(news):
            return [*found, Collapse(tuple(waiting), tuple(each.name for each in news))]
    if waiting and found and list(old).index(waiting[0]) == list(old).index(found[-1].olds[-1]) + 1:
        return [*found[:-1], replace(found[-1], olds=(*found[-1].olds, *waiting))]
    return found


def _judged(
    found: Iterable[Collapse], old: Mapping[str, RunFile], new: Mapping[str, RunFile], pending: Counter[str]
) -> Iterator[Collapse]:
    """Those that are sound; `pending` is the code of the files that are still to run."""
    for each in found:
        before, after = [old[name] for name in each.olds], [new[name] for name in each.news]
        tables = [any(one.changes for one in side) for side in (before, after)]
        ran, runs = _code_of(before), _code_of(after)
        if (ran - runs) & pending:
            continue  # it was not left out, but moved, and would run again
        # Files that change no table are only known by their code.
        if runs <= ran if all(tables) else ran == runs and ran and not any(tables):
            yield each if all(one.known for one in (*before, *after)) else replace(each, certain=False)


def _code_of(files: Iterable[RunFile]) -> Counter[str]:
    return Counter(code for each in files for code in each.code)


def _running(contents: Contents) -> Iterator[Operation]:
    return (operation for operation in contents.operations if not operation.state_only)


def _code(contents: Contents) -> Iterator[str]:
    steps = (step for operation in _running(contents) for step in operation.steps if operation.comparable)
    return (step.value for step in steps if step.action is Action.RUN)


def _makes_tables(contents: Contents) -> bool:
    return any(step.action is not Action.RUN for operation in _running(contents) for step in operation.steps)


def _is_known(contents: Contents) -> bool:
    """False with an operation that only shows what it does when it runs, also a class of the project's own."""
    return all(
        operation.comparable
        and (operation.kind in CODE or all(step.action is not Action.RUN for step in operation.steps))
        for operation in _running(contents)
    )
