"""Options, each spelled once: a class is a group of options, and its fields hold the values that a command gets.

::

    @option_group
    class GreetOptions:
        names: tuple[str, ...] = arguments(metavar="[NAME]...")
        aloud: bool = flag(help="Shout.")
        consent: ConsentOptions = group(ConsentOptions)

    @click.command(cls=MigsyncCommand)
    @options(GreetOptions, ProjectOptions)
    def greet(output: Output, greeting: GreetOptions, where: ProjectOptions) -> ExitStatus: ...

``--help`` lists the options in the order of the fields. Here is the way to write groups, and the groups that several
commands have; the options of one command stand in its own module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform

import click

from migsync.cli.output import Output
from migsync.cli.views.findings import NO_JOURNAL

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from migsync.project import Project
    from migsync.sync.survey import PlanRequest

T = TypeVar("T")
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


@dataclass_transform(frozen_default=True)
def option_group(cls: type[T]) -> type[T]:
    """Make a class a group of options, each a field that one of the functions below makes.

    It is a dataclass without methods, which only `options` makes objects of. The methods of thirty groups would take an
    eighth of the time of ``migsync --help``.
    """
    return dataclass(init=False, repr=False, eq=False)(cls)


def option(*names: str, default: Any = None, **settings: Any) -> Any:  # noqa: ANN401 -- a value of the field's type
    """A field that is an option with one value; `settings` are those of :func:`click.option`.

    The option is called as the field (``--lock-timeout`` for ``lock_timeout``) unless `names` are given.
    """
    if default is not None:
        settings["default"] = default
    return _parameter(_option(names, settings), default)


def flag(*names: str, help: str) -> bool:  # noqa: A002 -- click's word for it
    """A field that is an option without a value: True where it is given."""
    return _parameter(_option(names, {"is_flag": True, "help": help}), False)


def repeated(*names: str, **settings: Any) -> tuple[str, ...]:  # noqa: ANN401 -- click's own
    """A field that is an option to be given again and again: all of its values, in that order."""
    return _parameter(_option(names, {"multiple": True, **settings}), ())


def argument(**settings: Any) -> Any:  # noqa: ANN401 -- a value of the field's type
    """A field that is a positional argument; it must be given unless ``required=False``."""
    return _parameter(lambda name: click.argument(name, **settings), None)


def arguments(**settings: Any) -> tuple[str, ...]:  # noqa: ANN401 -- click's own
    """A field that is all remaining positional arguments."""
    return _parameter(lambda name: click.argument(name, nargs=-1, **settings), ())


def group(cls: type[T]) -> T:
    """A field that is a group of options itself; they are listed where the field stands."""
    return field(default_factory=cls, metadata={"group": cls})


def _parameter(make: Callable[[str], Decorator], default: T) -> T:
    return field(default=default, metadata={"parameter": make})


def _option(names: tuple[str, ...], settings: dict[str, Any]) -> Callable[[str], Decorator]:
    # Click names a parameter after its longest option. Here it is always the field.
    return lambda name: click.option(*(names or [f"--{name.replace('_', '-')}"]), name, **settings)


def options(*groups: type[DataclassInstance], formats: tuple[str, ...] = ("text", "json")) -> Decorator:
    """Give a command the options of `groups` and, last, those that say how output looks.

    The function is called with the :class:`~migsync.cli.output.Output`, and with an object of each group.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def callback(**values: Any) -> Any:  # noqa: ANN401 -- whatever the command returns
            output = click.get_current_context().obj
            return function(output, *(_instance(each, values) for each in groups))

        made: Callable[..., Any] = callback
        decorators = [decorator for each in groups for decorator in _parameters(each)]
        # Decorators that stand one above the other are applied from the last one up.
        for decorator in reversed([*decorators, *_output_options(formats)]):
            made = decorator(made)
        return made

    return decorate


def _parameters(cls: type[DataclassInstance]) -> Iterator[Decorator]:
    for each in fields(cls):
        if inner := each.metadata.get("group"):
            yield from _parameters(inner)
        else:
            yield each.metadata["parameter"](each.name)


def _instance(cls: type[T], values: dict[str, Any]) -> T:
    made = cls()
    for each in fields(cls):  # type: ignore[arg-type]
        inner = each.metadata.get("group")
        setattr(made, each.name, _instance(inner, values) if inner else values[each.name])
    return made


def names_of(cls: type[DataclassInstance]) -> Iterator[str]:
    """The names of all options of a group, as click's parameters have them."""
    for each in fields(cls):
        inner = each.metadata.get("group")
        yield from names_of(inner) if inner else [each.name]


def values_of(options: DataclassInstance) -> dict[str, Any]:
    """The values of all options of a group by name, those of the groups in it too."""
    values: dict[str, Any] = {}
    for each in fields(options):
        value = getattr(options, each.name)
        values |= values_of(value) if "group" in each.metadata else {each.name: value}
    return values


