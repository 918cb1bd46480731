"""What the documentation says about each code: a page for every entry of the catalogue, and for every error."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from migsync.errors import MigsyncError, page_address
from migsync.findings.catalogue import catalogue
from migsync.findings.finding import Severity

WORDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


@dataclass(frozen=True, slots=True)
class Page:
    """The page about one code: a sentence as its title, then paragraphs and lists, each item of these in its own line.

    `kind` says what is reported under the code, in words: ``error``, or ``warning or error``. `exit_status` is what an
    error ends a command with; None for a finding, which is a part of a result.
    """

    code: str
    title: str
    body: tuple[str, ...]
    kind: str
    exit_status: int | None = None

    @property
    def heading(self) -> str:
        """What is reported, and what it ends a command with: ``error, exit status 3``."""
        return self.kind if self.exit_status is None else f"{self.kind}, exit status {self.exit_status}"

    @property
    def address(self) -> str:
        """Where the page is, relative to the root of the documentation."""
        return page_address(self.code)


def pages() -> Mapping[str, Page]:
    """Every page, by code, in alphabetical order."""
    found = {page.code: page for page in (*_of_errors(MigsyncError), *_of_findings())}
    return dict(sorted(found.items()))


def _of_findings() -> Iterator[Page]:
    for code, entry in catalogue().items():
        title, *body = _paragraphs(entry.__doc__)
        yield Page(code, title, tuple(body), " or ".join(WORDS[severity] for severity in entry.severities))


def _of_errors(kind: type[MigsyncError]) -> Iterator[Page]:
    # A class in another module, or without a code of its own, is a special case of the one above it.
    if kind.__module__.startswith("migsync.errors.") and "code" in vars(kind):
        title, *body = _paragraphs(kind.__doc__)
        yield Page(kind.code, title, tuple(body), "error", int(kind.exit_status))
    for special in kind.__subclasses__():
        yield from _of_errors(special)


def _paragraphs(docstring: str | None) -> list[str]:
    return [_unwrapped(part) for part in inspect.cleandoc(docstring or "").split("\n\n")]


def _unwrapped(part: str) -> str:
    """A paragraph in one line, a list with one line an item."""
    return re.sub(" +", " ", re.sub(r"\n(?!- )", " ", part))
