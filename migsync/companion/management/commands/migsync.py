"""``python manage.py migsync …``: the ``migsync`` command line, with the settings of the Django that runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from migsync.cli.program import run
from migsync.cli.signals import terminable

# What django-admin itself takes before any command does; by then it has done what they ask for.
TAKEN_BY_DJANGO = ("--settings", "--pythonpath")


class Command(BaseCommand):
    """Hands all its arguments on as they are."""

    help = "Update django_migrations after migration files were renamed, squashed or removed. See: migsync --help"
    # Neither checks nor migrations are looked at before: the records may be just what is wrong.
    requires_system_checks: list[str] = []  # noqa: RUF012 -- as Django declares it

    def run_from_argv(self, argv: list[str]) -> None:
        """Run as ``manage.py migsync ARGUMENTS``, past Django's parser, which would take ``--help`` for its own."""
        sys.exit(terminable(lambda: run(_without_djangos_own(argv[2:]), f"{Path(argv[0]).name} {argv[1]}")))

    def add_arguments(self, parser: Any) -> None:  # noqa: ANN401 -- Django's CommandParser, untyped
        """What ``call_command("migsync", "plan", …)`` hands over."""
        parser.add_argument("arguments", nargs="*")

    def handle(self, *args: str, **options: Any) -> None:  # noqa: ANN401 -- as Django declares it
        """Run as ``call_command("migsync", "plan", "--check")``; raises CommandError unless it ends with 0."""
        status = run([*args, *options["arguments"]], "migsync")
        if status:
            raise CommandError(f"migsync ended with exit status {status}.", returncode=status)


def _without_djangos_own(arguments: list[str]) -> list[str]:
    left: list[str] = []
    remaining = iter(arguments)
    for argument in remaining:
        # The value is the next argument here, and a part of the same one in `--settings=VALUE`.
        if argument in TAKEN_BY_DJANGO:
            next(remaining, None)
        elif not argument.startswith(tuple(f"{option}=" for option in TAKEN_BY_DJANGO)):
            left.append(argument)
    return left
