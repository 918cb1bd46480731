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

from migsync.cli.completion import completed, remember
from migsync.cli.output import FORMS, Output
from migsync.cli.views.findings import NO_JOURNAL
from migsync.words import text_list

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from migsync.project import Project
    from migsync.sync.plan_request import PlanRequest

T = TypeVar("T")
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

ONLY_APP = "Use only this app. Can be repeated. Default: every app of the project."


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
    return _parameter(lambda name: click.argument(name, **completed(settings)), None)


def arguments(**settings: Any) -> tuple[str, ...]:  # noqa: ANN401 -- click's own
    """A field that is all remaining positional arguments."""
    return _parameter(lambda name: click.argument(name, nargs=-1, **completed(settings)), ())


def group(cls: type[T]) -> T:
    """A field that is a group of options itself; they are listed where the field stands."""
    return field(default_factory=cls, metadata={"group": cls})


def _parameter(make: Callable[[str], Decorator], default: T) -> T:
    return field(default=default, metadata={"parameter": make})


def _option(names: tuple[str, ...], settings: dict[str, Any]) -> Callable[[str], Decorator]:
    # Click names a parameter after its longest option. Here it is always the field.
    return lambda name: click.option(*(names or [f"--{name.replace('_', '-')}"]), name, **completed(settings))


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
            output = ctx.ensure_object(Output)
            setattr(output, name, value)
            output.command = ctx.command.name or ""

        return {"expose_value": False, "is_eager": True, "callback": callback}

    form = click.option(
        "--format",
        type=click.Choice(formats),
        default="text",
        show_default=True,
        help=f"Print {text_list(map(FORMS.__getitem__, formats), last='or')}.",
        **keep("form"),
    )
    colour = click.option(
        "--color",
        type=click.Choice(("auto", "always", "never")),
        default="auto",
        show_default=True,
        help="Use colour. auto: on a terminal, unless NO_COLOR is set.",
        **keep("colour"),
    )
    verbose = click.option("--verbose", is_flag=True, help="Show long lists in full; log progress.", **keep("verbose"))
    return [*([form] if len(formats) > 1 else []), colour, verbose]


@option_group
class RootOptions:
    """Which project is meant, where only its files matter."""

    root: Path | None = option(
        metavar="DIRECTORY",
        type=click.Path(file_okay=False, exists=True, path_type=Path),
        help="Use the project in DIRECTORY. Default: the current directory or the nearest one above it that has "
        "manage.py or [tool.migsync].",
    )


@option_group
class ProjectOptions:
    """Which project is meant, and how patient to be with its databases."""

    files: RootOptions = group(RootOptions)
    settings: str | None = option(
        metavar="MODULE",
        help="Use this settings module. Default: DJANGO_SETTINGS_MODULE, pyproject.toml or manage.py.",
    )
    url: str | None = option(metavar="URL", help="Use only the database at URL, and none of the settings.")
    lock_timeout: float | None = option(
        type=click.FloatRange(min=0),
        metavar="SECONDS",
        help="Wait at most this long for a lock in a database. Default: 10, or lock-timeout in pyproject.toml.",
    )

    def project(self, *, files_only: bool = False) -> Project:
        """Find it; raises ProjectError. `files_only`: also one whose settings do not import."""
        from migsync.project import find_project

        project = find_project(settings=self.settings, url=self.url, root=self.files.root, files_only=files_only)
        remember(project)
        return project if self.lock_timeout is None else replace(project, lock_timeout=self.lock_timeout)


@option_group
class TargetOptions:
    """Which databases; none: all of the project."""

    databases: tuple[str, ...] = repeated(
        "--database",
        "-d",
        metavar="ALIAS",
        help="Use only this database: an alias, or a schema of an entry, such as tenants:acme or 'tenants:a*'. "
        "Can be repeated. Default: every database of the project.",
    )


@option_group
class AppOptions:
    """Which apps; none: all of the project."""

    apps: tuple[str, ...] = repeated("--app", metavar="APP", help=ONLY_APP)


