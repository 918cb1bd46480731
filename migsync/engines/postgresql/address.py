"""The address of a PostgreSQL database, for psycopg 3. What libpq knows passes as it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migsync.engines.address import Address
from migsync.errors import TargetError

if TYPE_CHECKING:
    from sqlalchemy import URL

DRIVER = "postgresql+psycopg"

# What Django or a Python driver takes for itself: no parameters of libpq's.
NOT_FOR_LIBPQ = frozenset(
    {
        "assume_role",
        "async_",
        "autocommit",
        "connection_factory",
        "context",
        "cursor_factory",
        "isolation_level",
        "pool",
        "row_factory",
        "server_side_binding",
    }
)


def settings_address(settings: Mapping[str, Any], parameters: Mapping[str, Any] | None) -> Address:
    """The address for Django's settings of an alias.

    `parameters` are the backend's own connection parameters, for one that makes them itself.
    """
    from sqlalchemy import URL

    options = dict(settings.get("OPTIONS") or {})
    role = options.get("assume_role")
    arguments = dict(_django_parameters(settings, options) if parameters is None else parameters)
    for name in NOT_FOR_LIBPQ:
        arguments.pop(name, None)
    # As under Django: no prepared statements, because of connection poolers.
    arguments.setdefault("prepare_threshold", None)
    host, port = str(arguments.get("host") or ""), str(arguments.get("port") or "")
    place: dict[str, Any] = {}
    # Socket directories and several hosts have no place in a URL: libpq gets them as arguments.
    if host and not host.startswith(("/", "@")) and "," not in host and (not port or port.isdecimal()):
        place = {"host": arguments.pop("host"), "port": int(port) if port else None}
        arguments.pop("port", None)
    url = URL.create(
        DRIVER,
        username=arguments.pop("user", None),
        password=arguments.pop("password", None),
        database=arguments.pop("dbname", None),
        **place,
    )
    return Address(url, arguments, (f"SET ROLE {_literal(str(role))}",) if role else ())


def url_address(url: URL, base: Path) -> Address:
    """The address for a URL; a host that is a directory is a socket's."""
    arguments = {"prepare_threshold": None, "client_encoding": "UTF8"}
    if (url.host or "").startswith("/"):
        return Address(url.set(drivername=DRIVER, host="").update_query_dict({"host": url.host or ""}), arguments)
    return Address(url.set(drivername=DRIVER), arguments)


def _django_parameters(settings: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """What Django hands to psycopg (``DatabaseWrapper.get_connection_params``)."""
    name = settings.get("NAME", "")
    if name == "" and not options.get("service"):
        raise TargetError("It has neither a NAME nor OPTIONS['service'].", hint="Set one of them.")
    parameters = {"client_encoding": "UTF8", **options}
    if name is None:
        parameters.pop("service", None)
    if name != "":
        parameters["dbname"] = name or "postgres"
    given = {"user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    parameters.update({ours: settings[theirs] for ours, theirs in given.items() if settings.get(theirs)})
    return parameters


def _literal(text: str) -> str:
    """A string literal that means the same whatever standard_conforming_strings is."""
    doubled = text.replace("'", "''")
    return f"'{doubled}'" if "\\" not in doubled else "E'" + doubled.replace("\\", "\\\\") + "'"
