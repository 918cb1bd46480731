"""What a rewriting command proves on scratch databases, and the report of it: options, and what they ask for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from migsync.cli.options import packed, together
from migsync.errors import UsageError

if TYPE_CHECKING:
    from migsync.proof.wishes import Wishes
    from migsync.refactor.pipeline import Draft
    from migsync.sync.planning import Survey

NAMES = ("prove_schema", "no_prove_schema", "prove_transition", "no_prove_transition", "report")
SUFFIXES = (".md", ".html")
RUN = "Migrations really run: Django's mail, caches and storages stay local; HTTP and task queues do not."
DEFAULT = ""
"""The value of an option that was given without an alias."""


@dataclass(frozen=True)
class Proving:
    """The values of `proving_options`; `always` where a command proves schema, data and transition unasked."""

    always: bool = False
    prove_schema: tuple[str, ...] = ()
    no_prove_schema: bool = False
    prove_transition: tuple[str, ...] = ()
    no_prove_transition: bool = False
    report: Path | None = None

    def wishes(self) -> Wishes:
        """The same as the pipeline wants it. Raises UsageError for options that exclude each other."""
        from migsync.proof.wishes import Wishes

        for name, aliases, never in (
            ("schema", self.prove_schema, self.no_prove_schema),
            ("transition", self.prove_transition, self.no_prove_transition),
        ):
            if aliases and never:
                raise UsageError(f"--prove-{name} and --no-prove-{name} exclude each other.")
        return Wishes(
            self._wish(self.prove_schema, self.no_prove_schema),
            self._wish(self.prove_transition, self.no_prove_transition),
            data=self.always,
        )

    def _wish(self, aliases: tuple[str, ...], never: bool) -> tuple[str, ...] | None:
        if never or not (self.always or aliases):
            return None
        return tuple(alias for alias in aliases if alias != DEFAULT)


def write_report(path: Path, draft: Draft, survey: Survey) -> None:
    """Write the report of a draft that was made from `survey`. Raises MigsyncError where that cannot be."""
    from migsync.cli.output import write_output
    from migsync.refactor.report import make_report, report_text

    write_output(path, report_text(make_report(draft, survey.history, survey.project.root), path))


def _report(ctx: click.Context, parameter: click.Parameter, value: Path | None) -> Path | None:
    if value is not None and value.suffix.lower() not in SUFFIXES:
        raise click.BadParameter(f"{value} is neither .md nor .html: the suffix says which it is to be.")
    if value is not None and not value.parent.is_dir():
        raise click.BadParameter(f"There is no directory {value.parent}.")
    return value


report_option = click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=_report,
    metavar="FILE",
    help="Write what changes and what was proven to FILE, .md or .html; with --dry-run too.",
)


def proving_options(*, always: bool) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """--prove-schema, --prove-transition, --report, handed on as `proving`; with `always` what turns the proofs off."""
    if always:
        options = together(
            click.option(
                "--prove-schema",
                metavar="ALIAS",
                multiple=True,
                help=f"Compare schemas and rows on ALIAS's engine only. Default: on each engine in use. {RUN}",
            ),
            click.option(
                "--no-prove-schema", is_flag=True, help="Do not compare the schemas that old and new files build."
            ),
            click.option(
                "--prove-transition",
                metavar="ALIAS",
                multiple=True,
                help="Prove on ALIAS's engine that every database that is behind comes out the same. Default: SQLite.",
            ),
            click.option(
                "--no-prove-transition", is_flag=True, help="Do not prove what becomes of databases that are behind."
            ),
            report_option,
        )
    else:
        options = together(
            click.option(
                "--prove-schema",
                metavar="[ALIAS]",
                multiple=True,
                is_flag=False,
                flag_value="default",
                help="Build the old and the new history on scratch databases of ALIAS's engine; compare the schemas. "
                f"{RUN}",
            ),
            click.option(
                "--prove-transition",
                metavar="[ALIAS]",
                multiple=True,
                is_flag=False,
                flag_value=DEFAULT,
                help="Prove on SQLite, or on ALIAS's engine, that every database that is behind comes out the same.",
            ),
            report_option,
        )

    def pack(values: dict[str, Any]) -> Proving:
        return Proving(always, **values)

    names = NAMES if always else tuple(name for name in NAMES if not name.startswith("no_"))
    return lambda function: options(packed("proving", names, pack, function))
