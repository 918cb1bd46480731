"""Operations as a life's migration files have them: their source, and what they really do to tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple, Self

from migsync.history.migration import Key

Column = tuple[Any, ...]
"""The class of a field and what a database sees of it: ``("CharField", 20)``, ``("ForeignKey", "shop", "t3")``."""
Part = tuple[str, ...]
"""``("table", app, table)``, ``("column", app, table, name)`` or ``("index", app, name)``."""


class Impossible(Exception):
    """A database refuses the operation: what it makes is there, or what it changes is not."""


class Written(NamedTuple):
    """One operation in a file of `app`. `wording` is what no database sees of it, such as a help text."""

    kind: str
    app: str
    table: str = ""
    name: str = ""
    value: Any = None
    wording: int = 0

    @property
    def seen(self) -> Written:
        """The same without what no database sees."""
        return self._replace(wording=0)


@dataclass
class Tables:
    """Tables as they really are, and how often each code ran. `strict`: also what Django's state would refuse."""

    parts: dict[Part, Any] = field(default_factory=dict)
    code: Counter[str] = field(default_factory=Counter)
    strict: bool = False

    def copy(self) -> Self:
        return deepcopy(self)

    def run(self, operations: Iterable[Written]) -> None:
        """Run all or none of one file; raises Impossible."""
        before = dict(self.parts), Counter(self.code)
        try:
            for operation in operations:
                getattr(self, f"_{operation.kind}")(operation)
        except Impossible:
            self.parts, self.code = before
            raise

    def _new(self, part: Part, value: Any) -> None:
        if part in self.parts:
            raise Impossible(f"{part} exists")
        self.parts[part] = value

    def _there(self, part: Part) -> Any:
        if part not in self.parts:
            raise Impossible(f"{part} does not exist")
        return self.parts[part]

    def _CreateModel(self, made: Written) -> None:  # noqa: N802
        columns, indexes = made.value
        self._new(("table", made.app, made.table), True)
        for name, column in columns:
            self._column(made, name, column)
        for name, names in indexes:
            self._new(("index", made.app, name), (made.table, names))

    def _column(self, made: Written, name: str, column: Column) -> None:
        if column[0] == "ForeignKey":
            self._there(("table", *column[1:]))
        self._new(("column", made.app, made.table, name), column)

    def _DeleteModel(self, gone: Written) -> None:  # noqa: N802
        self._there(("table", gone.app, gone.table))
        if self.strict and any(value == ("ForeignKey", gone.app, gone.table) for value in self.parts.values()):
            raise Impossible("a foreign key ends here")
        self.parts = {part: value for part, value in self.parts.items() if not self._of_table(part, value, gone)}

    def _of_table(self, part: Part, value: Any, operation: Written) -> bool:
        if part[1] != operation.app:
            return False
        return value[0] == operation.table if part[0] == "index" else part[2] == operation.table

    def _RenameModel(self, renamed: Written) -> None:  # noqa: N802
        app, old, new = renamed.app, renamed.table, renamed.value
        self._there(("table", app, old))
        if ("table", app, new) in self.parts:
            raise Impossible("the new name exists")
        parts = {}
        for part, value in self.parts.items():
            if self._of_table(part, value, renamed):
                part = part if part[0] == "index" else (*part[:2], new, *part[3:])
                value = (new, value[1]) if part[0] == "index" else value
            parts[part] = ("ForeignKey", app, new) if value == ("ForeignKey", app, old) else value
        self.parts = parts

    def _AddField(self, added: Written) -> None:  # noqa: N802
        self._there(("table", added.app, added.table))
        self._column(added, added.name, added.value)

    def _AlterField(self, altered: Written) -> None:  # noqa: N802
        place = ("column", altered.app, altered.table, altered.name)
        self._there(place)
        self.parts[place] = altered.value

    def _RemoveField(self, removed: Written) -> None:  # noqa: N802
        place = ("column", removed.app, removed.table, removed.name)
        self._there(place)
        users = [
            part
            for part, value in self.parts.items()
            if part[:2] == ("index", removed.app) and value[0] == removed.table and removed.name in value[1]
        ]
        if users and self.strict:
            raise Impossible("an index needs it")
        for part in (place, *users):
            del self.parts[part]

    def _RenameField(self, renamed: Written) -> None:  # noqa: N802
        table = (renamed.app, renamed.table)
        value = self._there(("column", *table, renamed.name))
        self._new(("column", *table, renamed.value), value)
        del self.parts["column", *table, renamed.name]
        for part, found in self.parts.items():
            if part[:2] == ("index", renamed.app) and found[0] == renamed.table:
                names = tuple(renamed.value if name == renamed.name else name for name in found[1])
                self.parts[part] = (found[0], names)

    def _AddIndex(self, added: Written) -> None:  # noqa: N802
        for name in added.value:
            self._there(("column", added.app, added.table, name))
        self._new(("index", added.app, added.name), (added.table, added.value))

    def _RemoveIndex(self, removed: Written) -> None:  # noqa: N802
        self._there(("index", removed.app, removed.name))
        del self.parts["index", removed.app, removed.name]

    def _RunSQL(self, code: Written) -> None:  # noqa: N802
        self.code[f"{code.kind} {code.name}"] += 1

    _RunPython = _RunSQL


