"""Commands that a message prints to type next: with the options of the command that runs, which they would need too."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import click
from click.core import ParameterSource

from migsync.redaction import secrets_in

PROJECT = frozenset({"root", "settings", "url", "scratch"})
"""Options that say which project is meant, which databases it has, and where a scratch database can be made."""
COMMAND = re.compile(r"(?:^|(?<=: )|(?<=`))migsync [a-z][^\n`]*", re.MULTILINE)
"""A command in a hint: on a line of its own, behind a colon, or in backquotes."""
STATEMENTS = frozenset({"maps", "collapses", "removes", "news", "prune", "record", "unrecord", "positions"})
"""Options that a person says something with, about names or about the position of an app."""
PLANNING = STATEMENTS | {"apps", "accept", "prune_leftovers", "dedupe", "against_evidence", "no_journal"}
"""Options that make another plan: without them, what a hint is about would not be there."""
PLANS = frozenset({"plan", "apply", "script"})
CONSENT = frozenset({"noinput", "dry_run", "reason"})
"""Options that are about this one command: a person decides about them anew."""


def next_command(
    name: str, *arguments: str, without: Collection[str] = (), databases: Sequence[str] | None = None
) -> str:
    """The command line of `migsync NAME`, quoted for a shell.

    It repeats what was given to the command that runs, as far as `name` takes it: without ``--url`` it would mean
    another database, without ``--prune`` another plan. Options named in `without` are left out; `databases` stands in
    for those that were given. A URL with a secret in it is printed as ``URL``.
    """
    words = ["migsync", *name.split(), *arguments]
    for alias in databases or ():
        words += ["--database", alias]
    left_out = {*CONSENT, *without, *([] if databases is None else ["databases"])}
    return shlex.join([*words, *_repeated(name.split()[0], left_out)])


def same_command(*arguments: str) -> str:
    """The command that runs, with its own arguments and then `arguments`; quoted for a shell."""
    context = click.get_current_context()
    own: list[str] = []
    for parameter in context.command.params:
        if isinstance(parameter, click.Argument) and (value := context.params[parameter.name or ""]):
            own += map(str, value if parameter.nargs == -1 else [value])
    options = {argument.lstrip("-").replace("-", "_") for argument in arguments}
    return next_command(context.command.name or "", *own, *arguments, without=options)


def for_this_project(hint: str) -> str:
    """The hint of a finding or an error, each command in it with what it needs to work in this state.

    These are the options that say where this project is; and for a new plan, those that this plan was made with.
    """
    return COMMAND.sub(lambda found: _for_this_project(found[0]), hint)


def _for_this_project(command: str) -> str:
    context = click.get_current_context(silent=True)
    words = command.split()
    if context is None or "--help" in words:
        return command
    options = PROJECT | PLANNING if words[1] in PLANS else PROJECT
    # Of statements there may be more than one.
    wanted = {name for name in options if name in STATEMENTS or f"--{name.replace('_', '-')}" not in words}
    others = {parameter.name or "" for parameter in context.command.params} - wanted
    said = {topic for word in words for topic in _topics(word)}
    return " ".join([command, *map(shlex.quote, _repeated(words[1], others, said))])


def _topics(statement: str) -> Iterator[str]:
    """What a statement is about: each old name, each new name, or the position of an app.

    A hint that says something else about the same is to be typed in place of what was given.
    """
    left, equals, right = statement.strip("'").partition("=")
    app, dot, name = left.partition(".")
    if not dot:
        yield from [f"position of {app}"] if equals else []
        return
    olds, news = (right, name) if "+" in left or "+" in right else (name, right)
    yield from (f"old {app}.{each}" for each in olds.split("+"))
    yield from (f"new {app}.{each}" for each in filter(None, news.split("+")))


def _repeated(name: str, left_out: Collection[str], said: Collection[str] = ()) -> Iterator[str]:
    """The options that were given to the command that runs and that `name` takes.

    Without those in `left_out`, and without statements about what is `said` already.
    """
    context = click.get_current_context(silent=True)
    group = context.find_root().command if context else None
    if context is None or not isinstance(group, click.Group):
        return
    command = group.get_command(context, name)
    taken = {parameter.name for parameter in command.params if isinstance(parameter, click.Option)} if command else {}
    # Defaults and what comes from the environment hold for the next command as well; only what was typed is repeated.
    # An argument may have the name of an option there, as PLAN of `apply` has that of `--output` of `plan`.
    for parameter in filter(_is_option, context.command.params):
        if parameter.name in taken and parameter.name not in left_out and _was_given(context, parameter):
            value = context.params[parameter.name]
            if parameter.name in STATEMENTS:
                value = [each for each in value if set(said).isdisjoint(_topics(each))]
            yield from _words(parameter, value)


def _is_option(parameter: click.Parameter) -> bool:
    return isinstance(parameter, click.Option)


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
        # A number of seconds is a float, also where 30 was typed.
        text = str(each).removesuffix(".0") if isinstance(each, float) else str(each)
        yield _public(text) if parameter.name == "url" else text


def _public(url: str) -> str:
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        return "URL"
    return "URL" if parsed.password is not None or secrets_in(parsed.query) else url
