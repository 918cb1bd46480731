"""An entry of the catalogue: one code, its severity, and its sentences as a function of facts.

An entry is a function with the decorator :func:`entry`. It takes facts by keyword and returns :class:`Texts`; its
docstring is the page about the code.

Called with the facts, it makes the :class:`Finding`. These facts are fields of the finding too: `migration` (its app
and name), `app`, `name`, `file`, `line`, `other` and `operation`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Generic, NamedTuple, ParamSpec

from migsync.findings.finding import PLACE, Fact, Finding, Severity
from migsync.key import Key

P = ParamSpec("P")

ENTRIES: dict[str, CatalogueEntry[...]] = {}
"""By code, what has been imported; :mod:`migsync.findings.catalogue` imports all."""


class Texts(NamedTuple):
    """What was found, what it means, what to do next; and the severity, where an entry has more than one."""

    found: str
    meaning: str = ""
    hint: str = ""
    severity: Severity | None = None


class CatalogueEntry(Generic[P]):
    """A code, its severities (the usual one first), and the function that writes its sentences."""

    def __init__(self, code: str, severities: tuple[Severity, ...], template: Callable[P, Texts]) -> None:
        self.code = code
        self.severities = severities
        self.template = template
        self.__doc__ = template.__doc__
        self.__name__ = template.__name__
        self.__module__ = template.__module__

    def __call__(self, *args: P.args, **facts: P.kwargs) -> Finding:
        """The finding that these facts make."""
        texts = self.template(*args, **facts)
        place = {name: value for name in PLACE if (value := facts.get(name))}
        match facts.get("migration"):
            case Key(app, name):
                place = {"app": app, "name": name} | place
        if "other" in place:
            place["other"] = str(place["other"])
        return Finding(
            self.code,
            texts.severity or self.severities[0],
            texts.found,
            texts.meaning,
            texts.hint,
            **place,  # type: ignore[arg-type]  # each fact of these names has the type of the field
            facts={name: plain for name, value in facts.items() if (plain := _plain(value)) not in ("", None, [], {})},
            again=partial(self._again, facts),
        )

    def _again(self, facts: Mapping[str, object], **more: object) -> Finding:
        optional = self.template.__kwdefaults__ or {}
        added = {name: value for name, value in more.items() if name in optional}
        return self(**{**facts, **added})  # type: ignore[arg-type, call-arg]  # the facts of a call, and optional ones


def entry(code: str, *severities: Severity) -> Callable[[Callable[P, Texts]], CatalogueEntry[P]]:
    """Put a function into the catalogue; raises ValueError for a code that is there already."""

    def register(template: Callable[P, Texts]) -> CatalogueEntry[P]:
        if code in ENTRIES:
            raise ValueError(f"two entries have the code {code}")
        made = CatalogueEntry(code, severities, template)
        ENTRIES[code] = made
        return made

    return register


def _plain(value: object) -> Fact:
    """A fact as JSON has it: a migration key as ``app.name``, a collection as a list."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, AbstractSet):
        return [_plain(each) for each in sorted(value)]
    if isinstance(value, tuple | list) and not isinstance(value, Key):
        return [_plain(each) for each in value]
    return str(value)
