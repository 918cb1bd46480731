"""Where output goes and in which form: text or JSON, colour or not, a terminal or a pipe that may close."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from migsync.cli.progress import Display
from migsync.cli.views.blocks import Block
from migsync.cli.views.width import width_of
from migsync.errors import MigsyncError
from migsync.filesystem.atomic import PartlyWritten, write_file, write_files
from migsync.words import text_list

if TYPE_CHECKING:
    from migsync.cli.views.reports import FindingReport

FORMS = {
    "text": "text for people",
    "json": "one JSON document",
    "sql": "SQL",
    "mermaid": "a Mermaid diagram",
    "dot": "a Graphviz file",
    "html": "a web page",
    "openmetrics": "OpenMetrics text",
    "github": "annotations for GitHub Actions",
    "sarif": "SARIF for code scanning",
    "junit": "JUnit XML",
}
"""By the value of --format, what a command then prints."""
REPORTS = ("github", "sarif", "junit")
"""Those that are reports of findings for other programs: a module of :mod:`migsync.cli.views` each."""


@dataclass
class Output:
    """Standard output and standard error of one command.

    Writing never raises: a reader that has gone away (``migsync log | head -1``) must not stop a command that is
    changing databases. `failure` then keeps what went wrong, None for a reader that closed its pipe.
    `changing` is True once a database may have been changed. `command` is the name of the command.
    """

    form: str = "text"
    colour: str = "auto"
    verbose: bool = False
    out: TextIO | None = field(default_factory=lambda: sys.stdout)
    err: TextIO | None = field(default_factory=lambda: sys.stderr)
    failure: OSError | None = None
    changing: bool = False
    command: str = ""
    progress: Display = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.progress = Display(self.err, lambda: not self.json, lambda: self.verbose, lambda: self._coloured(self.err))
        for stream in (self.out, self.err):
            if isinstance(stream, io.TextIOWrapper):
                # A name that the locale cannot spell is shown escaped, not as a traceback.
                stream.reconfigure(errors="backslashreplace")

    @property
    def json(self) -> bool:
        """True for one JSON document on standard output."""
        return self.form == "json"

    @property
    def text(self) -> bool:
        """True for text that a person reads."""
        return self.form == "text"

    @property
    def can_ask(self) -> bool:
        """True when a person sees the output and can answer."""
        return self.text and _is_terminal(sys.stdin) and _is_terminal(self.out)

    @property
    def shorten(self) -> bool:
        """True when long lists may leave out their middle: on a terminal, unless asked for more."""
        return not self.verbose and _is_terminal(self.out)

    def show(self, blocks: Iterable[Block]) -> None:
        """Text on standard output; nothing in another format."""
        if self.text:
            self._show(blocks, self.out)

    def page(self, blocks: Iterable[Block], *, unattended: bool = False) -> None:
        """Text on standard output that may be long: on a terminal in the user's pager, unless `unattended`."""
        command = None
        if self.text and _is_terminal(self.out) and not unattended:
            from migsync.cli.pager import page, pager_command

            self.progress.hide()
            command = pager_command(os.environ)
        drawn = list(blocks)
        if not command or not page(self._drawn(drawn, self.out).encode("utf-8", "backslashreplace"), command):
            self.show(drawn)

    def tell(self, blocks: Iterable[Block]) -> None:
        """Text on standard error, in every format: errors, warnings, and what a person should know meanwhile."""
        self._show(blocks, self.err)

    def document(self, document: Mapping[str, Any]) -> None:
        """The one JSON document of a command; nothing in another format."""
        if self.json:
            from migsync.cli.views.documents import render

            self.raw(render(document))

    def report(self, report: Callable[[], FindingReport]) -> None:
        """Findings in a format that another program reads; nothing in the other formats."""
        from migsync.cli.views.reports import render_report

        if self.form in REPORTS:
            self.raw(render_report(report(), self.form))

    def error(self, error: MigsyncError) -> None:
        """An error that ends the command: the document or the report of the command, and text on standard error."""
        if self.json:
            from migsync.cli.views.documents import error_document

            self.document({"error": error_document(error)})
            return
        from migsync.cli.views.findings import error_blocks

        if not self.text:
            from migsync.cli.views.reports import FindingReport, problem_of_error

            self.report(lambda: FindingReport(self.command, (problem_of_error(error),)))
        self.tell(error_blocks(error))

    def end_line(self) -> None:
        """Leave the line of a question that got no answer."""
        if self.can_ask:
            self._write("\n", self.err)

    def tell_failure(self) -> None:
        """Say that the output did not arrive, for example on a full disk."""
        from migsync.cli.views.findings import error_blocks

        if self.failure:
            self.tell(error_blocks(MigsyncError(f"The output could not be written: {self.failure.strerror}.")))

    def raw(self, text: str) -> None:
        """Text as it is, on standard output."""
        self._write(text, self.out)

    def _show(self, blocks: Iterable[Block], stream: TextIO | None) -> None:
        self._write(self._drawn(blocks, stream), stream)

    def _drawn(self, blocks: Iterable[Block], stream: TextIO | None) -> str:
        if self._fancy(stream):
            from migsync.cli.views.terminal import draw

            return draw(blocks, stream, colour=self._coloured(stream))
        from migsync.cli.views.plain import render

        return render(blocks)

    # Rich is slow to import, so a pipe does without it.
    def _fancy(self, stream: TextIO | None) -> bool:
        return self.colour == "always" or width_of(stream) is not None

    def _coloured(self, stream: TextIO | None) -> bool:
        if self.colour == "auto":
            return _is_terminal(stream) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        return self.colour == "always"

    def _write(self, text: str, stream: TextIO | None) -> None:
        if stream is None:
            return
        self.progress.hide()
        try:
            stream.write(text)
            stream.flush()
        except OSError as error:
            self._lose(stream, error)

    def _lose(self, stream: TextIO, error: OSError) -> None:
        """From now on write to nowhere, also when the interpreter flushes the stream at its end."""
        # A closed pipe is how `head -1` says that it has seen enough.
        if error.errno != errno.EPIPE and stream is self.out:
            self.failure = error
        with Path(os.devnull).open("wb") as nowhere:
            # Below Python's stream, since what is in its buffer is written at the end of the process, and fails again
            # there.
            os.dup2(nowhere.fileno(), stream.fileno())


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and not stream.closed and stream.isatty()