@option_group
class NameOptions:
    """What became of names, as a person says it."""

    maps: tuple[str, ...] = repeated(
        "--map", metavar="APP.OLD=NEW", help="State that OLD was renamed to NEW. Can be repeated."
    )
    collapses: tuple[str, ...] = repeated(
        "--collapse",
        metavar="APP.NEW=OLD+OLD",
        help="State that NEW replaced several migrations. If several new ones did: APP.NEW+NEW=OLD+OLD. Can be "
        "repeated.",
    )
    removes: tuple[str, ...] = repeated(
        "--remove", metavar="APP.NAME", help="State that NAME was removed and nothing replaced it. Can be repeated."
    )
    news: tuple[str, ...] = repeated(
        "--new",
        metavar="APP.NAME",
        help="State that the file NAME is a new migration. What had this name before was renamed or removed, as --map, "
        "--collapse or --remove states. Can be repeated.",
    )


AGAINST_EVIDENCE = (
    "Go on although evidence (git, a journal, a rewrite, or what ran when it was guarded) says otherwise."
)


@option_group
class PlanningOptions:
    """What a new plan takes into account. The options are called as the fields of `PlanRequest`."""

    where: TargetOptions = group(TargetOptions)
    apps: tuple[str, ...] = repeated("--app", metavar="APP", help=ONLY_APP)
    names: NameOptions = group(NameOptions)
    accept: bool = flag(help="Accept renames that are likely but not proven, as if each was stated with --map.")
    prune: tuple[str, ...] = repeated(
        metavar="APP[.NAME]",
        help="Remove a record that has no migration file, or all records of an app that is gone. A pattern such as "
        "'shop.*' removes all that it matches, that have no file and that nothing else explains. Can be repeated.",
    )
    record: tuple[str, ...] = repeated(
        metavar="APP.NAME",
        help="State that the migration NAME ran, and record it. Needs a reason (--reason). Can be repeated.",
    )
    unrecord: tuple[str, ...] = repeated(
        metavar="APP.NAME",
        help="State that the migration NAME did not run, and remove its record. Needs a reason. Can be repeated.",
    )
    prune_leftovers: bool = flag(help="Remove all records that have no file and that nothing explains.")
    dedupe: bool = flag(help="Remove duplicate records, and keep the one that was applied first.")
    positions: tuple[str, ...] = repeated(
        "--position",
        metavar="APP=REWRITE",
        help="State the last rewrite that was applied to the records of APP, or none, if migsync cannot tell. Can be "
        "repeated.",
    )
    against_evidence: bool = flag(help=AGAINST_EVIDENCE)
    backwards: bool = flag(help="Allow a database that is ahead of the files to go back to their older names.")

    def request(self, *, trust_names: bool) -> PlanRequest:
        """The options as a request to the survey. With `trust_names` no journal is expected in the databases."""
        from migsync.sync.plan_request import PlanRequest

        values = values_of(self)
        if values.pop("prune_leftovers"):
            values["prune"] = (*values["prune"], "*.*")
        return PlanRequest(**values, trust_names=trust_names)

    def any_but(self, *names: str) -> bool:
        """Whether an option was given that is not among `names`."""
        return any(value for name, value in values_of(self).items() if name not in names)


@option_group
class NoInputOptions:
    """Going on without a question."""

    noinput: bool = flag("--noinput", "--no-input", "--yes", "-y", help="Do not ask for confirmation.")


@option_group
class ConsentOptions(NoInputOptions):
    """Going on without a question, or stopping before it."""

    dry_run: bool = flag(help="Show what would be done, and change nothing.")


@option_group
class ReasonOptions:
    """What the log is to say of a run."""

    reason: str = option(default="", metavar="TEXT", help="Keep TEXT in the log, as the reason for the run.")


@option_group
class JournalOptions:
    """Whether the databases keep a journal."""

    no_journal: bool = flag(
        NO_JOURNAL,
        help="Work without a journal, where you may not create tables. migsync undo is not possible then.",
    )
