"""Run by the Python of an old migsync: its command line, with an author who is nobody, killed at a point.

``python -P old.py POINT COMMAND…``; POINT is one of :data:`POINTS`, or empty. This file imports nothing of the tests.
"""

from __future__ import annotations

import getpass
import os
import signal
import socket
import sys


def die(*_arguments: object, **_keywords: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def before_commit() -> None:
    """The files are staged; the database has done everything but COMMIT."""
    from migsync.sync import apply

    apply._Application._commit = die


def after_commit() -> None:
    """The database has committed, and the record of the change of files does not say so yet."""
    from migsync.companion.commit.store import Store

    set_state = Store.set_state

    def set_or_die(store, opened):
        if opened.state == "decided":
            die()
        set_state(store, opened)

    Store.set_state = set_or_die


def between_files() -> None:
    """The rewrite and one migration are in place; what they were called before is still there, and another waits."""
    from migsync.companion.commit import rolling
    from migsync.companion.commit.files import Files

    commit = sys.modules["migsync.companion.commit.commit"]  # the package has a function of this name

    def roll_forward(store, opened, record):
        replace, done = Files.replace, []

        def replace_and_die(files, old, new):
            replace(files, old, new)
            done.append(new)
            if len(done) == 2:
                die()

        Files.replace = replace_and_die
        rolling.roll_forward(store, opened, record)

    commit.roll_forward = roll_forward


POINTS = {"before-commit": before_commit, "after-commit": after_commit, "between-files": between_files}

if __name__ == "__main__":
    point = sys.argv[1]
    del sys.argv[1]
    socket.gethostname = lambda: "laptop"
    getpass.getuser = lambda: "ana"
    if point:
        POINTS[point]()
    from migsync.__main__ import main

    main()
