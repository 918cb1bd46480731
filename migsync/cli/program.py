"""The ``migsync`` program: its commands, and the one place where errors become messages and exit statuses."""

from __future__ import annotations

import os
from collections import UserDict
from collections.abc import Iterable, Sequence
from importlib import import_module
from itertools import pairwise

import click

from migsync import __version__
from migsync.cli.command import MigsyncGroup
from migsync.cli.completion import INSTRUCTION
from migsync.cli.help_text import WIDTH
from migsync.cli.output import Output
from migsync.cli.signals import last_words
from migsync.errors import ExitStatus, InDoubt, Interrupted, MigsyncError, ProjectError, UsageError
from migsync.words import did_you_mean

EPILOG = """
Exit status:
  0  done, or nothing to do
  1  refused or failed; nothing was changed
  2  there are differences (only with --check)
  3  the plan or the files are stale; nothing was changed
  4  could not get a lock or read a database in time
  5  some databases are done and some are not
  6  in doubt; run migsync recover
  64 wrong usage
  143 ended by SIGTERM; nothing was changed

Shell completion:
  in ~/.bashrc:
    eval "$(_MIGSYNC_COMPLETE=bash_source migsync)"
  in ~/.zshrc:
    eval "$(_MIGSYNC_COMPLETE=zsh_source migsync)"
  in ~/.config/fish/completions/migsync.fish:
    _MIGSYNC_COMPLETE=fish_source migsync | source

New here? Run: migsync demo
"""


COMMANDS = (
    "plan",
    "apply",
    "undo",
    "status",
    "log",
    "show",
    "script",
    "rewrite",
    "check",
    "init",
    "doctor",
    "verify",
    "repair",
    "recover",
    "linearize",
    "renumber",
    "fix_conflicts",
    "rebase",
    "squash",
    "remake",
    "tidy",
    "rename_app",
    "graph",
    "explain",
    "demo",
)
"""In the order of ``--help``: the modules of :mod:`migsync.cli.commands`, each with a function of the same name."""


class Commands(UserDict[str, click.Command]):
    """The commands by name. A module is imported when its command is asked for: no other one makes the shell wait."""

    def __init__(self, modules: Iterable[str]) -> None:
        super().__init__()
        self.data = dict.fromkeys((module.replace("_", "-") for module in modules), click.Command(None))

    def __getitem__(self, name: str) -> click.Command:
        """The command; raises KeyError for a name that is none."""
        if name not in self.data:
            raise KeyError(name)
        module = name.replace("-", "_")
        command: click.Command = getattr(import_module(f"migsync.cli.commands.{module}"), module)
        return command


@click.group(
    cls=MigsyncGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": WIDTH},
    epilog=EPILOG,
    commands=Commands(COMMANDS),
)
@click.version_option(__version__, prog_name="migsync", message="%(prog)s %(version)s")
@click.pass_context
def program(ctx: click.Context) -> None:
    """Update django_migrations after migration files were renamed, squashed or removed.

    migsync compares the migration files, the committed rewrites and the records of each database, and shows what must
    change. It changes each database in one transaction, keeps every applied timestamp, and can undo it exactly.

    Without a command, it says what it finds in this project, and what to do next.
    """
    if ctx.invoked_subcommand is None:
        from migsync.cli.overview import show_overview

        if not show_overview(ctx.obj):
            click.echo(ctx.get_help())


def run(arguments: Sequence[str], program_name: str = "migsync") -> int:
    """Run one command line and return its exit status; every message has been written."""
    output = Output(form="json" if _asks_for_json(arguments) else "text")
    if INSTRUCTION in os.environ:
        from migsync.cli import bash_words  # noqa: F401 -- click knows it by the import
    elif (error := _lost_directory()) is not None:
        output.error(error)
        return error.exit_status
    result = _run(list(arguments), program_name, output)
    if output.failure:
        # What was done was done all the same, but a caller must not take a plan that it never got for an empty one.
        output.tell_failure()
        return result or ExitStatus.REFUSED
    return result


def _lost_directory() -> ProjectError | None:
    """The error for a current directory that is not there: almost every command would ask for its name."""
    try:
        os.getcwd()  # noqa: PTH109 -- only whether there is one
    except OSError:
        return ProjectError(
            "The current directory does not exist any more.",
            "It was removed, or replaced by another one of the same name, while your shell was in it.",
            "Change to a directory that exists, or enter it again: cd DIRECTORY",
        )
    return None


def _run(arguments: list[str], program_name: str, output: Output) -> int:
    try:
        with output.progress.watching():
            # Else click would write its errors as text, whatever --format says, and end the process.
            ended = program.main(arguments, prog_name=program_name, standalone_mode=False, obj=output)
    except click.UsageError as error:
        output.error(_usage(error, program_name))
        return ExitStatus.USAGE
    except click.ClickException as error:
        output.error(MigsyncError(error.format_message()))
        return ExitStatus.REFUSED
    except (click.Abort, KeyboardInterrupt):
        with last_words():
            output.end_line()
            ended_by = _interruption(output)
            output.error(ended_by)
        return ended_by.exit_status
    except MigsyncError as error:
        output.error(error)
        return error.exit_status
    return int(ended or ExitStatus.DONE)


def _interruption(output: Output) -> MigsyncError:
    if not output.changing:
        return Interrupted("Interrupted. Nothing was changed.")
    # Ctrl-C came twice, or when the results were being written.
    found = "Interrupted while databases were being changed."
    return InDoubt(found, "migsync log lists what was done.", "Run: migsync recover")


def _usage(error: click.UsageError, program_name: str) -> UsageError:
    hint = f"{error.ctx.command_path if error.ctx else program_name} --help"
    if isinstance(error, click.NoSuchOption) and error.ctx:
        known = (name for parameter in error.ctx.command.get_params(error.ctx) for name in parameter.opts)
        near = did_you_mean(error.option_name, (name for name in known if name.startswith("--")))
        return UsageError(f"No such option: {error.option_name}.", near, hint)
    return UsageError(error.format_message(), hint=hint)


def _asks_for_json(arguments: Sequence[str]) -> bool:
    """Whether an error in the command line itself is to be JSON; click has read no option by then."""
    return "--format=json" in arguments or ("--format", "json") in pairwise(arguments)
