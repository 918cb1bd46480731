"""The tables that operations make, part by part, worked out from their steps; no database is asked.

Models are only names for tables. So two states are compared by the tables that they stand for: by ``db_table``, with
those of many-to-many fields, foreign keys by the table in which they end, indexes and constraints by their columns.
What only running a file shows is unknown, and never a difference.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from migsync.history.columns import UNKNOWN, Column, Link
from migsync.history.contents import CLASS_MARK, Action, Contents, Operation, OperationStep, PartKind

CREATES = frozenset(["AddConstraint", "AddField", "AddIndex", "CreateModel"])
"""Operations that fail where what they make is there already."""
TAKES = (Action.REMOVE, Action.RENAME)
"""After these, the part is not there under its name any more."""


class TablePart(NamedTuple):
    """A part of the tables of one app; the model alone stands for its table."""

    part: PartKind
    model: str
    name: str = ""

    def __str__(self) -> str:
        match self.part:
            case PartKind.MODEL:
                return self.model
            case PartKind.FIELD | PartKind.LINK:
                return f"{self.model}.{self.name}"
            case PartKind.INDEX:
                return f"{self.name} of {self.model}" if self.name else f"an index of {self.model}"
        return f"{self.name} of {self.model}"


class Difference(NamedTuple):
    """Something that one state has and another one lacks or has otherwise.

    `place` is it in the first state, and `table` the name of its table. `needed`: code that relies on it fails.
    """

    place: TablePart
    table: str
    missing: bool
    needed: bool


@dataclass
class TableState:
    """What operations that ran one after the other have made: a value for each part, and how often each code ran.

    `taken` counts the steps that removed or renamed a part.
    """

    parts: dict[TablePart, str] = field(default_factory=dict)
    code: Counter[str] = field(default_factory=Counter)
    taken: Counter[OperationStep] = field(default_factory=Counter)

    def run(self, operations: Iterable[Operation]) -> None:
        """Let operations follow that a database sees."""
        for operation in operations:
            for step in operation.steps if not operation.state_only or self._takes_link(operation) else ():
                # The texts of a link and of a table say themselves what is known of them.
                known = operation.comparable or step.part in SAYING or step.action is not Action.SET
                value = step.value if known else UNKNOWN + step.value
                place = TablePart(step.part, step.model, step.name)
                if step.action in TAKES:
                    self.taken[step] += 1
                match step.action:
                    case Action.SET if step.value or step.part in (PartKind.MODEL, PartKind.FIELD):
                        self.parts[place] = value
                    case Action.SET | Action.REMOVE:
                        self._remove(place)
                    case Action.RENAME:
                        self._rename(place, step.value)
                    case Action.RUN if operation.comparable:
                        self.code[step.value] += 1

    def table_of(self, app: str, model: str) -> str:
        """The name of a model's table; it begins with UNKNOWN where only running a file shows it."""
        return self.parts.get(TablePart(PartKind.OPTION, model, "db_table")) or f"{app}_{model}"

    def _takes_link(self, operation: Operation) -> bool:
        """Whether a model that is made in the state alone stands for the table of a many-to-many field from now on."""
        if operation.kind != "CreateModel":
            return False
        named = [step.value for step in operation.steps if (step.part, step.name) == (PartKind.OPTION, "db_table")]
        links = [place for place in self.parts if place.part is PartKind.LINK]
        taken = [place for place in links if any(self._is_table_of(place, table) for table in named)]
        for place in taken:
            del self.parts[place]
        return bool(taken)

    def _is_table_of(self, link: TablePart, table: str) -> bool:
        """Whether a many-to-many field has this table: by its end where the name begins with the label of the app."""
        stated = Link.parse(self.parts[link]).table
        own = self.parts.get(TablePart(PartKind.OPTION, link.model, "db_table"))
        if stated or own:
            return table == (stated or f"{own}_{link.name}")
        return table.endswith(f"_{link.model}_{link.name}")

    def _remove(self, place: TablePart) -> None:
        if place.part is PartKind.MODEL:
            self.parts = {each: value for each, value in self.parts.items() if each.model != place.model}
        else:
            self.parts.pop(place, None)
            if place.part is PartKind.FIELD:
                self.parts.pop(place._replace(part=PartKind.LINK), None)

    def _rename(self, place: TablePart, new: str) -> None:
        if place.part is PartKind.MODEL:
            self.parts = {
                each._replace(model=new) if each.model == place.model else each: _referring(each, value, place, new)
                for each, value in self.parts.items()
            }
            return
        for each in (place, place._replace(part=PartKind.LINK)) if place.part is PartKind.FIELD else (place,):
            if each in self.parts:
                self.parts[each._replace(name=new)] = self.parts.pop(each)
        if place.part is PartKind.FIELD:
            # An index follows its columns. Only a digest of their old names is known.
            indexes = [each for each in self.parts if each.model == place.model and each.part in OF_COLUMNS]
            self.parts |= {each: UNKNOWN + self.parts[each].replace(",", " ") for each in indexes}


