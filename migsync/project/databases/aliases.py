"""Every alias of a project as a DatabaseConfig, and what must be said about it."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from migsync.alias import TENANT, EntryAlias
from migsync.engines import Engine, engine_of
from migsync.engines.address import Address
from migsync.engines.config import DatabaseConfig, SchemaChoice
from migsync.errors import MigsyncError, TargetError
from migsync.findings import Finding
from migsync.findings.project import alias_overridden, alias_passed_over, option_dropped
from migsync.project.databases.backends import engine_of_backend, is_dummy
from migsync.project.databases.urls import engine_of_scheme, url_address
from migsync.project.options import DatabaseOptions

DEFAULT = "default"
"""The alias that Django's commands work on where none is named."""


@dataclass(frozen=True)
class Aliases:
    """`databases` are synced by default; `passed_over` only when they are asked for by name."""

    databases: Mapping[str, DatabaseConfig] = field(default_factory=dict)
    passed_over: Mapping[str, DatabaseConfig] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    def overlaid(self, other: Aliases) -> Aliases:
        """These aliases and the `other`'s. Where a name is in both, the `other`'s counts, and a finding says so."""
        both = [alias for alias in other.databases if alias in self.databases or alias in self.passed_over]
        said = [alias_overridden(alias=alias) for alias in both]
        return Aliases(
            {**self.databases, **other.databases},
            {alias: config for alias, config in self.passed_over.items() if alias not in other.databases},
            (*self.findings, *said, *other.findings),
        )

    def without_schemas(self, aliases: Collection[str]) -> Aliases:
        """These aliases, of which `aliases` are one target each, with the schema of their own connection."""
        kept = {
            alias: replace(config, schemas=None) if alias in aliases else config
            for alias, config in self.databases.items()
        }
        return replace(self, databases=kept)


def django_aliases(databases: Mapping[str, Mapping[str, Any]], use_tz: bool | None) -> Aliases:
    """The aliases of Django's ``DATABASES``.

    An alias without a database, and a ``TEST.MIRROR``, which is another alias once more, are passed over.
    """
    configs: dict[str, DatabaseConfig] = {}
    passed_over: dict[str, DatabaseConfig] = {}
    findings: list[Finding] = []
    for alias, settings in databases.items():
        if not isinstance(settings, Mapping):
            configs[alias] = DatabaseConfig(alias, "", use_tz=use_tz, error=_no_mapping(alias, settings))
            continue
        # Django takes an alias without ENGINE for its dummy backend: `DATABASES = {"default": {}, …}`, where every
        # model is routed.
        if is_dummy(settings.get("ENGINE", "")):
            findings.append(alias_passed_over(alias=alias))
            continue
        config, dropped = _from_django(alias, settings, use_tz)
        findings += dropped
        test = settings.get("TEST")
        mirror = test.get("MIRROR") if isinstance(test, Mapping) else None
        if mirror:
            passed_over[alias] = config
            findings.append(alias_passed_over(alias=alias, mirror=mirror))
        else:
            configs[alias] = config
    return Aliases(configs, passed_over, tuple(findings))


def option_aliases(
    databases: Mapping[str, DatabaseOptions],
    base: Path,
    environ: Mapping[str, str],
    use_tz: bool | None,
    others: Aliases,
) -> Aliases:
    """The aliases of ``[tool.migsync.databases]``; SQLite paths in them are relative to `base`.

    `others` are those whose connections they may take, beside those that have a URL here.
    """
    configs: dict[str, DatabaseConfig] = {}
    findings: list[Finding] = []
    for alias, options in databases.items():
        if options.alias and not options.tenants:
            continue
        url = options.url or environ.get(options.url_env, "")
        if url:
            config, dropped = url_alias(alias, url, base, use_tz, options.schema)
            configs[alias] = _with_schemas(config, options) if options.schemas else _with_tenants(config, options)
            findings += dropped
        else:
            error = TargetError(
                f"The database {alias!r} takes its URL from the environment variable {options.url_env}, "
                "which is not set.",
                hint=f"Set {options.url_env}, or set url in [tool.migsync.databases.{alias}] in pyproject.toml.",
            )
            configs[alias] = DatabaseConfig(alias, "", schema=options.schema, use_tz=use_tz, error=error)
    known = {**others.passed_over, **others.databases, **configs}
    # Only now, when all entries with a URL are known: an entry can take their connections wherever they stand, and
    # that of another such entry if it stands above. `alias = "default"` in `default` itself takes that of DATABASES.
    for alias, options in databases.items():
        if options.tenants:
            known[alias] = _asking(known[alias], options, known.get(options.alias or DEFAULT))
        elif options.alias:
            known[alias] = _other_schema(alias, options, known.get(options.alias))
    return Aliases(
        {alias: _migrated(known[alias], options, alias in others.databases) for alias, options in databases.items()},
        findings=tuple(findings),
    )


