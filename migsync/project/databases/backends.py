"""Which engine a Django backend talks to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from migsync.engines import ENGINES, Engine, engine_named
from migsync.errors import UnknownEngine

DUMMY = "django.db.backends.dummy"

_FAMILIES: Final = (
    "django.db.backends",
    "django.contrib.gis.db.backends",
    "django_prometheus.db.backends",
    "dj_db_conn_pool.backends",
    "django_db_geventpool.backends",
    "timescale.db.backends",
)
"""Packages whose backends keep the connection settings of the Django backend that they wrap, by their last name."""

Describe = Callable[[], tuple[str, Mapping[str, Any] | None]]
"""Imports a backend to say its vendor and, when it makes them itself, its connection parameters."""


def is_dummy(backend: str) -> bool:
    """True for an alias without a database."""
    return not backend or backend in (DUMMY, "django.db.backends.")


def engine_of_backend(alias: str, backend: str, describe: Describe) -> tuple[Engine, Mapping[str, Any] | None]:
    """The engine, and the backend's own connection parameters where it makes them.

    A backend that is not known by name is described by `describe`; raises UnknownEngine when that leads nowhere.
    """
    known = _by_name(backend)
    if known:
        return known, None
    # Django's own are known by name: importing another one (Oracle's) could only ask for a driver.
    if backend.startswith("django.db.backends."):
        raise _unknown(alias, backend)
    try:
        vendor, parameters = describe()
    except UnknownEngine as error:
        raise UnknownEngine(error.found, error.meaning, _way_out(alias)) from error
    if vendor not in {engine.name for engine in ENGINES}:
        raise _unknown(alias, backend)
    return engine_named(vendor), parameters


def _by_name(backend: str) -> Engine | None:
    family, _, name = backend.rpartition(".")
    for engine in ENGINES:
        if backend in engine.other_backends or (family in _FAMILIES and name in engine.backends):
            return engine
    return None


def _unknown(alias: str, backend: str) -> UnknownEngine:
    return UnknownEngine(
        f"The database {alias!r} has the engine {backend!r}, which migsync does not support.",
        UnknownEngine.default_hint,
        _way_out(alias),
    )


def _way_out(alias: str) -> str:
    return (
        "If the backend is based on one of these, give the URL of the database in pyproject.toml, as url in "
        f"[tool.migsync.databases.{alias}]."
    )
