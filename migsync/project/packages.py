"""Packages that ship rewrites: a directory ``migration_rewrites`` in a package, about the apps in that package."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from migsync.filesystem.archives import members
from migsync.project.options import REWRITES


@dataclass(frozen=True)
class Package:
    """A package with rewrites: its dotted name, the directory that they are in, and the labels of the apps in it.

    The directory may be in a zip archive.
    """

    name: str
    directory: str
    apps: frozenset[str]


def find_packages(places: Mapping[str, str], own: Path) -> tuple[Package, ...]:
    """Every package with rewrites that an app is in; `places` are the directories of the apps by label.

    The package of an app, and each regular package above it. `own` are the rewrites of the project itself: where these
    are in a package, they are read as the project's.
    """
    found: dict[str, tuple[str, set[str]]] = {}
    for label, place in places.items():
        for name, directory in _packages(place):
            rewrites = os.path.join(directory, REWRITES)  # noqa: PTH118 -- may be in an archive
            if rewrites not in found and not _has_files(rewrites):
                continue
            found.setdefault(rewrites, (name, set()))[1].add(label)
    ours = os.path.realpath(own)
    return tuple(
        Package(name, directory, frozenset(labels))
        for directory, (name, labels) in sorted(found.items())
        if os.path.realpath(directory) != ours
    )


def _packages(place: str) -> Iterator[tuple[str, str]]:
    """The package at `place`, and each one above it, with its dotted name; the innermost first."""
    chain = [place]
    # A directory without __init__ may hold packages of other people's as well (a namespace package).
    while _is_package(above := os.path.dirname(chain[-1])):  # noqa: PTH120
        chain.append(above)
    names = [os.path.basename(directory) for directory in reversed(chain)]  # noqa: PTH119
    for number, directory in enumerate(chain):
        yield ".".join(names[: len(chain) - number]), directory


def _is_package(directory: str) -> bool:
    if os.path.isdir(directory):  # noqa: PTH112
        return os.path.isfile(os.path.join(directory, "__init__.py"))  # noqa: PTH113, PTH118
    return any(name == "__init__.py" for name, _ in members(directory))


def _has_files(directory: str) -> bool:
    return os.path.isdir(directory) or any(members(directory))  # noqa: PTH112
