"""``migsync explain``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from shutil import get_terminal_size
from textwrap import wrap
from typing import TYPE_CHECKING

import click

from migsync.cli.command import MigsyncCommand
from migsync.cli.help_text import WIDTH
from migsync.cli.options import argument, option_group, options
from migsync.cli.output import Output
from migsync.cli.views.blocks import EMPTY, Block, Span, Style, line, table
from migsync.errors import UsageError
from migsync.words import did_you_mean

if TYPE_CHECKING:
    from migsync.findings.pages import Page


@option_group
class ExplainOptions:
    """What ``migsync explain`` explains."""

    code: str | None = argument(required=False)


@click.command(
    cls=MigsyncCommand,
    short_help="Explain a finding or an error, by its code.",
    examples="""
    migsync explain              # list all codes
    migsync explain name-taken   # why it is reported, and what to do
    """,
)
@options(ExplainOptions)
def explain(output: Output, asked: ExplainOptions) -> None:
    """Explain the finding or the error with this CODE: why it is reported, and what to do.

    Without CODE, list all codes. No project and no database is needed.
    """
    from migsync.findings.pages import pages

    found = pages()
    if asked.code is None:
        shown = dict(found)
        output.show(_list(found))
    else:
        page = _page(asked.code, found)
        shown = {page.code: page}
        output.show(_whole(page))
    output.document({"pages": [_document(page) for page in shown.values()]})


def _page(code: str, found: Mapping[str, Page]) -> Page:
    if page := found.get(code):
        return page
    raise UsageError(
        f"No finding or error has the code {code}.",
        did_you_mean(code, found),
        "To list all codes: migsync explain",
    )


def _list(found: Mapping[str, Page]) -> list[Block]:
    rows = ((code, page.kind, page.title) for code, page in found.items())
    return [table(("code", "kind", "title"), rows, indent=0, prose=True)]


def _whole(page: Page) -> Iterator[Block]:
    yield line(Span(page.code, Style.HEADING), Span(f"  {page.heading}", Style.DIM))
    width = min(get_terminal_size((WIDTH, 0)).columns, WIDTH)
    for part in (page.title, *page.body):
        yield EMPTY
        for text in part.splitlines():
            indent = "  " if text.startswith("- ") else ""
            # Prose is for people in a pipe too, which wraps nothing.
            yield from map(
                line, wrap(text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
            )


def _document(page: Page) -> dict[str, object]:
    return {
        "code": page.code,
        "kind": page.kind,
        "title": page.title,
        "text": list(page.body),
        "exit_status": page.exit_status,
        "page": page.address,
    }
