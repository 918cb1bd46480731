"""The migrations of a project, run on a scratch database: what each of them changes in its catalog."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import sqlalchemy as sa

from migsync.engines import engine_of
from migsync.engines.config import DatabaseConfig
from migsync.errors import NOTHING_CHANGED, NotPermitted, TargetError, UsageError
from migsync.key import Key
from migsync.project import Project
from migsync.proof.scratch import scratch_database
from migsync.worker.client import ask_one
from migsync.worker.migration_traces import BuildRequest, BuildResult
from migsync.worker.task import BUILD

MEANING: Final = f"What the migrations make cannot be worked out. {NOTHING_CHANGED}"
MAY_CREATE: Final = (
    "Grant the privilege to create databases (PostgreSQL: ALTER ROLE … CREATEDB), or name a server of the same kind "
    "where it may: --scratch URL"
)


@dataclass(frozen=True)
class ScratchServer:
    """The server of the scratch databases, where that is not each alias's own; `url` as it was given."""

    url: str

    def config(self, config: DatabaseConfig) -> DatabaseConfig:
        """How a scratch database is made there for this alias. Raises UsageError for another engine."""
        try:
            url = sa.make_url(self.url)
        except sa.exc.ArgumentError:
            raise UsageError(
                "The value of --scratch is not a URL.", hint="For example: --scratch postgresql://user@host/postgres"
            ) from None
        if engine_of(url) is not engine_of(config.url):
            raise UsageError(
                f"--scratch leads to {engine_of(url).title}, and {config.alias} is {engine_of(config.url).title}.",
                "Both must be of one kind, or their catalogs would differ in everything.",
                f"Name the databases of that kind only: --database {config.alias}",
            )
        return replace(config, url=url, connect_args={}, schema="")

    @property
    def settings(self) -> Mapping[str, str]:
        """The same for an entry of Django's ``DATABASES``."""
        url = sa.make_url(self.url)
        asked = {name: value if isinstance(value, str) else value[0] for name, value in url.query.items()}
        host, port = url.host or asked.get("host", ""), str(url.port or asked.get("port", ""))
        return {"HOST": host, "PORT": port, "USER": url.username or "", "PASSWORD": url.password or ""}


@dataclass(frozen=True)
class BuildOptions:
    """What a build needs besides the project: SQL to run before, and another server for scratch databases."""

    setup: str = ""
    server: ScratchServer | None = None


def build(
    project: Project,
    config: DatabaseConfig,
    options: BuildOptions,
    first: tuple[Key, ...],
    hidden: tuple[Key, ...],
    *,
    by_statement: tuple[Key, ...] = (),
) -> BuildResult:
    """Run the migrations on a scratch database like that of `config`, those `first` before the others.

    `hidden` are squashes that do not count. With `by_statement`, the result has the statements of these migrations, and
    nothing runs after the last of them. Raises a MigsyncError where there can be no such database, or where Django does
    not start.
    """
    server = options.server
    place = server.config(config) if server else config
    settings = server.settings if server and not engine_of(place.url).file_suffix else {}
    alias, schema = config.entry or config.alias, config.schema if config.shared_by else ""
    request = BuildRequest(
        alias, "", "", first, hidden, options.setup, settings, schema=schema, by_statement=by_statement
    )
    if schema:
        place = replace(place, schema="")
    result = _build(project, place, request)
    # If something changed the catalog behind the statements, all of it must be read each time.
    return result if result.complete else _build(project, place, request._replace(whole=True))


def _build(project: Project, place: DatabaseConfig, request: BuildRequest) -> BuildResult:
    try:
        with scratch_database(place) as scratch:
            return ask_one(
                project.runtime(),
                BUILD,
                request._replace(name=scratch.name, directory=str(scratch.directory)),
                meaning=MEANING,
                hint="Correct what the message says, then run the command again.",
            )
    except NotPermitted as error:
        raise NotPermitted(error.found, MEANING, MAY_CREATE, right=error.right) from error
    except TargetError as error:
        raise type(error)(error.found, MEANING, error.hint) from error
