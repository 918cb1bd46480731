"""``migsync demo``."""

from __future__ import annotations

from pathlib import Path

import click

from migsync.cli.command import MigsyncCommand
from migsync.cli.options import option, option_group, options
from migsync.cli.output import Output
from migsync.cli.views.blocks import EMPTY, Span, Style, line
from migsync.errors import MigsyncError


@option_group
class DemoOptions:
    """Where ``migsync demo`` makes its project."""

    directory: Path | None = option(
        "--dir",
        metavar="PATH",
        type=click.Path(path_type=Path),
        help="Make the project here; the directory must be empty or not be there. Default: a new temporary one.",
    )


@click.command(
    cls=MigsyncCommand,
    short_help="See it all at work on a small project made for you.",
    examples="""
    migsync demo                    # in a new temporary directory
    migsync demo --dir ~/playshop   # in a directory of your choice
    """,
)
@options(DemoOptions, formats=("text",))
def demo(output: Output, asked: DemoOptions) -> None:
    """Make a small Django project with two SQLite databases, tidy its migrations by hand, and bring both in line.

    Every line of output shown is what the real commands write. Nothing is cleaned up: the project stays to play with.
    """
    from migsync.demo.play import play
    from migsync.demo.stage import Stage

    stage = Stage(
        _prepared(asked.directory),
        say=lambda text: output.show([EMPTY, *(line(Span(f"# {part}", Style.HEADING)) for part in text.splitlines())]),
        type_=lambda text: output.show([EMPTY, line(Span(f"$ {text}", Style.COMMAND))]),
        show=output.raw,
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
        raise MigsyncError(f"The directory {directory} cannot be used: {error.strerror}.") from error
    if occupied:
        raise MigsyncError(
            f"The directory {directory} is not empty.",
            "The demo writes a whole project and would mix it with what is there.",
            "Give --dir a directory that is empty or not there.",
        )
    return directory.resolve()
