"""Ranges of migrations as a person names them: which migrations they are, what stands against them, the new name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from migsync.errors import UsageError
from migsync.findings import Finding
from migsync.findings.squash import open_range, squash_name_taken, unfinished_squash
from migsync.history import History, Key
from migsync.history.unknown_app import unknown_app
from migsync.refactor.numbers import number_of, numbered, width_of
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.words import did_you_mean, text_list


@dataclass(frozen=True)
class Range:
    """Migrations of one app, in the graph's order, and the key of the one that is to stand for them."""

    keys: tuple[Key, ...]
    squash: Key


def range_between(history: History, app: str, first: str, last: str) -> tuple[Key, ...]:
    """The migrations of `app` from `first` to `last`, in the graph's order: all on a way between the two.

    Both are a name, the beginning of one, or a number. Raises UsageError where one of them is none, or several, and
    where `last` does not come after `first`.
    """
    begin, end = _named(history, app, first), _named(history, app, last)
    if begin == end:
        raise UsageError(
            f"{begin} is both the first and the last migration of the range.",
            "A squash replaces two or more migrations.",
            f"To list the ranges that are safe to squash: migsync squash --suggest {app}",
        )
    # Between the two ends is what comes after the first and before the last; a way through another app does not count,
    # for what is on it is not in the range.
    before = history.ancestors([end])
    found = {begin}
    for key in history.order:
        if key.app == app and key in before and any(up in found for up in history.parents(key)):
            found.add(key)
    if end not in found and end in history.ancestors([begin]):
        raise UsageError(f"{end} comes before {begin}.", hint=f"Swap them: migsync squash {app} {last} {first}")
    if end not in found:
        raise UsageError(
            f"{end} does not depend on {begin}, directly or through other migrations of {app}.",
            "The last migration of a range must depend on the first.",
            f"To see the graph: migsync graph {app}",
        )
    return tuple(key for key in history.order if key in found)


def _named(history: History, app: str, prefix: str) -> Key:
    names = history.names(app)
    found = [prefix] if prefix in names else [name for name in names if name.startswith(prefix)]
    if not found and prefix.isdecimal():
        found = [name for name in names if number_of(name) == int(prefix)]
    if len(found) == 1:
        return Key(app, found[0])
    if found:
        raise UsageError(
            f"{len(found)} migrations of {app} match {prefix!r}.",
            hint=f"Give one of {text_list(sorted(found), last='or')}.",
        )
    if not names:
        raise unknown_app(app, history)
    there = f"Its migrations are {min(names)} to {max(names)}."
    raise UsageError(f"{app} has no migration {prefix!r}.", did_you_mean(prefix, names, there))


def shortest(history: History, key: Key) -> str:
    """The number of a name where it is enough to name it, else the name."""
    number = key.name.partition("_")[0]
    listed = "\n".join(("", *history.names(key.app)))
    return number if number.isdigit() and listed.count(f"\n{number}") == 1 else key.name


def range_findings(history: History, keys: Sequence[Key]) -> Iterator[Finding]:
    """An error for each reason why `keys` cannot be one migration, whatever its name is."""
    within = set(keys)
    for squash, migration in history.migrations.items():
        replaced = next((key for key in migration.replaces if key in within), None)
        own = squash in within and bool(migration.replaces)
        if own or replaced:
            yield unfinished_squash(
                migration=squash,
                replaced=None if own else replaced,
                first=keys[0],
                last=keys[-1],
                file=migration.path,
            )
    for key in keys[1:]:
        # Other apps are no matter here: whether they come in between is asked of the graph in `splits`.
        aside = [up for up in history.parents(key) if up.app == key.app and up not in within]
        if aside:
            yield open_range(migration=key, outside=aside[0], first=keys[0], file=history.migrations[key].path)


def typed(history: History, parts: Iterable[Sequence[Key]]) -> list[tuple[str, str]]:
    """The first and the last of each part as they are typed; for a part of one migration twice its name."""
    return [
        (shortest(history, part[0]), shortest(history, part[-1])) if len(part) > 1 else (part[0].name, part[0].name)
        for part in parts
    ]


def ends(history: History, keys: Sequence[Key]) -> str:
    """The first and the last of a range as they are typed, by their numbers where those are enough."""
    return f"{shortest(history, keys[0])} {shortest(history, keys[-1])}"


def taken(history: History, rewrites: Rewrites, rows: Iterable[AbstractSet[Key]]) -> frozenset[Key]:
    """Every key that was ever in use: on disk, in a `replaces`, in a rewrite, or in a database's records."""
    return frozenset(
        {*history.migrations}
        | {key for migration in history.migrations.values() for key in migration.replaces}
        | {
            Key(app, name)
            for rewrite in rewrites.ordered
            for app, change in rewrite.apps.items()
            for name in (*change.before, *change.after)
        }
    ).union(*rows)


def squash_key(history: History, keys: Sequence[Key], used: Collection[Key], name: str = "") -> Key:
    """The key of the squash: ``0002_squashed_0006_price`` as ``squashmigrations`` has it, or with `name` ``0002_name``.

    A name that is made here is free: a number follows it where it is in `used`, letters compared without case, since
    some disks do. One that a person gave is taken as it is.
    """
    first, last = keys[0].name, keys[-1].name
    number = number_of(first)
    if name:
        own = number_of(name) is not None or number is None
        return keys[0]._replace(name=name if own else numbered(name, number or 0, width_of(history.names(keys[0].app))))
    begin = first.partition("_")[0] if number is not None else first
    made = f"{begin}_squashed_{last}"
    lower = {key.name.lower() for key in used if key.app == keys[0].app}
    # One more than there are names in use: so one of them is free.
    names = (made, *(f"{made}_{count}" for count in range(2, len(lower) + 3)))
    return keys[0]._replace(name=next(each for each in names if each.lower() not in lower))


def name_finding(history: History, found: Range, used: Collection[Key]) -> Finding | None:
    """The error that the squash's name is in use; None where it is free."""
    if found.squash not in used:
        return None
    holder = history.migrations.get(found.squash)
    return squash_name_taken(migration=found.squash, on_disk=holder is not None, file=holder.path if holder else "")
