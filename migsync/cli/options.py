"""The options that several commands share, each defined once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import reduce, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from migsync.cli.output import Output
from migsync.cli.views.findings import NO_JOURNAL

if TYPE_CHECKING:
    from migsync.project import Project
    from migsync.sync.planning import PlanRequest

F = TypeVar("F", bound=Callable[..., Any])
ASKED = ("databases", "apps", "maps", "collapses", "removes", "accept", "prune", "dedupe", "positions", "backwards")


def together(*decorators: Callable[[F], F]) -> Callable[[F], F]:
    """Several decorators as one; help lists their options in this order."""
    return lambda function: reduce(lambda done, decorator: decorator(done), reversed(decorators), function)


def _set(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    """A callback that keeps an option's value on the context's `Output`."""

    def keep(ctx: click.Context, parameter: click.Parameter, value: object) -> None:
        setattr(ctx.ensure_object(Output), name, value)

    return keep


def output_options(*, forms: tuple[str, ...] = ("text", "json")) -> Callable[[F], F]:
    """How output looks: --format (left out where there is only one), --color, --verbose."""
    form = click.option(
        "--format",
        type=click.Choice(forms),
        default="text",
        show_default=True,
        expose_value=False,
        is_eager=True,
        callback=_set("form"),
        help="Text for people, or one JSON document on standard output.",
    )
    return together(
        *([form] if len(forms) > 1 else []),
        click.option(
            "--color",
            type=click.Choice(("auto", "always", "never")),
            default="auto",
            show_default=True,
            expose_value=False,
            is_eager=True,
            callback=_set("colour"),
            help="Colour on a terminal only (auto); the variable NO_COLOR turns it off too.",
        ),
        click.option(
            "--verbose",
            is_flag=True,
            expose_value=False,
            is_eager=True,
            callback=_set("verbose"),
            help="Leave nothing out of long lists.",
        ),
    )


@dataclass(frozen=True)
class Where:
    """Which project is meant: the values of `project_options`."""

    root: Path | None = None
    settings: str | None = None
    url: str | None = None
    lock_timeout: float | None = None

    def project(self, *, files_only: bool = False) -> Project:
        """Find it; raises ProjectError. `files_only`: also one whose settings do not import."""
        from migsync.project import find_project

        project = find_project(settings=self.settings, url=self.url, root=self.root, files_only=files_only)
        return project if self.lock_timeout is None else replace(project, lock_timeout=self.lock_timeout)


noinput_option = click.option(
    "--noinput", "--no-input", "--yes", "-y", "noinput", is_flag=True, help="Ask nothing: the answer is yes."
)


def project_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Which project, and how patient with it: --root, --settings, --url, --lock-timeout, handed on as `where`."""
    return together(
        click.option(
            "--root",
            type=click.Path(file_okay=False, exists=True, path_type=Path),
            help="The project's directory. Default: where manage.py or [tool.migsync] is, here or above.",
        ),
        click.option("--settings", metavar="MODULE", help="The settings module. Default: as manage.py has it."),
        click.option("--url", metavar="URL", help="Use this one database, and none of the settings."),
        click.option(
            "--lock-timeout",
            type=click.FloatRange(min=0),
            metavar="SECONDS",
            help="How long to wait for a lock in a database. Default: lock-timeout in pyproject.toml, or 10.",
        ),
    )(packed("where", ("root", "settings", "url", "lock_timeout"), lambda values: Where(**values), function))


def database_option(function: F) -> F:
    """Which databases: --database, again for each."""
    return click.option(
        "--database",
        "-d",
        "databases",
        metavar="ALIAS",
        multiple=True,
        help="Only this database; give it again for more. Default: all of the project.",
    )(function)


def name_options(function: F) -> F:
    """What became of names: --map, --collapse, --remove."""
    return together(
        click.option("--map", "maps", metavar="APP.OLD=NEW", multiple=True, help="OLD is called NEW now."),
        click.option(
            "--collapse",
            "collapses",
            metavar="APP.NEW=OLD+OLD",
            multiple=True,
            help="NEW does what several did before; NEW+NEW where several do it now.",
        ),
        click.option(
            "--remove", "removes", metavar="APP.NAME", multiple=True, help="NAME is gone, and nothing stands for it."
        ),
    )(function)


def planning_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """What a new plan takes into account, --database included; handed on as the mapping `asked`."""
    return together(
        database_option,
        click.option("--app", "apps", metavar="LABEL", multiple=True, help="Only this app; give it again for more."),
        name_options,
        click.option("--accept", is_flag=True, help="Take the pairs that are only likely, as if each were mapped."),
        click.option(
            "--prune",
            metavar="APP[.NAME]",
            multiple=True,
            help="Remove these records: one of no migration, or all of an app that is gone.",
        ),
        click.option("--dedupe", is_flag=True, help="Of records that are twice, keep the one applied first."),
        click.option(
            "--position",
            "positions",
            metavar="APP=REWRITE",
            multiple=True,
            help="Say which rewrite an app's records have last been through, where it cannot be told.",
        ),
        click.option(
            "--backwards",
            is_flag=True,
            help="Let records go back to older names, where a database is ahead of these files.",
        ),
    )(packed("asked", ASKED, dict, function))


def consent_options(function: F) -> F:
    """Going on without a question: --noinput, and to the end of it: --dry-run."""
    return together(
        noinput_option,
        click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing."),
    )(function)


reason_option = click.option("--reason", default="", metavar="TEXT", help="A note for the log.")

journal_option = click.option(
    NO_JOURNAL,
    is_flag=True,
    help="For databases that keep no journal, where you may not create tables. Then there is no migsync undo.",
)


def plan_request(asked: Mapping[str, Any], *, trust_names: bool = False) -> PlanRequest:
    """The values of `planning_options` as the planning wants them."""
    from migsync.sync.planning import PlanRequest

    return PlanRequest(**asked, trust_names=trust_names)


def packed(
    name: str, options: tuple[str, ...], pack: Callable[[dict[str, Any]], Any], function: Callable[..., Any]
) -> Callable[..., Any]:
    """`function` with the values of several options as one argument."""

    @wraps(function)
    def packing(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 (whatever click passes)
        return function(*args, **{name: pack({option: kwargs.pop(option) for option in options})}, **kwargs)

    return packing