def code_of(operations: Iterable[Written]) -> Counter[str]:
    """How often each code is in these operations."""
    return Counter(f"{each.kind} {each.name}" for each in operations if each.kind.startswith("Run"))


@lru_cache(maxsize=20_000)
def source(after: tuple[Key, ...], operations: tuple[Written, ...]) -> bytes:
    """The file, mostly as ``makemigrations`` lays it out."""
    functions = "".join(_function(each) for each in operations if each.kind == "RunPython")
    depends = "".join(f"        ('{key.app}', '{key.name}'),\n" for key in after)
    listed = "".join(f"        {_text(each)},\n" for each in operations)
    return (
        "from django.db import migrations, models\n\n"
        f"{functions}\n"
        "class Migration(migrations.Migration):\n\n"
        f"    dependencies = [{_block(depends)}]\n\n"
        f"    operations = [{_block(listed)}]\n"
    ).encode()


def _block(lines: str) -> str:
    return f"\n{lines}    " if lines else ""


def _function(operation: Written) -> str:
    comment = f"    # wording {operation.wording}\n" if operation.wording else ""
    return f"def {operation.name}(apps, schema_editor):\n{comment}    print('{operation.name}')\n\n"


def _text(operation: Written) -> str:
    kind, app, table, name, value, wording = operation
    model, options = f"'{table}'", ""
    match kind:
        case "CreateModel":
            columns, indexes = value
            fields = "".join(f", ('{each}', {_field(column, app, wording)})" for each, column in columns)
            listed = ", ".join(_index(*index) for index in indexes)
            options = f", options={{'indexes': [{listed}], 'verbose_name': 'a {wording}'}}" if indexes else ""
            made = f"fields=[('id', models.AutoField(primary_key=True)){fields}]{options}"
            return f"migrations.CreateModel(name='{table.capitalize()}', {made})"
        case "AddField" | "AlterField":
            return f"migrations.{kind}({model}, '{name}', {_field(value, app, wording)})"
        case "RemoveField" | "RemoveIndex":
            return f"migrations.{kind}({model}, '{name}')"
        case "RenameField":
            return f"migrations.RenameField({model}, '{name}', '{value}')"
        case "DeleteModel":
            return f"migrations.DeleteModel('{table.capitalize()}')"
        case "RenameModel":
            return f"migrations.RenameModel('{table.capitalize()}', '{value.capitalize()}')"
        case "AddIndex":
            return f"migrations.AddIndex({model}, {_index(name, value)})"
        case "RunSQL":
            return f"migrations.RunSQL(\"SELECT '{name}'\", '-- {wording}')"
    return f"migrations.RunPython({name})"


def _index(name: str, columns: tuple[str, ...]) -> str:
    return f"models.Index(fields={list(columns)}, name='{name}')"


def _field(column: Column, app: str, wording: int) -> str:
    said = f", help_text='wording {wording}'" if wording else ""
    match column:
        case ("CharField", length):
            return f"models.CharField(max_length={length}, default=''{said})"
        case ("ForeignKey", label, table):
            return f"models.ForeignKey('{label}.{table.capitalize()}', models.CASCADE, null=True{said})"
    return f"models.{column[0]}(default=0{said})"
