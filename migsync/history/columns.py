"""What a step says of a column, and of a many-to-many table, as text that can be compared part by part."""

from __future__ import annotations

from typing import NamedTuple

from migsync.history.contents import CLASS_MARK

UNKNOWN = "?"
"""What a value is, or begins with, that only running a file shows. Two such values may be the same or not."""


class Column(NamedTuple):
    """The column of a field.

    `type` is a digest of everything that does not have a field of its own here. `null` is ``null``, ``not null`` or
    UNKNOWN. `to` is the model that a foreign key refers to, ``.item`` in the same app, and `name` is the name of the
    column where the field states one.
    """

    type: str
    null: str = UNKNOWN
    to: str = ""
    name: str = ""

    def __str__(self) -> str:
        return "|".join(self)

    @classmethod
    def parse(cls, text: str) -> Column:
        """The inverse of ``str()``. Of a text of another form nothing is known."""
        parts = text.split("|")
        return cls(*parts) if len(parts) == 4 else cls(UNKNOWN + text)

    @property
    def is_certain(self) -> bool:
        """Whether the file tells that there is a column: not for a class that is not Django's."""
        return UNKNOWN not in self.type and CLASS_MARK not in self.type

    def names(self, field: str) -> frozenset[str]:
        """The names under which a column of this field may be known."""
        return frozenset(filter(None, (field, f"{field}_id" if self.to else "", self.name)))


class Link(NamedTuple):
    """The table of a many-to-many field: its name where the field states one, and the model that it links to."""

    table: str = ""
    to: str = ""

    def __str__(self) -> str:
        return "|".join(self)

    @classmethod
    def parse(cls, text: str) -> Link:
        """The inverse of ``str()``."""
        table, _, to = text.partition("|")
        return cls("" if table.startswith(UNKNOWN) else table, to)
