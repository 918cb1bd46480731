"""Commands that a message prints to type next: with the options of the command that runs, which they would need too."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import click
from click.core import ParameterSource

from migsync.redaction import redact


def next_command(
    name: str, *arguments: str, without: Collection[str] = (), databases: Sequence[str] | None = None
) -> str:
    """The command line of `migsync NAME`, quoted for a shell.

    It repeats what was given to the command that runs, as far as `name` takes it: without ``--url`` it would mean
    another database, without ``--prune`` another plan. Options named in `without` are left out; `databases` stands in
    for those that were given. Passwords in URLs are masked.
    """
    words = ["migsync", *name.split(), *arguments]
    for alias in databases or ():
        words += ["--database", alias]
    left_out = {*without, *([] if databases is None else ["databases"])}
    return shlex.join([*words, *_repeated(name.split()[0], left_out)])


def _repeated(name: str, left_out: Collection[str]) -> Iterator[str]:
    context = click.get_current_context(silent=True)
    group = context.find_root().command if context else None
    if context is None or not isinstance(group, click.Group):
        return
    command = group.get_command(context, name)
    taken = {parameter.name for parameter in command.params if isinstance(parameter, click.Option)} if command else {}
    for parameter in context.command.params:
        if parameter.name in taken and parameter.name not in left_out and _was_given(context, parameter):
            yield from _words(parameter, context.params[parameter.name])


def _was_given(context: click.Context, parameter: click.Parameter) -> bool:
    name = parameter.name or ""
    return name in context.params and context.get_parameter_source(name) is ParameterSource.COMMANDLINE


def _words(parameter: click.Parameter, value: Any) -> Iterator[str]:  # noqa: ANN401 (whatever click made of it)
    option = next(option for option in parameter.opts if option.startswith("--"))
    if value is True:
        yield option
        return
    for each in value if parameter.multiple else [value]:
        yield option
        yield redact(str(each))
