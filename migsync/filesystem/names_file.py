"""The names that the shell completes, as the last commands saw them: a file beside the cache of the project.

To find them out takes the project's settings, and for runs its databases. The shell waits for neither.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, Self

from migsync.alias import entry_of
from migsync.filesystem.atomic import write_file
from migsync.filesystem.boundary import read_regular
from migsync.filesystem.cache_file import cache_file

SOUND: Final = (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError)
"""What is raised by a file that is missing or holds no names."""

RUNS: Final = 50
"""So many runs are remembered, the last that were seen."""


@dataclass(frozen=True)
class Names:
    """What was seen of one project.

    `databases` are aliases, with the members of entries that a command named (``tenants:acme``). `apps` has the
    directory of the migrations of each of the project's apps, `rewrites` is the directory of the rewrites. `runs` says
    of each id what the run was.
    """

    databases: tuple[str, ...] = ()
    apps: Mapping[str, str] = field(default_factory=dict)
    rewrites: str = ""
    runs: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """The names in the file; None where it is missing or is not sound."""
        try:
            document = json.loads(read_regular(path))
            return cls(
                tuple(map(str, document["databases"])),
                {str(label): str(directory) for label, directory in document["apps"].items()},
                str(document["rewrites"]),
                {str(run): str(about) for run, about in document["runs"].items()},
            )
        except SOUND:
            return None

    def replace(self, databases: Collection[str], apps: Mapping[str, str], rewrites: str) -> Names:
        """These names after the project was found once more. Members of the entries that are still there stay."""
        members = (alias for alias in self.databases if alias not in databases and entry_of(alias) in databases)
        return Names((*databases, *members), apps, rewrites, self.runs)

    def seen(self, databases: Iterable[str], runs: Mapping[str, str]) -> Names:
        """These names with those of a command that opened these databases and read, or made, these runs."""
        kept = {**{run: about for run, about in self.runs.items() if run not in runs}, **runs}
        aliases = dict.fromkeys((*self.databases, *databases))
        return Names(tuple(aliases), self.apps, self.rewrites, dict([*kept.items()][-RUNS:]))

    def write(self, path: Path) -> None:
        """Replace the file where it says something else; one that cannot be written is no error."""
        if self != Names.read(path):
            with suppress(OSError):
                path.parent.mkdir(parents=True, exist_ok=True)
                write_file(path, json.dumps(asdict(self), separators=(",", ":")).encode(), durable=False)


def names_file(root: Path) -> Path:
    """The file with the names of the project at `root`."""
    return cache_file(root, os.environ).with_suffix(".names")


def names_above(start: Path) -> Names | None:
    """The names of the project that `start` is in, as far as a command has run there."""
    found = (Names.read(names_file(directory)) for directory in (start, *start.parents))
    return next((names for names in found if names), None)
