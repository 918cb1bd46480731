"""Records in ``.migsync`` without this user's seal: what they say, and how they become this user's own."""

from __future__ import annotations

import os
from pathlib import Path

from migsync.errors import Unsettled
from migsync.files.commit.files import Files
from migsync.files.commit.lock import locked
from migsync.files.commit.recover import cannot_settle
from migsync.files.commit.store import Found, Store


def foreign_records(root: Path) -> tuple[Found, ...]:
    """The records without this user's seal: the one that is under way first, then the newest.

    Raises FilesRefused for a state directory that must not be read, and Unsettled for a record that cannot be.
    """
    store = Store(Path(os.path.realpath(root)))
    closed = [found for found in store.found() if not found.ours]
    try:
        opened = store.found_open()
    except ValueError as error:
        raise store.unusable(error) from error
    except OSError as error:
        raise cannot_settle(root, error) from error
    return (*([opened] if opened and not opened.ours else []), *closed)


def trust_records(root: Path, *, timeout: float = 10) -> None:
    """Give them this user's seal. `timeout` is how long to wait for another migsync, in seconds.

    Raises FilesLocked, FilesRefused and Unsettled.
    """
    store = Store(Path(os.path.realpath(root)), Files())
    try:
        store.prepare()
        with locked(store.lock_file, store.files, timeout):
            store.trust()
    except ValueError as error:
        raise store.unusable(error) from error
    except OSError as error:
        raise Unsettled(f"The records in {store.directory} cannot be written: {error.strerror}.") from error
