"""The rewrite files: one TOML file per rewrite, made to be read in a review."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from migsync.decoder import DecodeError, load_toml, same, shortened, utf8
from migsync.errors import RewriteError
from migsync.escapes import toml_text
from migsync.filesystem.archives import members, read_member
from migsync.filesystem.atomic import write_file
from migsync.filesystem.boundary import read_source
from migsync.filesystem.git import GitError, repository_of, run_git
from migsync.rewrites.record import name_problem
from migsync.rewrites.rewrite import EVIDENCE, FORMAT, AppRewrite, Rewrite
from migsync.rewrites.rewrite_graph import Rewrites, sort_rewrites

HAND_EDITED = "Databases identify a rewrite by the digest of its content, so it is never edited."


def load_rewrites(directory: Path) -> Rewrites:
    """Every ``*.toml`` in `directory`, in order; none when there is no such directory.

    Raises RewriteError, naming the file, for one that is not a valid rewrite, and for a set of them that cannot be
    put in order.
    """
    return read_rewrites(directory).without_doubles()


def read_rewrites(directory: Path, package: str = "") -> Rewrites:
    """As :func:`load_rewrites`, with those that say the same; `package` ships them, perhaps in a zip archive."""
    paths = sorted(directory.glob("*.toml")) if directory.is_dir() else _in_archive(directory)
    stated = {path: _read(path, package) for path in paths}
    rewrites = [rewrite for _, rewrite in stated.values()]
    # By the ids that the files state. An edited file has another digest: by that, its children would be refused first,
    # for a missing parent.
    ids = {rewrite.path: digest for digest, rewrite in stated.values()}
    ordered = sort_rewrites(rewrites, ids, lambda identity: _from_git(directory, identity))
    for path, (digest, rewrite) in stated.items():
        if digest != rewrite.id:
            raise RewriteError(
                f"{path} was edited: its id is not the digest of its content.", HAND_EDITED, _restore(path, package)
            )
    return ordered


def _from_git(directory: Path, identity: str) -> str:
    """The command that brings back a rewrite which an older commit of this branch has; empty where there is none."""
    top = repository_of(directory.resolve())
    if top is None:
        return ""
    # The ids of parents are written in a list, so this is in the file of the rewrite only.
    sought = ("-1", "--diff-filter=A", "--format=%h", "--name-only", "-z", f'-Sid = "{identity}"')
    try:
        found = os.fsdecode(run_git(top, "log", *sought, "HEAD", "--", str(directory.resolve()))).split("\0")
    except GitError:
        return ""
    commit, path = found[0].strip(), (found[1].strip() if len(found) > 1 else "")
    return shlex.join(["git", "checkout", commit, "--", str(top / path)]) if path else ""


def _in_archive(directory: Path) -> list[Path]:
    return sorted(directory / name for name, _ in members(str(directory)) if name.endswith(".toml"))


def rewrite_file(directory: Path, rewrite: Rewrite) -> tuple[Path, bytes]:
    """Where `rewrite` belongs in `directory`, and its content there; the same one is not put there twice.

    Raises RewriteError for a file of `directory` that is no rewrite, ValueError for a rewrite that would not be read
    again.
    """
    check_rewrite(rewrite)
    for path in directory.glob("*.toml") if directory.is_dir() else ():
        if _read(path)[0] == rewrite.id:
            return path, path.read_bytes()
    return _free_path(directory, rewrite), to_toml(rewrite).encode()


def write_rewrite(directory: Path, rewrite: Rewrite) -> Path:
    """Write `rewrite` as a new file, whole or not at all, and return its path; the same one is not written twice.

    Raises RewriteError where it cannot be written, ValueError for a rewrite that would not be read again.
    """
    path, content = rewrite_file(directory, rewrite)
    if path.exists():
        return path
    try:
        directory.mkdir(parents=True, exist_ok=True)
        write_file(path, content)
    except OSError as error:
        raise RewriteError(
            f"The rewrite cannot be written to {directory}: {error.strerror}.",
            "No database was changed.",
            "Make the directory writable, or run the command where the project's files can be changed.",
        ) from error
    return path


def to_toml(rewrite: Rewrite) -> str:
    """The text of the file, the same bytes for the same rewrite."""
    lines = [
        f"format = {FORMAT}",
        f"id = {toml_value(rewrite.id)}",
        f"parents = {toml_value(sorted(rewrite.parents))}",
        f"command = {toml_value(rewrite.command)}",
        f"created = {rewrite.created}",
    ]
    if rewrite.made_with_files:
        lines.append("made_with_files = true")
    if rewrite.third_party:
        lines.append("third_party = true")
    for label, app in sorted(rewrite.apps.items()):
        lines += ["", *_app_lines(f"apps.{toml_key(label)}", app.as_dict())]
    return "\n".join(lines) + "\n"


def _app_lines(table: str, app: dict[str, Any]) -> Iterator[str]:
    yield f"[{table}]"
    if "from" in app:
        yield f"from = {toml_value(app['from'])}"
    for name in ("before", "after", "removed", "renamed", "collapsed"):
        yield from _array_lines(name, app[name])
    tables = [(name, app.get(name)) for name in ("depends", "squashes")]
    tables += [(f"digests.{when}", digests) for when, digests in app.get("digests", {}).items()]
    for name, values in tables:
        if values:
            yield from (
                "",
                f"[{table}.{name}]",
                *(f"{toml_value(key)} = {toml_value(value)}" for key, value in values.items()),
            )


def _array_lines(name: str, values: list[Any]) -> Iterator[str]:
    """One item a line, so that a review shows one change a line."""
    if not values:
        yield f"{name} = []"
        return
    yield f"{name} = ["
    yield from (f"    {toml_value(value)}," for value in values)
    yield "]"


def toml_value(value: str | Sequence[Any]) -> str:
    """A TOML string or array: JSON's form is TOML's too, control characters apart (they are refused in names)."""
    return toml_text(json.dumps(value, ensure_ascii=False))


def toml_key(label: str) -> str:
    """A key of TOML, in quotes where it needs them."""
    return label if re.fullmatch(r"[A-Za-z0-9_-]+", label) else toml_value(label)


def _free_path(directory: Path, rewrite: Rewrite) -> Path:
    stamp = re.sub(r"[-:]|Z$", "", rewrite.created)
    words = re.findall(r"[a-z0-9_]+", rewrite.command.lower())
    word = _deed(rewrite) if rewrite.command == EVIDENCE else words[0] if words else "rewrite"
    stem = "_".join([stamp, word, *sorted(rewrite.apps)[:3]])
    path, count = directory / f"{stem}.toml", 1
    while path.exists():
        count += 1
        path = directory / f"{stem}_{count}.toml"
    return path


def _deed(rewrite: Rewrite) -> str:
    """What a rewrite does most of all, in one word, where no command of a person says it."""
    apps = rewrite.apps.values()
    if any(app.renamed for app in apps):
        return "rename"
    return "collapse" if any(app.collapsed for app in apps) else "remove"


def _content(path: Path) -> bytes:
    try:
        return read_source(path)
    except NotADirectoryError:
        return read_member(str(path))


def _read(path: Path, package: str = "") -> tuple[str, Rewrite]:
    """The id that the file states, and what it says."""
    try:
        document = load_toml(utf8(_content(path)))
    except (OSError, DecodeError) as error:
        said = getattr(error, "strerror", None) or error
        raise RewriteError(f"{path} cannot be read: {said}.", HAND_EDITED, _restore(path, package)) from error
    stated = document.get("format") if isinstance(document, dict) else None
    # Before anything else: a file of a later format would be called invalid, and its author told to restore it.
    if not same(stated, FORMAT):
        raise RewriteError(
            f"{path} has format {shortened(stated)}; this version of migsync reads format {FORMAT}.",
            "It was written by another version of migsync, or it is not a rewrite.",
            "If it is a rewrite, upgrade migsync: python -m pip install --upgrade migsync",
        )
    try:
        identity, rewrite = Rewrite.stated(document, path=str(path), package=package)
        check_rewrite(rewrite)
    except ValueError as error:
        raise RewriteError(f"{path} is not a valid rewrite: {error}.", HAND_EDITED, _restore(path, package)) from error
    return identity, rewrite


def _restore(path: Path, package: str) -> str:
    if package:
        return f"It belongs to the installed package {package}: install that again, or in another version."
    return (
        f"Restore the file: git checkout -- {shlex.quote(str(path))}\n"
        "A further change of names needs a rewrite of its own."
    )


def check_rewrite(rewrite: Rewrite) -> None:
    """Raise ValueError unless every app's table is valid, and no label is one app before and another one after."""
    for label, app in rewrite.apps.items():
        _check(label, app)
        if app.origin != "":
            check_name(app.origin)
        if app.origin in rewrite.apps:
            raise ValueError(f"{label} was {app.origin} before, but {app.origin} has a table too")


