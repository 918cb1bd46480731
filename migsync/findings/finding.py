"""A finding as a value: what migsync reports to a person, with what it means and what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

from migsync.errors import page_address

Fact: TypeAlias = "str | int | bool | list[Fact] | dict[str, Fact] | None"
"""A value that JSON has a form for."""

REQUIRED = ("code", "severity", "found")
PLACE = ("app", "name", "file", "line", "other", "operation")
FIELDS = (*REQUIRED, "meaning", "hint", *PLACE, "database", "others", "facts", "page")
"""The fields of a finding as JSON, the required ones first."""


class Severity(StrEnum):
    """`ERROR` blocks the plan of the whole target, `WARNING` does not, `INFO` only informs."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    def reaches(self, least: Severity) -> bool:
        """Whether this is `least`, or more severe."""
        order = list(Severity)
        return order.index(self) <= order.index(least)


@dataclass(frozen=True, slots=True)
class Finding:
    """`code` is stable and made for machines; `found`, `meaning` and `hint` are sentences, in the order to be read.

    `app` and `name` point to a migration or to a whole app (`name` empty); `file` and `line` to a place on disk.
    `other` is a second migration (``app.name``): one that is missing, or that has to run first. `operation` is the
    number of an operation of the migration, from 1; 0 for the whole migration. `database` is an alias where the finding
    is about one database and does not stand under its heading; `others` are aliases of which the same holds. `facts` is
    what the sentences were made of, as JSON values; two findings that differ in nothing else are equal. `again` makes
    the finding with other facts; it is None for one that was read from a document.

    Code takes what it needs to know from these fields, and never out of a sentence. An entry of the catalogue makes a
    finding; see :mod:`migsync.findings.entry`.
    """

    code: str
    severity: Severity
    found: str
    meaning: str = ""
    hint: str = ""
    app: str = ""
    name: str = ""
    file: str = ""
    line: int = 0
    other: str = ""
    operation: int = 0
    database: str = ""
    others: tuple[str, ...] = ()
    facts: Mapping[str, Fact] = field(default_factory=dict, compare=False)
    again: Callable[..., Finding] | None = field(default=None, compare=False, repr=False)

    @property
    def blocks(self) -> bool:
        """True for an error: a plan with such a finding is not applied."""
        return self.severity is Severity.ERROR

    @property
    def page(self) -> str:
        """The address of the page about this code, relative to the root of the documentation."""
        return page_address(self.code)

    def with_facts(self, **facts: object) -> Finding:
        """The finding with these facts too, as far as its entry can do without them: they change its sentences.

        Those who make a finding do not know everything, such as the alias that its command has to name.
        """
        return self.again(**facts) if self.again else self

    def as_dict(self) -> dict[str, Any]:
        """The finding as JSON values, empty fields left out."""
        return {name: value for name in FIELDS if (value := getattr(self, name))}

    @classmethod
    def from_dict(cls, document: object) -> Finding:
        """The inverse of :meth:`as_dict`; raises DecodeError for anything else.

        Fields that a newer version added are ignored: people read them, and code decides by the severity and the code.
        """
        from migsync.decoder import (  # few processes read one, and a worker must start fast
            Fields,
            array,
            choice,
            integer,
            table,
            text,
        )

        if isinstance(document, dict):
            document = {name: value for name, value in document.items() if name in FIELDS}
        fields = Fields(document, REQUIRED, FIELDS[len(REQUIRED) :])
        return cls(
            code=fields.get("code", text),
            severity=fields.get("severity", choice(Severity)),
            found=fields.get("found", text),
            meaning=fields.get_or("meaning", text, ""),
            hint=fields.get_or("hint", text, ""),
            app=fields.get_or("app", text, ""),
            name=fields.get_or("name", text, ""),
            file=fields.get_or("file", text, ""),
            other=fields.get_or("other", text, ""),
            line=fields.get_or("line", integer, 0),
            operation=fields.get_or("operation", integer, 0),
            database=fields.get_or("database", text, ""),
            others=fields.get_or("others", array(text), ()),
            facts=fields.get_or("facts", table(_fact), {}),
        )


def _fact(value: object) -> Fact:
    """Decodes a fact; raises DecodeError for what is none."""
    from migsync.decoder import array, integer, table, text  # as above

    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, list):
        return list(array(_fact)(value))
    if isinstance(value, dict):
        return dict(table(_fact)(value))
    return text(value) if isinstance(value, str) else integer(value)
