"""One migration on disk, as its file states it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Self

from migsync.history.contents import SECOND, UNREAD
from migsync.key import Key as Key

FIRST = "__first__"
LATEST = "__latest__"
SETTING = "__setting__"
CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f-\x9f]")  # Unicode's category Cc


class Problem(NamedTuple):
    """Something in a migration file that cannot be read statically: where, and what.

    `flag`: it is the value of `initial` or `atomic`, which name no other migration. `settled`: Django was asked what it
    comes to, so that only editing the file is not possible.
    """

    line: int
    what: str
    flag: bool = False
    settled: bool = False


class _Lazy:
    """A field that holds a value, or a function that makes it when it is asked for: few files are ever asked."""

    def __init__(self, name: str, default: object) -> None:
        self.name = name
        self.default = default

    def __get__(self, migration: Migration | None, owner: type | None = None) -> Any:  # noqa: ANN401
        if migration is None:
            return self
        value = migration.__dict__[self.name]
        if callable(value):
            value = migration.__dict__[self.name] = value()
        return value

    def __set__(self, migration: Migration, value: object) -> None:
        # A dataclass takes the descriptor itself for the field's default.
        migration.__dict__[self.name] = self.default if value is self else value


def is_second(digest: str) -> bool:
    """True for a digest of the kind that is written today."""
    return digest.startswith(SECOND)


@dataclass(frozen=True)
class Migration:
    """What one file says, read from its syntax tree and nothing imported.

    `dependencies` and `run_before` may name ``__first__`` or ``__latest__`` of an app; a swappable dependency on a
    setting is ``Key("__setting__", "AUTH_USER_MODEL")``. `operations` is False only for a literal empty list.
    `problems` is empty for a file that was read in full.

    `source` is the digest of the bytes of a file on disk. `contents` are the operations, and `digest` stands for them:
    ``2:`` and 32 hexadecimal digits. `first_digest` is what migsync wrote before it read operations one by one: 64
    digits, see :mod:`migsync.history.digest`. Rewrites and journals hold both kinds of digest. Either is empty for a
    file of which the operations say too little. All three are made when they are first asked for; of a file on disk,
    they then raise HistoryError when it is not Python, or when it has changed since it was read.
    """

    key: Key
    path: str = ""
    dependencies: tuple[Key, ...] = ()
    run_before: tuple[Key, ...] = ()
    replaces: tuple[Key, ...] = ()
    initial: bool | None = None
    atomic: bool = True
    operations: bool = True
    digest: Any = field(default=_Lazy("digest", ""))
    problems: tuple[Problem, ...] = ()
    contents: Any = field(default=_Lazy("contents", UNREAD), compare=False)
    first_digest: Any = field(default=_Lazy("first_digest", ""), compare=False)
    source: str = field(default="", compare=False)

    @classmethod
    def of_fields(cls, fields: Mapping[str, object]) -> Self:
        """As the constructor, which sets each of them by a function, in less time."""
        migration = object.__new__(cls)
        migration.__dict__.update(fields)
        return migration

    def has(self, digest: str) -> bool:
        """True when a digest of either kind, which is not empty, is that of the operations."""
        return bool(digest) and digest == (self.digest if is_second(digest) else self.first_digest)

    def changed(self, **changes: Any) -> Migration:  # noqa: ANN401 (fields)
        """A copy with other values in some fields; what was not asked for yet is not made for it."""
        lazy = {name: self.__dict__[name] for name in ("digest", "contents", "first_digest")}
        return replace(self, **{**lazy, **changes})

    @property
    def in_app_parents(self) -> Sequence[Key]:
        """The dependencies on migrations of the same app."""
        return [parent for parent in self.dependencies if parent.app == self.key.app]

    @property
    def unread(self) -> bool:
        """True where it is not known what the file comes to."""
        return not all(problem.settled for problem in self.problems)

    @property
    def is_merge(self) -> bool:
        """Several parents in its own app and no operations; what its name says is no matter."""
        return not self.operations and len(set(self.in_app_parents)) > 1


@dataclass(frozen=True, slots=True)
class App:
    """Where the migrations of one installed app are.

    `directory` is None for an app without migrations. Only a first-party app's files are ever changed: its directory is
    inside the project's root and in no environment's ``site-packages``. Records are changed of these apps, and of
    installed packages' apps that are `rewritten`: a rewrite of the package, or one of the project made for it, says
    what became of their names.
    """

    label: str
    directory: str | None
    first_party: bool = True
    rewritten: bool = False