def _output_options(formats: tuple[str, ...]) -> list[Decorator]:
    """How output looks: --format (left out where there is only one), --color, --verbose.

    They are eager and land on the context's :class:`~migsync.cli.output.Output` at once: what is wrong with the rest of
    the command line is said in the format that was asked for.
    """

    def keep(name: str) -> dict[str, Any]:
        def callback(ctx: click.Context, parameter: click.Parameter, value: object) -> None:
            setattr(ctx.ensure_object(Output), name, value)

        return {"expose_value": False, "is_eager": True, "callback": callback}

    form = click.option(
        "--format",
        type=click.Choice(formats),
        default="text",
        show_default=True,
        help="Text for people, or one JSON document on standard output.",
        **keep("form"),
    )
    colour = click.option(
        "--color",
        type=click.Choice(("auto", "always", "never")),
        default="auto",
        show_default=True,
        help="Colour on a terminal only (auto); the variable NO_COLOR turns it off too.",
        **keep("colour"),
    )
    verbose = click.option("--verbose", is_flag=True, help="Leave nothing out of long lists.", **keep("verbose"))
    return [*([form] if len(formats) > 1 else []), colour, verbose]


@option_group
class ProjectOptions:
    """Which project is meant, and how patient to be with its databases."""

    root: Path | None = option(
        type=click.Path(file_okay=False, exists=True, path_type=Path),
        help="The project's directory. Default: where manage.py or [tool.migsync] is, here or above.",
    )
    settings: str | None = option(metavar="MODULE", help="The settings module. Default: as manage.py has it.")
    url: str | None = option(metavar="URL", help="Use this one database, and none of the settings.")
    lock_timeout: float | None = option(
        type=click.FloatRange(min=0),
        metavar="SECONDS",
        help="How long to wait for a lock in a database. Default: lock-timeout in pyproject.toml, or 10.",
    )

    def project(self, *, files_only: bool = False) -> Project:
        """Find it; raises ProjectError. `files_only`: also one whose settings do not import."""
        from migsync.project import find_project

        project = find_project(settings=self.settings, url=self.url, root=self.root, files_only=files_only)
        return project if self.lock_timeout is None else replace(project, lock_timeout=self.lock_timeout)


@option_group
class TargetOptions:
    """Which databases; none: all of the project."""

    databases: tuple[str, ...] = repeated(
        "--database",
        "-d",
        metavar="ALIAS",
        help="Only this database; give it again for more. Default: all of the project.",
    )


@option_group
class AppOptions:
    """Which apps; none: all of the project."""

    apps: tuple[str, ...] = repeated(
        "--app", metavar="LABEL", help="Only this app; give it again for more. Default: all."
    )


@option_group
class NameOptions:
    """What became of names, as a person says it."""

    maps: tuple[str, ...] = repeated("--map", metavar="APP.OLD=NEW", help="OLD is called NEW now.")
    collapses: tuple[str, ...] = repeated(
        "--collapse",
        metavar="APP.NEW=OLD+OLD",
        help="NEW does what several did before; NEW+NEW where several do it now.",
    )
    removes: tuple[str, ...] = repeated("--remove", metavar="APP.NAME", help="NAME is gone, and nothing stands for it.")


@option_group
class PlanningOptions:
    """What a new plan takes into account. The options are called as the fields of `PlanRequest`."""

    where: TargetOptions = group(TargetOptions)
    apps: tuple[str, ...] = repeated("--app", metavar="LABEL", help="Only this app; give it again for more.")
    names: NameOptions = group(NameOptions)
    accept: bool = flag(help="Take the pairs that are only likely, as if each were mapped.")
    prune: tuple[str, ...] = repeated(
        metavar="APP[.NAME]", help="Remove these records: one of no migration, or all of an app that is gone."
    )
    dedupe: bool = flag(help="Of records that are twice, keep the one applied first.")
    positions: tuple[str, ...] = repeated(
        "--position",
        metavar="APP=REWRITE",
        help="Say which rewrite an app's records have last been through, where it cannot be told.",
    )
    backwards: bool = flag(help="Let records go back to older names, where a database is ahead of these files.")

    def request(self, *, trust_names: bool) -> PlanRequest:
        """The options as a request to the survey. With `trust_names` no journal is expected in the databases."""
        from migsync.sync.survey import PlanRequest

        return PlanRequest(**values_of(self), trust_names=trust_names)

    def any_but(self, *names: str) -> bool:
        """Whether an option was given that is not among `names`."""
        return any(value for name, value in values_of(self).items() if name not in names)


@option_group
class NoInputOptions:
    """Going on without a question."""

    noinput: bool = flag("--noinput", "--no-input", "--yes", "-y", help="Ask nothing: the answer is yes.")


@option_group
class ConsentOptions(NoInputOptions):
    """Going on without a question, or stopping before it."""

    dry_run: bool = flag(help="Show what would be done, and do nothing.")


@option_group
class ReasonOptions:
    """What the log is to say of a run."""

    reason: str = option(default="", metavar="TEXT", help="A note for the log.")


@option_group
class JournalOptions:
    """Whether the databases keep a journal."""

    no_journal: bool = flag(
        NO_JOURNAL,
        help="For databases that keep no journal, where you may not create tables. Then there is no migsync undo.",
    )
