"""Database URLs in the forms that people write them, for SQLAlchemy."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from migsync.errors import TargetError, UnknownEngine
from migsync.project.databases import mysql, postgresql
from migsync.project.databases.address import Address
from migsync.project.databases.sqlite import MEMORY, sqlite_url

SCHEMES: Final = {
    "postgres": "postgresql",
    "postgresql": "postgresql",
    "pgsql": "postgresql",
    "psql": "postgresql",
    "postgis": "postgresql",
    "timescale": "postgresql",
    "mysql": "mysql",
    "mysql2": "mysql",
    "mysqlgis": "mysql",
    "mariadb": "mysql",
    "sqlite": "sqlite",
    "sqlite3": "sqlite",
    "spatialite": "sqlite",
}

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_END_OF_AUTHORITY = re.compile(r"[/?#]")


def engine_of(text: str) -> str:
    """The engine that a URL's scheme means; a driver in it (``postgresql+psycopg2``) is no matter."""
    scheme, separator, _ = text.partition("://")
    engine = SCHEMES.get(scheme.partition("+")[0].lower(), "")
    if not separator or not _SCHEME.fullmatch(scheme):
        raise TargetError(
            "Its URL has no scheme.", hint="Write it as engine://user:password@host:port/database or sqlite:///path."
        )
    if not engine:
        raise UnknownEngine(f"Its URL begins with {scheme}://, an engine that migsync does not know.")
    return engine


def url_address(text: str, base: Path) -> Address:
    """The address for a URL; a relative SQLite path is relative to `base`. The URL is in no error: it holds secrets."""
    text = text.strip()
    engine = engine_of(text)
    rest = text.partition("://")[2]
    try:
        if engine != "sqlite" and _ambiguous(rest):
            raise ValueError
        url = make_url(f"{engine}://{rest}")
    except (ArgumentError, ValueError):
        # The cause quotes parts of the URL.
        raise TargetError(
            "Its URL cannot be read.", hint="Percent-encode characters such as @ : / in the user and the password."
        ) from None
    if engine == "sqlite":
        return _sqlite(url, base)
    if url.host and "%" in url.host:
        url = url.set(host=unquote(url.host))
    if engine == "mysql":
        return _mysql(url)
    return _postgresql(url)


def _ambiguous(rest: str) -> bool:
    """Whether a part of the password could be taken for the host, the database or a parameter, and be shown as such.

    Of a URL without its scheme; an ``@`` that is not encoded stands only between the user's part and the host.
    """
    authority, *after = _END_OF_AUTHORITY.split(rest, maxsplit=1)
    user_info = authority.rpartition("@")[0]
    return "@" in user_info.partition(":")[2] or any("@" in part for part in after)


def _sqlite(url: URL, base: Path) -> Address:
    if not url.database or url.database == MEMORY:
        return Address(sqlite_url(MEMORY, base))
    found = sqlite_url(url.database, base)
    return Address(found.update_query_dict(dict(url.query)))


def _mysql(url: URL) -> Address:
    options = {name: value if isinstance(value, str) else value[-1] for name, value in url.query.items()}
    given = {
        "user": url.username,
        "password": url.password,
        "host": url.host,
        "port": url.port,
        "database": url.database,
    }
    if (url.host or "").startswith("/"):
        given["unix_socket"] = given.pop("host")
    return mysql.address_of({**options, **{name: value for name, value in given.items() if value}})


def _postgresql(url: URL) -> Address:
    arguments = {"prepare_threshold": None, "client_encoding": "UTF8"}
    if (url.host or "").startswith("/"):
        return Address(
            url.set(drivername=postgresql.DRIVER, host="").update_query_dict({"host": url.host or ""}), arguments
        )
    return Address(url.set(drivername=postgresql.DRIVER), arguments)
