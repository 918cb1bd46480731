"""The address of a SQLite database, for Python's own sqlite3."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migsync.engines.address import Address, split_statements
from migsync.errors import TargetError

if TYPE_CHECKING:
    from sqlalchemy import URL

DRIVER = "sqlite+pysqlite"
MEMORY = ":memory:"
PASSED_ON = ("timeout",)


def settings_address(settings: Mapping[str, Any], parameters: Mapping[str, Any] | None) -> Address:
    """The address for Django's settings of an alias; a relative NAME is relative to the current directory."""
    name = os.fspath(settings.get("NAME") or "")
    if not name:
        raise TargetError("Its NAME is empty.", hint="Set NAME to the path of the database file.")
    options = dict(settings.get("OPTIONS") or {})
    return Address(
        _file_url(name, Path.cwd()),
        {key: options[key] for key in PASSED_ON if key in options},
        split_statements(options.get("init_command") or ""),
    )


def url_address(url: URL, base: Path) -> Address:
    """The address for a URL; a relative path in it is relative to `base`."""
    if not url.database or url.database == MEMORY:
        return Address(_file_url(MEMORY, base))
    return Address(_file_url(url.database, base).update_query_dict(dict(url.query)))


def _file_url(name: str, base: Path) -> URL:
    """The URL of a file, of ``file:…`` (which SQLite takes apart itself, as under Django), or of memory."""
    from sqlalchemy import URL

    if name.startswith("file:"):
        return URL.create(DRIVER, database=name, query={"uri": "true"})
    # normpath, not resolve: the path is shown to people, who know it by its links.
    return URL.create(DRIVER, database=name if name == MEMORY else os.path.normpath(base / name))