def _migrated(config: DatabaseConfig, options: DatabaseOptions, is_django: bool) -> DatabaseConfig:
    """The entry with the command that migrates it, or a member of it; `is_django`: DATABASES has the alias too."""
    migrate = options.migrate or config.migrate
    if config.schemas or (is_django and not migrate):
        return replace(config, migrate=migrate)
    one = migrate.replace(TENANT, shlex.quote(config.schema)) if config.schema or TENANT not in migrate else ""
    return replace(config, alias=EntryAlias(config.alias, one))


def _other_schema(alias: str, options: DatabaseOptions, taken: DatabaseConfig | None) -> DatabaseConfig:
    """The entry with the connection of the alias that it takes, for its own schema."""
    if taken is not None:
        return _with_schemas(replace(taken, alias=alias, schema=options.schema), options)
    error = TargetError(
        f"The database {alias!r} takes its connection from the alias {options.alias!r}, which does not exist.",
        hint=f"Set alias in [tool.migsync.databases.{alias}] to an alias of DATABASES, or to an entry above it.",
    )
    return DatabaseConfig(alias, "", schema=options.schema, error=error)


def _asking(config: DatabaseConfig, options: DatabaseOptions, asked: DatabaseConfig | None) -> DatabaseConfig:
    """The entry for many databases with the one that is `asked` for their names; with an error where it needs one."""
    choice = options.tenants
    if choice is None or config.error is not None or not choice.query:
        return config
    if asked is not None:
        return replace(config, schemas=replace(choice, asked=asked))
    error = TargetError(
        f"The query of tenants of the database {config.alias!r} runs in the database {options.alias or DEFAULT!r}, "
        "which does not exist.",
        hint=f"Set alias in [tool.migsync.databases.{config.alias}] to an alias of DATABASES, or to another entry.",
    )
    return replace(config, error=error)


def _with_tenants(config: DatabaseConfig, options: DatabaseOptions) -> DatabaseConfig:
    """The entry for many databases, if it is one; with an error where its URL is no template, or nothing says of what.

    A URL is a template where its host, its user or its database has a place for a name.
    """
    url = make_url(config.url) if config.error is None else None
    is_template = url is not None and any(TENANT in (part or "") for part in (url.host, url.username, url.database))
    if url is None or is_template is bool(options.tenants):
        return replace(config, schemas=options.tenants)
    if is_template:
        error = TargetError(
            f"The URL of the database {config.alias!r} has {TENANT} in it, but the entry has no tenants.",
            f"{TENANT} stands for the names of many databases.",
            f"Add tenants to [tool.migsync.databases.{config.alias}]: a query for the names, a list, or a pattern.",
        )
        return replace(config, error=error)
    error = TargetError(
        f"The database {config.alias!r} has tenants in pyproject.toml, but its URL has no {TENANT} in its host, "
        "its user or its database.",
        "Each tenant has a database of its own, at the URL with its name in that place.",
        f"Write {TENANT} where the name of a tenant goes, or remove tenants from "
        f"[tool.migsync.databases.{config.alias}].",
    )
    return replace(config, schemas=options.tenants, error=error)


def _with_schemas(config: DatabaseConfig, options: DatabaseOptions) -> DatabaseConfig:
    """The entry for many schemas, where it is one; with an error on an engine whose databases have none."""
    if options.schemas is None or config.error is not None:
        return replace(config, schemas=options.schemas)
    engine = engine_of(config.url)
    if engine.has_schemas:
        return replace(config, schemas=options.schemas)
    error = TargetError(
        f"The database {config.alias!r} has schemas in pyproject.toml, but {engine.title} has no schemas inside a "
        "database.",
        hint=f"Remove schemas from [tool.migsync.databases.{config.alias}], and make an entry for each database.",
    )
    return replace(config, schemas=options.schemas, error=error)