def _check(label: str, app: AppRewrite) -> None:
    """Raise ValueError unless every name of `app` is accounted for exactly once on both sides."""
    for name in (*app.before, *app.after):
        check_name(name)
    changed = [old for old, _ in app.renamed] + [old for olds, _ in app.collapsed for old in olds] + list(app.removed)
    given = [new for _, new in app.renamed] + [new for _, news in app.collapsed for new in news]
    for what, names, known in (("old", changed, app.before), ("new", given, app.after)):
        if len(set(known)) != len(known) or len(set(names)) != len(names):
            raise ValueError(f"{label} has {'an' if what == 'old' else 'a'} {what} name twice")
        if stray := sorted(set(names) - set(known)):
            raise ValueError(f"{label} changes {stray[0]!r}, which is not among its {what} names")
    if any(not olds or not news for olds, news in app.collapsed):
        raise ValueError(f"{label} has a collapse without old or without new names")
    # The old row of the one name would say that all of the collapse ran, and the other names would get no row.
    if any(len(news) > 1 and not app.absorbing.keys().isdisjoint(news) for _, news in app.collapsed):
        raise ValueError(f"{label} has a collapse into several names, one of which existed before")
    # A squash that takes up what it replaced bears its name on both sides and is a new name too: it is on neither list.
    kept_before = set(app.before) - set(changed) - app.absorbing.keys()
    kept_after = set(app.after) - set(given)
    if unaccounted := sorted(kept_before ^ kept_after):
        raise ValueError(f"{label} does not say what became of {unaccounted[0]!r}")


def check_name(name: object) -> None:
    """Raise ValueError for what cannot be a migration's name in ``django_migrations``."""
    if not name:
        raise ValueError(f"{name!r} is not a migration's name")
    if problem := name_problem(name):
        raise ValueError(f"{name!a:.40} has {problem}")