def has_made(ran: Contents, now: Contents) -> bool:
    """Whether it is known that what ran made the tables that a file makes today, and ran its code."""
    there, claimed = TableState(), TableState()
    there.run(ran.operations)
    claimed.run(now.operations)
    # Code may be gone that has run.
    as_well = there.parts == claimed.parts and bool(claimed.parts) and claimed.code <= there.code
    return ran.comparable and now.comparable and (there == claimed or as_well)


def _referring(part: TablePart, value: str, renamed: TablePart, new: str) -> str:
    """The value of a part after a model got another name."""
    if part.part is PartKind.FIELD and (column := Column.parse(value)).to == f".{renamed.model}":
        return str(column._replace(to=f".{new}"))
    if part.part is PartKind.LINK and (link := Link.parse(value)).to == f".{renamed.model}":
        return str(link._replace(to=f".{new}"))
    return value


@dataclass
class _Table:
    """One table: where it comes from, and its parts. `columns` are by field, `indexes` by their values.

    `made` is False where only parts of it are known to be changed, and `hidden` is True where only running a file shows
    its columns.
    """

    place: TablePart
    made: bool = True
    hidden: bool = False
    columns: dict[str, tuple[Column, TablePart]] = field(default_factory=dict)
    indexes: dict[str, TablePart] = field(default_factory=dict)
    options: dict[str, tuple[str, TablePart]] = field(default_factory=dict)

    def column(self, name: str, wanted: Column) -> Column | None:
        """The column that a field means which is called `name` elsewhere, and described as `wanted` there."""
        names = wanted.names(name)
        return next((each for own, (each, _) in self.columns.items() if names & each.names(own)), None)


def tables(state: TableState, app: str) -> dict[str, _Table]:
    """The tables of a state by their names, those of many-to-many fields too."""
    found: dict[str, _Table] = {}
    models = [each for each in state.parts if each.part is PartKind.MODEL]
    for each in models:
        found[state.table_of(app, each.model)] = _Table(each, hidden=state.parts[each].startswith(UNKNOWN))
    parts: dict[str, list[TablePart]] = defaultdict(list)
    for each in state.parts:
        parts[each.model].append(each)
    for model, of_model in parts.items():
        name = state.table_of(app, model)
        # Of a model that is not made here, parts may be changed all the same.
        table = found.setdefault(name, _Table(TablePart(PartKind.MODEL, model), made=False))
        for each in of_model:
            _add(found, table, name, each, state.parts[each])
    for table in found.values():
        table.columns = {name: (_ending(column, state, app), place) for name, (column, place) in table.columns.items()}
    return found


def _add(found: dict[str, _Table], table: _Table, name: str, place: TablePart, value: str) -> None:
    match place.part:
        case PartKind.FIELD:
            table.columns[place.name] = Column.parse(value), place
        case PartKind.LINK:
            link = Link.parse(value)
            one, other = place.model, link.to.rpartition(".")[2]
            ends = (one, other) if one != other else (f"from_{one}", f"to_{other}")
            columns = {each: (Column(UNKNOWN, to=UNKNOWN), place) for each in ("id", *(f"{end}_id" for end in ends))}
            table_name = link.table or f"{name}_{place.name}"
            found.setdefault(table_name, _Table(place, columns=columns if link.to != UNKNOWN else {}))
        case PartKind.INDEX:
            table.indexes[value] = place
        case PartKind.TOGETHER:
            table.indexes |= dict.fromkeys(value.split(","), place)
        case PartKind.OPTION if place.name != "db_table":
            table.options[place.name] = value, place


