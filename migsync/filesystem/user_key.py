"""A secret of the user, kept outside every project, that tells this user's records from all others.

A record in ``.migsync`` says which files to write and to delete, so a forged one must not be believed. An owner or a
mode proves nothing, for what git or tar writes belongs to whoever runs it; and a repository can track any file. A seal
is an HMAC of the record with a key that no repository can hold, so it cannot be forged. It does not name the project's
directory: a project that is moved or copied keeps its records, and all that a record can name is inside the root.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

SIZE = 32


def seal(root: Path, document: bytes, *, create: bool = False) -> str:
    """The seal of `document` for the user who runs this, in hexadecimal.

    Without a key in a place outside the project at `root` (no home, a read-only one, one that is the project itself),
    the key is of this process alone: no other process takes the seal for its own. `create` makes a missing key.
    """
    return hmac.new(user_key(root, create=create), document, hashlib.sha256).hexdigest()


def is_sealed(root: Path, document: bytes, claimed: object) -> bool:
    """Whether `claimed` is the seal of `document` by this user."""
    # compare_digest() raises TypeError for text that is not ASCII, and a forged record may hold any.
    return isinstance(claimed, str) and claimed.isascii() and hmac.compare_digest(seal(root, document), claimed)


def user_key(root: Path, *, create: bool = False) -> bytes:
    """The user's key, or this process's own where there is none."""
    path = key_file(root, os.environ)
    if path is None:
        return _own()
    with suppress(OSError):
        # A key that is there and cannot be used (others can read it) is never replaced: the person can mend it, and has
        # records with its seal. `missing_key` says so.
        return _read(path) or _own()
    if create:
        with suppress(OSError):
            # Read again, since another process may have been faster: then its key is the user's.
            _make(path)
            return _read(path) or _own()
    return _own()


def missing_key(root: Path) -> str:
    """A sentence on why no record can have this user's seal; empty where there is a key."""
    path = key_file(root, os.environ)
    if path is None:
        return "There is no place for the key of your seal outside this repository (see HOME and XDG_STATE_HOME)."
    try:
        return "" if _read(path) else f"The key of your seal, {path}, is not a file of 32 bytes that only you can read."
    except OSError as error:
        return f"The key of your seal, {path}, cannot be read: {error.strerror}."


def key_file(root: Path, environ: Mapping[str, str]) -> Path | None:
    """Where the key is kept; None where that is inside the project, or the repository that the project is in."""
    directory = _state_directory(environ)
    if directory is None:
        return None
    real = Path(os.path.realpath(directory))
    root = Path(os.path.realpath(root))
    # A repository can track every file in it, so a key in it may be known to whoever made the repository.
    top = next((up for up in (root, *root.parents) if os.path.lexists(up / ".git")), root)
    return None if real.is_relative_to(top) or real.is_relative_to(root) else real / "key"


def _state_directory(environ: Mapping[str, str]) -> Path | None:
    # The XDG specification says to ignore a path that is relative.
    if Path(environ.get("XDG_STATE_HOME", "")).is_absolute():
        return Path(environ["XDG_STATE_HOME"]) / "migsync"
    try:
        home = Path.home()
    except RuntimeError:
        return None
    return home / ("Library/Application Support" if sys.platform == "darwin" else ".local/state") / "migsync"


def _read(path: Path) -> bytes | None:
    """The key; None for a file that somebody else may have written or read. Raises FileNotFoundError."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(descriptor, "rb") as file:
        about = os.fstat(file.fileno())
        key = file.read(SIZE + 1) if stat.S_ISREG(about.st_mode) else b""
    if len(key) != SIZE or (hasattr(os, "geteuid") and (about.st_mode & 0o077 or not _is_own(about.st_uid))):
        return None
    return key


def _is_own(uid: int) -> bool:
    # Under sudo with the user's home, root goes on with the user's key.
    return os.geteuid() in (0, uid)


def _make(path: Path) -> None:
    """Make the key; where two processes do at once, the first one's stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f"key-{secrets.token_hex(8)}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(SIZE))
            file.flush()
            os.fsync(file.fileno())
        if hasattr(os, "geteuid") and os.geteuid() == 0:  # under sudo with the user's home: it stays the user's key
            os.chown(new, path.parent.stat().st_uid, path.parent.stat().st_gid)
        with suppress(FileExistsError):
            # A rename would replace the key of another process, which may have sealed a record by now; a link never
            # does.
            _link(new, path)
    finally:
        new.unlink(missing_ok=True)


def _link(new: Path, path: Path) -> None:
    """Give the key its name. Raises FileExistsError where another process was faster."""
    try:
        os.link(new, path)
    except FileExistsError:
        raise
    except OSError:
        # No hard links here (exFAT, some network file systems). Of two processes that make the first key in the same
        # moment, one then has records that need `recover --trust`.
        if os.path.lexists(path):
            raise FileExistsError(path) from None
        new.replace(path)


@cache
def _own() -> bytes:
    return secrets.token_bytes(SIZE)
