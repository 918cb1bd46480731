"""The click classes of migsync: commands with examples, listed in the order of use."""

from __future__ import annotations

import inspect
from typing import Any

import click

from migsync.cli.help_text import HelpText, example_lines
from migsync.cli.next_command import for_this_project
from migsync.errors import MigsyncError, UsageError
from migsync.words import did_you_mean


class MigsyncContext(click.Context):
    """A context that writes help in our form."""

    formatter_class = HelpText


class MigsyncCommand(click.Command):
    """A command whose help ends with examples."""

    context_class = MigsyncContext

    def __init__(self, *args: Any, examples: str = "", **kwargs: Any) -> None:  # noqa: ANN401 (click's own)
        super().__init__(*args, **kwargs)
        self.examples = inspect.cleandoc(examples)

    def get_help_option_names(self, ctx: click.Context) -> list[str]:
        """The same in every context: click keeps the option as the first one asked for it."""
        return ["-h", "--help"]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse them. An empty value is refused: a variable of the shell without a value would widen what is done."""
        given = list(args)
        try:
            rest = super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx  # whose help is the one to read
            raise
        if "" in given or any(argument.endswith("=") for argument in given):
            # Asked for again, since types and defaults have hidden it in the values that the context holds.
            raw, _, _ = self.make_parser(ctx).parse_args(args=given)
            for parameter in self.params:
                value = raw.get(parameter.name or "")
                if not ctx.resilient_parsing and (value == "" or (isinstance(value, (list, tuple)) and "" in value)):
                    raise click.BadParameter("It is empty. Give a value, or leave it out.", ctx, parameter)
        return rest

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 (as click declares it)
        """Run it. The commands in the hint of an error get the options that say where this project is."""
        try:
            return super().invoke(ctx)
        except MigsyncError as error:
            # Here, since the context is gone where the error is shown.
            error.hint = for_this_project(error.hint)
            raise

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        super().format_epilog(ctx, formatter)
        if self.examples:
            with formatter.section("Examples"):
                room = formatter.width - formatter.current_indent
                formatter.write("".join(f"  {line}".rstrip() + "\n" for line in example_lines(self.examples, room)))


class MigsyncGroup(click.Group):
    """The group of all commands."""

    context_class = MigsyncContext

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in the order they were added: the order in which a person meets them."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is named. Raises UsageError, with what a misspelled name may have meant."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-") and not ctx.resilient_parsing:
            near = did_you_mean(name, self.commands)
            raise UsageError(f"No such command: {name}.", near, f"{ctx.command_path} --help")
        return super().resolve_command(ctx, args)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the epilog as it was written: it holds commands to type."""
        if self.epilog:
            formatter.write_paragraph()
            formatter.write(inspect.cleandoc(self.epilog) + "\n")
