"""``migsync demo``."""

from __future__ import annotations

from pathlib import Path

import click

from migsync.cli.command import MigsyncCommand
from migsync.cli.options import option, option_group, options
from migsync.cli.output import Output
from migsync.cli.views.blocks import EMPTY, Span, Style, line
from migsync.cli.views.width import VARIABLE, width_of
from migsync.errors import MigsyncError


@option_group
class DemoOptions:
    """Where ``migsync demo`` makes its project."""

    directory: Path | None = option(
        "--dir",
        metavar="DIRECTORY",
        type=click.Path(path_type=Path),
        help="Create the project in DIRECTORY, which must be empty or not exist. Default: a new temporary directory.",
    )


@click.command(
    cls=MigsyncCommand,
    short_help="Try migsync on a small project that it creates.",
    examples="""
    migsync demo                    # in a new temporary directory
    migsync demo --dir ~/playshop   # in a directory of your choice
    """,
)
@options(DemoOptions, formats=("text",))
def demo(output: Output, asked: DemoOptions) -> None:
    """Show migsync at work on a small Django project that it creates, with two SQLite databases.

    Some migrations of the project are renamed and united by hand; then migsync brings both databases up to date. All
    output comes from the real commands. The project is kept, so that you can try more.
    """
    from migsync.demo.play import play
    from migsync.demo.stage import Stage

    stage = Stage(
        _prepared(asked.directory),
        say=lambda text: output.show([EMPTY, *(line(Span(f"# {part}", Style.HEADING)) for part in text.splitlines())]),
        type_=lambda text: output.show([EMPTY, line(Span(f"$ {text}", Style.COMMAND))]),
        show=output.raw,
        # The commands write into a pipe, and what they write is shown here.
        environment={VARIABLE: str(width)} if (width := width_of(output.out)) else {},
    )
    play(stage)


def _prepared(directory: Path | None) -> Path:
    if directory is None:
        import tempfile

        return Path(tempfile.mkdtemp(prefix="migsync-demo-"))
    try:
        directory.mkdir(parents=True, exist_ok=True)
        occupied = any(directory.iterdir())
    except OSError as error:
        raise MigsyncError(
            f"The directory {directory} cannot be used: {error.strerror}.", "", "Give another one: --dir DIRECTORY"
        ) from error
    if occupied:
        raise MigsyncError(
            f"The directory {directory} is not empty.",
            "The demo creates a whole project, and would mix it with the files there.",
            "Give --dir a directory that is empty or does not exist.",
        )
    return directory.resolve()