def _ending(column: Column, state: TableState, app: str) -> Column:
    """The column with the table that it refers to; UNKNOWN for one of another app, or of a proxy."""
    if not column.to:
        return column
    model = column.to.removeprefix(".")
    known = column.to.startswith(".") and TablePart(PartKind.MODEL, model) in state.parts
    return column._replace(to=state.table_of(app, model) if known else UNKNOWN)


def differences(one: TableState, other: TableState, app: str) -> list[Difference]:
    """What `one` has, and `other` lacks or has otherwise, table by table."""
    there = tables(other, app)
    hidden = any(name.startswith(UNKNOWN) for name in there)
    return [
        difference
        for name, table in tables(one, app).items()
        if not name.startswith(UNKNOWN) and not (hidden and name not in there)
        for difference in _of_table(name, table, there.get(name))
    ]


def _of_table(name: str, table: _Table, other: _Table | None) -> Iterator[Difference]:
    if other is None:
        places = [
            *([table.place] if table.made else []),
            *(place for _, place in table.columns.values()),
            *table.indexes.values(),
        ]
        places += [place for _, place in table.options.values()]
        yield from (Difference(place, name, True, place.part in NEEDED) for place in dict.fromkeys(places))
        return
    if PartKind.LINK in (table.place.part, other.place.part) and not (table.columns and other.columns):
        return
    for field_name, (column, place) in table.columns.items():
        found = other.column(field_name, column)
        if found is None and not other.hidden:
            yield Difference(place, name, True, True)
        elif found and _differs(column, found):
            yield Difference(place, name, False, (column.null, found.null) == ("null", "not null"))
    there = {place: value for value, place in other.indexes.items()}
    # One whose columns are not known is that of the same name, and else it may be any.
    named = set(table.indexes.values())
    hidden = any(each.startswith(UNKNOWN) and at not in named for each, at in other.indexes.items())
    for value, place in table.indexes.items() if not hidden else ():
        # By its columns, or what it is called where they are not known.
        if value not in other.indexes and is_different(value, there.get(place)):
            yield Difference(place, name, place not in there, False)
    for option, (value, place) in table.options.items():
        if is_different(value, other.options.get(option, (None, place))[0]):
            yield Difference(place, name, option not in other.options, False)


def is_different(value: str, other: str | None) -> bool:
    """True where two values of one part cannot be the same to a database, or where there is no other.

    What a class that is not Django's makes of a column is not known, nor what another class in its place makes of it.
    Where both have the class, and what only it knows, the arguments that say the same of every class count.
    """
    if other is None or value == other:
        return other is None
    if value.startswith(UNKNOWN) or other.startswith(UNKNOWN):
        return False
    return value.partition(CLASS_MARK)[2] == other.partition(CLASS_MARK)[2]


def _differs(one: Column, other: Column) -> bool:
    """Whether two columns differ for certain."""
    of_class = CLASS_MARK in one.type + other.type
    return (
        is_different(one.type, other.type)
        or is_different(one.null, other.null)
        or (not of_class and is_different(one.to, other.to))
    )


OF_COLUMNS = frozenset([PartKind.INDEX, PartKind.TOGETHER])
SAYING = frozenset([PartKind.MODEL, PartKind.LINK])
NEEDED = frozenset([PartKind.MODEL, PartKind.FIELD, PartKind.LINK])
"""Without these, code fails that relies on them."""


def table_of(place: TablePart) -> TablePart:
    """The table that a part belongs to."""
    return TablePart(PartKind.MODEL, place.model)


def steps_of(contents: Contents) -> Iterator[OperationStep]:
    """The steps that a database sees."""
    return (step for each in contents.operations if not each.state_only for step in each.steps)


def part_before(step: OperationStep) -> TablePart:
    """The part of the tables that a step is about, under the name that it has before."""
    return TablePart(step.part, step.model, step.name)


def part_after(step: OperationStep) -> TablePart:
    """The part of the tables that a step leaves behind, or takes away."""
    if step.action is not Action.RENAME:
        return part_before(step)
    if step.part is PartKind.MODEL:
        return TablePart(step.part, step.value)
    return TablePart(step.part, step.model, step.value)


def is_made(operation: Operation, state: TableState) -> bool:
    """Whether an operation would fail, since what it makes is there."""
    return operation.kind in CREATES and any(part_before(step) in state.parts for step in operation.steps)
