"""``--shard``: one command on several machines, each with a share of the databases."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sized
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from migsync.cli.options import option, option_group
from migsync.cli.views.blocks import Block, line
from migsync.shard import Shard

if TYPE_CHECKING:
    from migsync.project import Project

FORM = re.compile(r"([1-9][0-9]*)/([1-9][0-9]*)|auto(?:/([1-9][0-9]*))?", re.ASCII)
VARIABLES = (
    # (number, total, what the number of the first is)
    ("JOB_COMPLETION_INDEX", "", 0),  # Kubernetes: an Indexed Job does not say how many there are
    ("CI_NODE_INDEX", "CI_NODE_TOTAL", 1),  # GitLab
    ("CIRCLE_NODE_INDEX", "CIRCLE_NODE_TOTAL", 0),  # CircleCI
    ("BUILDKITE_PARALLEL_JOB", "BUILDKITE_PARALLEL_JOB_COUNT", 0),  # Buildkite
)
"""What schedulers tell each of several jobs."""


def parse_shard(text: str, environment: Mapping[str, str]) -> Shard:
    """The share that ``3/8``, ``auto`` or ``auto/8`` stands for. Raises ValueError with a sentence for a person."""
    found = FORM.fullmatch(text)
    if not found:
        raise ValueError(f"{text} is not I/N, such as 3/8, auto or auto/N.")
    if found[1]:
        number, total = int(found[1]), int(found[2])
    else:
        number, total = _from_environment(environment, found[3])
    if not 1 <= number <= total:
        raise ValueError(f"There is no shard {number} of {total}: the first is 1/{total}, the last {total}/{total}.")
    return Shard(number, total)


def _from_environment(environment: Mapping[str, str], stated: str | None) -> tuple[int, int]:
    for name, total_name, first in VARIABLES:
        if not environment.get(name):
            continue
        total = stated or environment.get(total_name, "")
        if not total:
            raise ValueError(f"{name} says which shard this is, and nothing how many there are: auto/N")
        said = {name: environment[name], total_name: total}
        for each, value in said.items():
            if not (value.isascii() and value.isdigit()):
                raise ValueError(f"{each} is {value!r}, and should be a number.")
        return int(environment[name]) - first + 1, int(total)
    names = ", ".join(name for name, _, _ in VARIABLES)
    raise ValueError(f"auto needs one of these variables, and none is set: {names}.")


def _shard(ctx: click.Context, parameter: click.Parameter, value: str | None) -> Shard | None:
    try:
        return parse_shard(value, os.environ) if value else None
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@option_group
class ShardOptions:
    """Which share of the databases."""

    shard: Shard | None = option(
        metavar="I/N",
        callback=_shard,
        help="Use only share I of N of the databases, so that N machines do the work together. auto: as the scheduler "
        "of CI says; auto/N: as a Kubernetes Indexed Job of N pods says.",
    )

    def of(self, project: Project) -> Project:
        """The project with only this share of its databases."""
        return replace(project, shard=self.shard)


def empty_shard(project: Project, *found: Sized, of: str = "") -> list[Block]:
    """That no database (`of` something else than the project) is in the shard, where nothing is `found`."""
    if project.shard is None or any(map(len, found)):
        return []
    return [line(f"No database{of} is in the shard {project.shard}.")]
