"""What CI runs, each by name: ``nox -s lint types rooms docs tests``; ``nox -l`` lists them all.

Every session makes an environment of its own. In one that has the `test` extra already, CI and people in a hurry run
``nox --no-venv --no-install -s lint types rooms docs``.
"""

from __future__ import annotations

import nox

PYTHONS = ("3.11", "3.12", "3.13")
DJANGOS = {"5.2": "3.11", "6.0": "3.12", "6.1": "3.12"}
"""The versions of Django, each with the oldest Python that it takes. docs/reference/versions.md has them too."""

nox.options.default_venv_backend = "venv"
nox.options.sessions = ["lint", "types", "rooms", "pure"]


@nox.session
def lint(session: nox.Session) -> None:
    """Style, and the format of the code."""
    _install(session)
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Static types of the package, strict."""
    _install(session)
    session.run("mypy")


@nox.session
def rooms(session: nox.Session) -> None:
    """Which package may import which: the contracts in pyproject.toml."""
    _install(session)
    session.run("lint-imports")


@nox.session
def pure(session: nox.Session) -> None:
    """The tests that need no database server, no process and no running Django; less than a minute."""
    _install(session)
    session.run("python", "-m", "pytest", "-m", "pure", "-n", "auto", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """All tests, on MariaDB too where MIGSYNC_TEST_MARIADB names a server."""
    _install(session)
    session.run("python", "-m", "pytest", "-n", "auto", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """The documentation, with warnings as errors; the pages are in docs/_build."""
    _install(session)
    session.run("sphinx-build", "-W", "--keep-going", "-q", "-b", "html", "docs", "docs/_build")


@nox.session
def newest_django(session: nox.Session) -> None:
    """What touches Django most, on the newest Django; the script makes an environment of its own."""
    session.run(".ci/newest-django", *session.posargs, external=True)


@nox.session(python=PYTHONS)
@nox.parametrize("django", list(DJANGOS))
def matrix(session: nox.Session, django: str) -> None:
    """The pure tests, or those that are named, on each pair of a Python and a Django that goes together."""
    if PYTHONS.index(str(session.python)) < PYTHONS.index(DJANGOS[django]):
        session.skip(f"Django {django} needs Python {DJANGOS[django]}")
    session.install("-e", ".[test-core]", f"Django~={django}.0")
    session.run("python", "-m", "pytest", "-n", "auto", *(session.posargs or ["-m", "pure"]))


@nox.session
@nox.parametrize("postgresql", ["16", "18"])
def nightly(session: nox.Session, postgresql: str) -> None:
    """All tests, thoroughly: every point of failure, and many more examples; hours, once for each PostgreSQL."""
    _install(session)
    env = {"MIGSYNC_TEST_PROFILE": "thorough", "PGSERVER_POSTGRES_VERSION": postgresql}
    session.run("python", "-m", "pytest", "-n", "auto", *session.posargs, env=env)


def _install(session: nox.Session) -> None:
    session.install("-e", ".[test]")
