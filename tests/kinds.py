"""What a test needs, as markers: ``pure``, ``django``, ``server`` or ``real``. Each test has exactly one, by rule.

``pytest -m pure`` is the first answer after a change: it starts no process and no Django, and opens no socket, which
is enforced while such a test runs.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

KINDS = {
    "pure": "starts no process and no Django, and opens no socket; all of them take less than a minute",
    "django": "starts Django, or processes, on SQLite if on any database",
    "server": "needs PostgreSQL or MariaDB",
    "real": "runs on histories that nobody here wrote; takes a minute or two",
}
TESTS = Path(__file__).parent
PURE = (
    "cli/test_summaries.py",
    "cli/test_views.py",
    "doctor/test_makers.py",
    "doctor/test_message.py",
    "edits",
    "engines/test_comparable.py",
    "files/test_collapses.py",
    "files/test_proposals.py",
    "files/test_random.py",
    "files/test_references.py",
    "files/test_refusals.py",
    "graph",
    "history",
    "project/test_databases.py",
    "project/test_library.py",
    "project/test_options.py",
    "project/test_root.py",
    "project/test_scan.py",
    "refactor/squash/test_safe_ranges.py",
    "refactor/squash/test_ranges.py",
    "refactor/test_conflicts.py",
    "refactor/test_linearize.py",
    "refactor/test_properties.py",
    "refactor/test_renumber.py",
    "refactor/test_report.py",
    "refactor/tidy/test_random.py",
    "rewrites/test_files.py",
    "rewrites/test_name_changes.py",
    "rewrites/test_package_rewrites.py",
    "rewrites/test_successors.py",
    "sync/planner",
    "verify/test_composition.py",
    "test_decoder.py",
    "test_sentences.py",
)
"""Where tests are pure unless they say otherwise: directories and files, from here."""
SERVERS = ("postgresql", "mysql")
OF_SERVERS = ("postgresql_database", "mysql_database", "replica")
OF_PROCESSES = ("browser", "imported")
"""What fixtures begin with that need more than the rule of their place says."""
FORBIDDEN = ("subprocess.Popen", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "socket.bind", "socket.connect")
"""Audit events that a pure test must not raise."""

running = ""
"""The pure test that runs now."""


class NotPure(AssertionError):
    """A test that is marked ``pure`` started a process or opened a socket."""


def kind(item: pytest.Item) -> str:
    """A marker that the test has of its own, else the one that the rule gives it."""
    for marker in item.iter_markers():
        if marker.name in KINDS:
            return marker.name
    arguments = item.callspec.params.values() if hasattr(item, "callspec") else ()
    if any(name.startswith(OF_SERVERS) for name in item.fixturenames) or any(
        argument in SERVERS for argument in arguments if isinstance(argument, str)
    ):
        return "server"
    if any(name.startswith(OF_PROCESSES) for name in item.fixturenames):
        return "django"
    place = item.path.relative_to(TESTS)
    is_pure = any(place.is_relative_to(pure) for pure in PURE) and item.get_closest_marker("fresh") is None
    return "pure" if is_pure else "django"


@contextmanager
def enforced(item: pytest.Item) -> Iterator[None]:
    """While a pure test runs, what it must not do raises NotPure."""
    global running
    if item.get_closest_marker("pure") is None:
        yield
        return
    ready = _django_is_ready()
    running = item.nodeid
    try:
        yield
    finally:
        running = ""
    if _django_is_ready() and not ready:
        raise NotPure(f"{item.nodeid} has started Django")


def _django_is_ready() -> bool:
    module = sys.modules.get("django.apps")
    return module is not None and module.apps.ready


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    if running and event in FORBIDDEN:
        raise NotPure(f"{running} is marked pure: {event} {arguments[0]}")


sys.addaudithook(_audit)
