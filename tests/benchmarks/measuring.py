"""Runs commands in turn and tells what each took: seconds by the clock, seconds of work, and peak memory.

This module and those that import it for figures of memory import nothing big: on Linux a child's peak begins at what
its parent held when the child was started.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

# Python is to keep what it compiled, as it does on most machines.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


@dataclass(frozen=True)
class Command:
    """Something to measure. `before` is run before each time, outside of the clock."""

    name: str
    arguments: Sequence[str]
    directory: Path
    before: Callable[[], object] = lambda: None
    environment: Mapping[str, str] = field(default_factory=dict)
    input: Path | None = None


@dataclass(frozen=True)
class Sample:
    """One run: `wall` and `work` (user and system) in seconds, `peak` in MiB."""

    wall: float
    work: float
    peak: float


@dataclass(frozen=True)
class Figures:
    """The medians of some runs of one command."""

    name: str
    samples: Sequence[Sample]

    @property
    def wall(self) -> float:
        return statistics.median(sample.wall for sample in self.samples)

    @property
    def work(self) -> float:
        return statistics.median(sample.work for sample in self.samples)

    @property
    def peak(self) -> float:
        return max(sample.peak for sample in self.samples)


class FailedError(Exception):
    """A command under measurement that did not succeed."""


def measure(commands: Sequence[Command], times: int) -> dict[str, Figures]:
    """Run every command `times` times, in turn, every other round in reverse, so that a busy moment hits all alike."""
    samples: dict[str, list[Sample]] = {command.name: [] for command in commands}
    for number in range(times):
        for command in commands if number % 2 == 0 else reversed(commands):
            samples[command.name].append(run(command))
    return {name: Figures(name, found) for name, found in samples.items()}


def run(command: Command) -> Sample:
    """Run a command once; raises FailedError with what it said on standard error."""
    command.before()
    source = command.input.open("rb") if command.input else None
    started = time.perf_counter()
    process = subprocess.Popen(
        command.arguments,
        cwd=command.directory,
        env={**ENVIRONMENT, **command.environment},
        stdin=source or subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    said = process.stderr.read()
    # wait4 tells what this one child used; getrusage would add up all of them.
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    if source:
        source.close()
    if process.returncode:
        raise FailedError(f"{command.name} ended with {process.returncode}: {said.decode()[-2000:]}")
    return Sample(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown, its columns aligned to be read as text, numbers to the right."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    right = [False, *[True] * (len(header) - 1)]

    def line(cells: Sequence[str]) -> str:
        padded = (
            cell.rjust(width) if is_right else cell.ljust(width)
            for cell, width, is_right in zip(cells, widths, right, strict=True)
        )
        return f"| {' | '.join(padded)} |"

    rule = [f"{'-' * (width - 1)}:" if is_right else "-" * width for width, is_right in zip(widths, right, strict=True)]
    return "\n".join(line(cells) for cells in (header, rule, *rows))


def ratio(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"
