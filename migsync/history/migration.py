"""One migration on disk, as its file states it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from migsync.key import Key as Key

FIRST = "__first__"
LATEST = "__latest__"
SETTING = "__setting__"
CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f-\x9f]")  # Unicode's category Cc


class Problem(NamedTuple):
    """Something in a migration file that cannot be read statically: where, and what.

    `flag`: it is the value of `initial` or `atomic`, which name no other migration.
    """

    line: int
    what: str
    flag: bool = False


class _Digest:
    """The field `digest`: a text, or a function that makes it when it is asked for, since few digests ever are."""

    def __get__(self, migration: Migration | None, owner: type | None = None) -> str:
        if migration is None:
            return ""  # the default of the field
        digest: str | Callable[[], str] = migration.__dict__["digest"]
        if callable(digest):
            digest = migration.__dict__["digest"] = digest()
        return digest

    def __set__(self, migration: Migration, digest: str | Callable[[], str]) -> None:
        migration.__dict__["digest"] = digest


@dataclass(frozen=True)
class Migration:
    """What one file says, read from its syntax tree and nothing imported.

    `dependencies` and `run_before` may name ``__first__`` or ``__latest__`` of an app; a swappable dependency on a
    setting is ``Key("__setting__", "AUTH_USER_MODEL")``. `digest` is the digest of the operations (hexadecimal, see
    :mod:`migsync.history.digest`); of a file on disk it is made on first use and then raises HistoryError when the
    operations are not Python, or when the file has changed since it was read. `operations` is False only for a
    literal empty list. `problems` is empty for a file that was read in full.
    """

    key: Key
    path: str = ""
    dependencies: tuple[Key, ...] = ()
    run_before: tuple[Key, ...] = ()
    replaces: tuple[Key, ...] = ()
    initial: bool | None = None
    atomic: bool = True
    operations: bool = True
    digest: _Digest = _Digest()
    problems: tuple[Problem, ...] = ()

    @property
    def in_app_parents(self) -> Sequence[Key]:
        """The dependencies on migrations of the same app."""
        return [parent for parent in self.dependencies if parent.app == self.key.app]

    @property
    def is_merge(self) -> bool:
        """Several parents in its own app and no operations; what its name says is no matter."""
        return not self.operations and len(set(self.in_app_parents)) > 1


@dataclass(frozen=True, slots=True)
class App:
    """Where the migrations of one installed app are.

    `directory` is None for an app without migrations. Only a first-party app's records are ever changed: its
    directory is inside the project's root and in no environment's ``site-packages``.
    """

    label: str
    directory: str | None
    first_party: bool = True
