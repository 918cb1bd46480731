"""What every error has."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Final

from migsync.redaction import redact_urls

NOTHING_CHANGED: Final = "Nothing was changed."


class ExitStatus(IntEnum):
    """The exit status of the ``migsync`` process; docs/reference/exit-status.md says what each one means."""

    DONE = 0
    REFUSED = 1
    DIFFERENCES = 2
    STALE = 3
    LOCKED = 4
    PARTLY = 5
    IN_DOUBT = 6
    USAGE = 64


def page_address(code: str) -> str:
    """Where the page about a finding or an error is, relative to the root of the documentation."""
    return f"reference/findings/{code}.html"


class MigsyncError(Exception):
    """The command failed.

    This is an error without a code of its own, for example a file that cannot be written. Its message says what was
    found, what that means, and what to do next.
    """

    code = "error"
    exit_status = ExitStatus.REFUSED
    default_hint = ""
    """The hint of an error that is raised without one."""

    def __init__(self, found: str, meaning: str = "", hint: str | None = None) -> None:
        # A person may type a URL where a name or a file is expected, and the message quotes it.
        self.found, self.meaning = redact_urls(found), redact_urls(meaning)
        self.hint = self.default_hint if hint is None else redact_urls(hint)
        super().__init__(self.found)

    def __str__(self) -> str:
        return "\n".join(part for part in (self.found, self.meaning, self.hint) if part)


def common_status(errors: Iterable[MigsyncError]) -> ExitStatus:
    """The exit status that all of these errors share; REFUSED where they differ, DONE where there are none."""
    statuses = {error.exit_status for error in errors} or {ExitStatus.DONE}
    return statuses.pop() if len(statuses) == 1 else ExitStatus.REFUSED