def write_output(path: Path, text: str) -> None:
    """Put `text` (as UTF-8) into `path`, whole or not at all; see :func:`migsync.filesystem.atomic.write_file`.

    Raises MigsyncError.
    """
    try:
        write_file(path, _encoded(text))
    except OSError as error:
        raise MigsyncError(
            f"{path} cannot be written: {error.strerror}.",
            "Nothing was written. If the file existed, it is unchanged.",
            "Give another file, or fix the cause and run the command again.",
        ) from error


def write_outputs(directory: Path, texts: Mapping[Path, str], *, retry: str = "") -> None:
    """Put several texts into files in `directory`, which is made if need be: all of them, or none.

    Raises MigsyncError, which says which files were written where that is not all or none. `retry` is what to do next,
    for a command that takes neither a directory nor --force.
    """
    try:
        if texts:
            directory.mkdir(parents=True, exist_ok=True)
        write_files({path: _encoded(text) for path, text in texts.items()})
    except PartlyWritten as error:
        raise MigsyncError(
            f"Not all files could be written to {directory}: {error.strerror} ({error.filename}).",
            f"These were written: {text_list(error.written)}. The others are unchanged.",
            retry or "Fix the cause, then run the command again with --force.",
        ) from error
    except OSError as error:
        raise MigsyncError(
            f"The files cannot be written to {directory}: {error.strerror}.",
            "None was written. Files that existed are unchanged.",
            retry or "Give another directory, or fix the cause and run the command again.",
        ) from error


def _encoded(text: str) -> bytes:
    # A file name that is no UTF-8 comes with lone surrogates, which UTF-8 cannot hold.
    return text.encode("utf-8", "backslashreplace")
