"""The files that ``migsync init`` writes: ``[tool.migsync]``, the pre-commit hook and the CI job.

A file that is there keeps its bytes: pyproject.toml gets a table at its end, and every other one is left alone.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from migsync import __version__
from migsync.decoder import DecodeError, load_toml, utf8
from migsync.errors import ProjectError
from migsync.filesystem.boundary import read_source, refuse_links
from migsync.filesystem.git import repository_of
from migsync.project.options import CORRECT, PYPROJECT, REWRITES
from migsync.project.root import Root

PRE_COMMIT: Final = """\
repos:
  - repo: local
    hooks:
      - id: migsync-check
        name: migsync check
        entry: {command}
        language: python
        additional_dependencies: [migsync=={version}]
        pass_filenames: false
        always_run: true
"""
GITHUB: Final = """\
name: migrations
on: pull_request
jobs:
  migrations:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with:
          fetch-depth: 0        # git needs the commit at which the branch began
      - run: pip install migsync
      - run: {command}
"""
GITLAB: Final = """\
migrations:
  image: python:3
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
  variables:
    GIT_DEPTH: 0                # git needs the commit at which the branch began
  script:
    - pip install migsync
    - {command}
  artifacts:
    when: always
    reports:
      junit: migsync.xml
"""
_PLAIN: Final = re.compile(r"[\w ./=>-]+")


class FileFate(StrEnum):
    """What becomes of a file."""

    NEW = "new"
    LONGER = "longer"
    """It is there, and text is added at its end."""
    COMPLETE = "complete"
    """It is there and says this already."""
    BY_HAND = "by hand"
    """It is there, and a person has to add the text."""


@dataclass(frozen=True)
class SetupFile:
    """One file. `text` is what it gets; `before` is what it holds, None where it is not there."""

    path: Path
    text: str
    before: bytes | None = None
    state: FileFate = FileFate.NEW

    @property
    def is_written(self) -> bool:
        """Whether ``migsync init`` writes to it."""
        return self.state in (FileFate.NEW, FileFate.LONGER)

    @property
    def content(self) -> bytes:
        """All that it holds afterwards."""
        if self.before is None:
            return self.text.encode()
        end = b"\r\n" if b"\r\n" in self.before else b"\n"
        gap = b"" if not self.before.strip() else end if self.before.endswith(b"\n") else end * 2
        return self.before + gap + self.text.encode().replace(b"\n", end)


def settings_file(place: Root, settings: str) -> SetupFile:
    """pyproject.toml with ``[tool.migsync]``. Raises ProjectError where it cannot be read, or cannot get the table."""
    table = {**({"settings": settings} if settings else {}), "rewrites": REWRITES}
    text = "[tool.migsync]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())
    if place.options.file:
        path = Path(place.options.file)
        return SetupFile(path, text, _read(path), FileFate.COMPLETE)
    path = place.directory / PYPROJECT
    _refuse_links(place.directory, PYPROJECT)
    before = _read(path)
    if before is None:
        return SetupFile(path, text)
    longer = SetupFile(path, text, before, FileFate.LONGER)
    if not _adds(longer, table):
        raise ProjectError(
            f"{path} gives `tool` a value in one line, so that [tool.migsync] cannot be added at its end.",
            hint="Write that value as tables, [tool.NAME], then run the command again.",
        )
    return longer


def _adds(file: SetupFile, table: Mapping[str, str]) -> bool:
    """Whether the longer file says what the shorter one says, and the table; not so where `tool` is in one line."""
    try:
        before = load_toml(utf8(file.before or b""))
    except DecodeError as error:
        raise ProjectError(f"{file.path} is not valid TOML: {error}.", hint=CORRECT) from error
    try:
        after = load_toml(utf8(file.content))
    except DecodeError:
        return False
    if not isinstance(before, dict) or not isinstance(tool := before.get("tool", {}), dict):
        return False
    return after == {**before, "tool": {**tool, "migsync": table}}


def hook_file(place: Root) -> SetupFile:
    """The configuration of pre-commit with the hook that runs ``migsync check``."""
    text = PRE_COMMIT.format(command=_scalar(_check(place)), version=__version__)
    return _of_repository(place, ".pre-commit-config.yaml", text, b"migsync-check")


def github_file(place: Root) -> SetupFile:
    """The workflow of GitHub Actions that runs ``migsync check`` on pull requests."""
    text = GITHUB.format(command=_scalar(f"{_check(place)} --format github"))
    return _of_repository(place, ".github/workflows/migrations.yml", text, b"migsync")


def gitlab_file(place: Root) -> SetupFile:
    """The job of GitLab CI that runs ``migsync check`` on merge requests."""
    text = GITLAB.format(command=_scalar(f"{_check(place)} --format junit > migsync.xml"))
    return _of_repository(place, ".gitlab-ci.yml", text, b"migsync")


def _of_repository(place: Root, name: str, text: str, mark: bytes) -> SetupFile:
    path = _top(place) / name
    _refuse_links(_top(place), name)
    before = _read(path)
    if before is None:
        return SetupFile(path, text)
    return SetupFile(path, text, before, FileFate.COMPLETE if mark in before else FileFate.BY_HAND)


def _refuse_links(top: Path, name: str) -> None:
    try:
        refuse_links(top, [name])
    except ValueError as error:
        raise ProjectError(
            f"{top / name} leads elsewhere: {error}.",
            "A link may have come with the repository, and migsync does not write through one.",
            "Replace the link by what it leads to, then run the command again.",
        ) from error


def _top(place: Root) -> Path:
    return repository_of(place.directory) or place.directory


def _check(place: Root) -> str:
    """``migsync check`` as it is typed at the top of the repository."""
    below = place.directory.relative_to(_top(place)).as_posix()
    return "migsync check" if below == "." else f"migsync check --root {shlex.quote(below)}"


def _scalar(text: str) -> str:
    """A text in YAML; a text in JSON is one, too."""
    return text if _PLAIN.fullmatch(text) else json.dumps(text)


def _read(path: Path) -> bytes | None:
    try:
        return read_source(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ProjectError(
            f"{path} cannot be read: {error.strerror or error}.",
            "migsync does not write to a file that it cannot read.",
            "Make it readable, then run the command again.",
        ) from error
