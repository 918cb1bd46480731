"""The address of a MySQL or MariaDB database, for PyMySQL.

Django uses mysqlclient or MySQL's own connector, whose options have other names.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from migsync.engines.address import Address, split_statements
from migsync.errors import TargetError
from migsync.words import text_list

if TYPE_CHECKING:
    from sqlalchemy import URL

DRIVER = "mysql+pymysql"

# mysqlclient's and the connector's names for what PyMySQL has under another.
RENAMED: Final = {
    "passwd": "password",
    "db": "database",
    "username": "user",
    "connection_timeout": "connect_timeout",
    "option_files": "read_default_file",
    "ssl-ca": "ssl_ca",
    "ssl-cert": "ssl_cert",
    "ssl-key": "ssl_key",
}
PASSED_ON: Final = frozenset(
    {
        "bind_address",
        "charset",
        "collation",
        "connect_timeout",
        "database",
        "host",
        "max_allowed_packet",
        "password",
        "port",
        "program_name",
        "read_default_file",
        "read_default_group",
        "read_timeout",
        "server_public_key",
        "sql_mode",
        "ssl",
        "ssl_ca",
        "ssl_cert",
        "ssl_disabled",
        "ssl_key",
        "ssl_key_password",
        "ssl_verify_cert",
        "ssl_verify_identity",
        "unix_socket",
        "user",
        "write_timeout",
    }
)
# These shape how Django talks to its driver, or are settled by migsync for its own transactions: nothing is lost.
WITHOUT_EFFECT: Final = frozenset(
    {
        "auth_plugin",
        "autocommit",
        "client_flag",
        "compress",
        "conv",
        "converter_class",
        "cursorclass",
        "init_command",
        "isolation_level",
        "local_infile",
        "multi_statements",
        "raise_on_warnings",
        "ssl-mode",
        "ssl_mode",
        "use_pure",
        "use_unicode",
    }
)
NUMBERS: Final = ("port", "connect_timeout", "read_timeout", "write_timeout", "max_allowed_packet")

# What libmysqlclient's modes mean, in PyMySQL's words. PREFERRED is what PyMySQL does by itself.
SSL_MODES: Final[Mapping[str, Mapping[str, Any]]] = {
    "PREFERRED": {},
    "REQUIRED": {"check_hostname": False, "verify_mode": "none"},
    "VERIFY_CA": {"check_hostname": False, "verify_mode": "required"},
    "VERIFY_IDENTITY": {"check_hostname": True, "verify_mode": "required"},
}


def settings_address(settings: Mapping[str, Any], parameters: Mapping[str, Any] | None) -> Address:
    """The address for Django's settings of an alias.

    `parameters` are the backend's own connection parameters, for one that makes them itself.
    """
    if parameters is not None:
        return address_of(parameters)
    host = str(settings.get("HOST") or "")
    given = {
        "user": settings.get("USER"),
        "password": settings.get("PASSWORD"),
        "database": settings.get("NAME"),
        "unix_socket" if host.startswith("/") else "host": host,
        "port": settings.get("PORT"),
    }
    return address_of({**{key: value for key, value in given.items() if value}, **(settings.get("OPTIONS") or {})})


def url_address(url: URL, base: Path) -> Address:
    """The address for a URL, whose options may be those of any driver; a host that is a path is a socket."""
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
    return address_of({**options, **{name: value for name, value in given.items() if value}})


def address_of(options: Mapping[str, Any]) -> Address:
    """The address for options under any driver's names."""
    from sqlalchemy import URL

    named = {RENAMED.get(name, name): value for name, value in options.items()}
    arguments = {name: value for name, value in named.items() if name in PASSED_ON and value is not None}
    arguments.setdefault("charset", "utf8mb4")
    for name in NUMBERS:
        if name in arguments:
            arguments[name] = int(arguments[name])
    if isinstance(arguments.get("read_default_file"), (list, tuple)):
        arguments["read_default_file"] = arguments["read_default_file"][-1]
    _secure(arguments, str(named.get("ssl_mode") or named.get("ssl-mode") or ""))
    url = URL.create(
        DRIVER,
        username=arguments.pop("user", None),
        password=arguments.pop("password", None),
        host=arguments.pop("host", None),
        port=arguments.pop("port", None),
        database=arguments.pop("database", None),
    )
    return Address(
        url,
        arguments,
        split_statements(named.get("init_command") or ""),
        tuple(sorted(named.keys() - PASSED_ON - WITHOUT_EFFECT)),
    )


def _secure(arguments: dict[str, Any], mode: str) -> None:
    """Set PyMySQL's `ssl` as libmysqlclient would understand `ssl` and `ssl_mode`."""
    import ssl

    mode = mode.upper()
    given = arguments.pop("ssl", None)
    if mode == "DISABLED":
        arguments["ssl_disabled"] = True
        return
    if mode and mode not in SSL_MODES:
        raise TargetError(
            f"Its ssl_mode is {mode!r}.", hint=f"Give one of these: {text_list(['DISABLED', *SSL_MODES], last='or')}."
        )
    if isinstance(given, ssl.SSLContext):
        arguments["ssl"] = given
        return
    if given and not mode:
        # mysqlclient takes encryption without looking at the server's name, unless the mode asks for it.
        mode = "REQUIRED" if not isinstance(given, Mapping) or "ca" not in given else "VERIFY_CA"
    secure = {**SSL_MODES.get(mode, {}), **(given if isinstance(given, Mapping) else {})}
    if mode.startswith("VERIFY") and "ssl_ca" in arguments:
        secure.setdefault("ca", arguments.pop("ssl_ca"))
    if secure:
        arguments["ssl"] = secure