def url_alias(
    alias: str, url: str, base: Path, use_tz: bool | None = None, schema: str = ""
) -> tuple[DatabaseConfig, list[Finding]]:
    """One alias by its URL, and findings about options that were dropped."""
    try:
        error = _missing_driver(alias, engine_of_scheme(url))
        address = url_address(url, base)
    except TargetError as refused:
        return DatabaseConfig(alias, "", schema=schema, use_tz=use_tz, error=_named(alias, refused)), []
    return _config(alias, address, use_tz, error, schema), _dropped(alias, address)


def _from_django(alias: str, settings: Mapping[str, Any], use_tz: bool | None) -> tuple[DatabaseConfig, list[Finding]]:
    try:
        engine, parameters = engine_of_backend(alias, settings["ENGINE"], lambda: _describe(alias, settings))
        address = _address(alias, engine, settings, parameters)
    except TargetError as refused:
        return DatabaseConfig(alias, "", use_tz=use_tz, error=refused), []
    except (AttributeError, TypeError, ValueError) as error:
        # The message may quote a password that stands where a port should.
        wrong = TargetError(
            f"DATABASES[{alias!r}] has a value that Django does not accept ({type(error).__name__}).",
            hint="Correct it. For example, PORT must be a number, and OPTIONS a dictionary.",
        )
        return DatabaseConfig(alias, "", use_tz=use_tz, error=wrong), []
    config = _config(alias, address, use_tz, _missing_driver(alias, engine))
    if settings["ENGINE"] in engine.tenant_backends:
        migrate = engine.tenant_backends[settings["ENGINE"]]
        config = replace(config, schemas=SchemaChoice(patterns=("*",)), migrate=migrate)
    return config, _dropped(alias, address)


def _address(alias: str, engine: Engine, settings: Mapping[str, Any], parameters: Mapping[str, Any] | None) -> Address:
    try:
        _refuse_urls(alias, settings)
        return engine.settings_address(settings, parameters)
    except TargetError as refused:
        raise _named(alias, refused) from refused


def _missing_driver(alias: str, engine: Engine) -> TargetError | None:
    """The error for an engine whose driver is not installed, else None."""
    if importlib.util.find_spec(engine.driver_module) is not None:
        return None
    return engine.missing_driver(alias)


def _no_mapping(alias: str, settings: object) -> TargetError:
    """The error for ``DATABASES = {"default": "postgres://…"}``."""
    return TargetError(
        f"DATABASES[{alias!r}] must be a dictionary, not {type(settings).__name__}.",
        "Django cannot use it either.",
        _in_parts(alias),
    )


def _refuse_urls(alias: str, settings: Mapping[str, Any]) -> None:
    """Raises TargetError for a URL where Django takes none: it would be shown as a name, with its password."""
    for key in ("NAME", "USER", "HOST", "PORT"):
        value = str(settings.get(key) or "")
        # Allowed are `file:` URIs as the NAME of an SQLite database, and `@name` as HOST: libpq's abstract socket.
        if ("://" in value and not value.startswith("file:")) or (key == "HOST" and "@" in value[1:]):
            raise TargetError(
                f"Its {key} looks like a URL.",
                "Django does not accept a URL there.",
                _in_parts(alias),
            )
    # With commas for several hosts of PostgreSQL. Anything else may be a password at the wrong place, and is not
    # quoted.
    if not re.fullmatch(r"[\d,]*", str(settings.get("PORT") or "")):
        raise ValueError("PORT")


def _in_parts(alias: str) -> str:
    return (
        "Set ENGINE, NAME, USER, PASSWORD, HOST and PORT instead, or give migsync the URL in pyproject.toml, as url in "
        f"[tool.migsync.databases.{alias}]."
    )


def _describe(alias: str, settings: Mapping[str, Any]) -> tuple[str, Mapping[str, Any] | None]:
    from migsync.worker.in_process import describe_backend

    return describe_backend(settings["ENGINE"], alias, settings)


def _config(
    alias: str, address: Address, use_tz: bool | None, error: MigsyncError | None, schema: str = ""
) -> DatabaseConfig:
    return DatabaseConfig(alias, address.url, address.connect_args, address.init, schema, use_tz, error)


def _named(alias: str, refused: TargetError) -> TargetError:
    """The error of an address, which knows its own settings only, with the alias in it."""
    found = f"The database {alias!r} cannot be used. {refused.found}"
    return type(refused)(found, refused.meaning, refused.hint)


def _dropped(alias: str, address: Address) -> list[Finding]:
    return [option_dropped(alias=alias, options=address.dropped)] if address.dropped else []
