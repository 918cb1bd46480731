"""Which engine a Django backend talks to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from migsync.errors import UnknownEngine

DUMMY = "django.db.backends.dummy"

# Packages whose backends keep the connection settings of the Django backend that they wrap, by their last name.
_FAMILIES: Final = (
    "django.db.backends",
    "django.contrib.gis.db.backends",
    "django_prometheus.db.backends",
    "dj_db_conn_pool.backends",
    "django_db_geventpool.backends",
    "timescale.db.backends",
)
_BACKENDS: Final = {
    "sqlite3": "sqlite",
    "spatialite": "sqlite",
    "postgresql": "postgresql",
    "postgresql_psycopg2": "postgresql",
    "postgresql_psycopg3": "postgresql",
    "postgis": "postgresql",
    "mysql": "mysql",
}
_OTHERS: Final = {
    "psqlextra.backend": "postgresql",
    "django_tenants.postgresql_backend": "postgresql",
    "tenant_schemas.postgresql_backend": "postgresql",
    "mysql.connector.django": "mysql",
}
_VENDORS: Final = frozenset({"postgresql", "mysql", "sqlite"})

Describe = Callable[[], tuple[str, Mapping[str, Any] | None]]
"""Imports a backend to say its vendor and, when it makes them itself, its connection parameters."""


def is_dummy(engine: str) -> bool:
    """True for an alias without a database."""
    return not engine or engine in (DUMMY, "django.db.backends.")


def engine_of_backend(alias: str, backend: str, describe: Describe) -> tuple[str, Mapping[str, Any] | None]:
    """``postgresql``, ``mysql`` or ``sqlite``, and the backend's own connection parameters where it makes them.

    A backend that is not known by name is described by `describe`; raises UnknownEngine when that leads nowhere.
    """
    known = _by_name(backend)
    if known:
        return known, None
    if backend.startswith("django.db.backends."):
        raise _unknown(alias, backend)
    try:
        vendor, parameters = describe()
    except UnknownEngine as error:
        raise UnknownEngine(error.found, error.meaning, _way_out(alias)) from error
    if vendor not in _VENDORS:
        raise _unknown(alias, backend)
    return vendor, parameters


def _by_name(backend: str) -> str:
    if backend in _OTHERS:
        return _OTHERS[backend]
    family, _, name = backend.rpartition(".")
    return _BACKENDS.get(name, "") if family in _FAMILIES else ""


def _unknown(alias: str, backend: str) -> UnknownEngine:
    return UnknownEngine(
        f"The database {alias!r} has the engine {backend!r}, which migsync does not know.",
        UnknownEngine.default_hint,
        _way_out(alias),
    )


def _way_out(alias: str) -> str:
    return f"If it is one of these underneath, give its URL in pyproject.toml: [tool.migsync.databases.{alias}]"
