"""What the migrations build for each database of one command: made once, and kept for the next command."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import sqlalchemy as sa

from migsync.history import History
from migsync.key import Key
from migsync.project import Project
from migsync.sync.target import Target
from migsync.verify.build import BuildOptions, build
from migsync.verify.build_cache import BuildCache, build_key
from migsync.worker.migration_traces import BuildResult

Keys = tuple[Key, ...]


@dataclass
class Builds:
    """Builds of one project, each made once. With `rebuild`, none of an earlier command is used."""

    project: Project
    history: History
    options: BuildOptions
    rebuild: bool = False
    _made: dict[str, BuildResult] = field(default_factory=dict)
    _prefixes: dict[tuple[str, Keys, Keys], str] = field(default_factory=dict)

    def result(self, target: Target, first: Keys, hidden: Keys) -> BuildResult:
        """The build for a database with these records. Of the schemas of an entry, one stands for all."""
        config = target.config
        prefix = self._prefix(target, first, hidden)
        if config.shared_by:
            keys = {is_shared: f"{prefix}-{'shared' if is_shared else 'tenant'}" for is_shared in (False, True)}
            for is_shared, key in keys.items():
                found = self._load(key)
                if found and (not found.shared or (config.schema == found.shared) is is_shared):
                    return found
            result = build(self.project, config, self.options, first, hidden)
            return self._save(keys[result.shared == result.schema], result)
        of_alias = f"{prefix}-{hashlib.sha256(target.alias.encode()).hexdigest()[:8]}"
        if found := self._load(prefix) or self._load(of_alias):
            return found
        result = build(self.project, config, self.options, first, hidden)
        return self._save(of_alias if result.routed else prefix, result)

    def by_statement(self, target: Target, first: Keys, hidden: Keys, wanted: Keys) -> BuildResult:
        """A build of its own, with the statements of the `wanted` migrations; it ends with the last of them."""
        return build(self.project, target.config, self.options, first, hidden, by_statement=wanted)

    @property
    def _cache(self) -> BuildCache:
        return BuildCache(self.project.cache.with_suffix(".builds"))

    def _prefix(self, target: Target, first: Keys, hidden: Keys) -> str:
        """The beginning of the key: a digest of all that the build depends on."""
        which = (target.config.entry or target.alias, first, hidden)
        if which not in self._prefixes:
            url, server = sa.make_url(target.config.url), self.options.server
            # The name of the database is none of it: the next one with the same files needs no build of its own.
            place = server.url if server else (url.host, url.port, sorted(url.query.items()), target.config.init)
            said = (target.engine, _version(target), place, self.project.settings_module, self.project.root)
            # Which schemas belong together, an entry says.
            parts = (*said, first, hidden, self.options.setup, target.config.entry)
            self._prefixes[which] = build_key(self.history, parts)
        return self._prefixes[which]

    def _load(self, key: str) -> BuildResult | None:
        if key not in self._made and not self.rebuild and (kept := self._cache.load(key)):
            self._made[key] = kept
        return self._made.get(key)

    def _save(self, key: str, result: BuildResult) -> BuildResult:
        self._cache.save(key, result)
        self._made[key] = result
        return result


def _version(target: Target) -> tuple[object, ...]:
    with target.explained(reading="the version of the server"), target.transaction() as connection:
        return connection.dialect.server_version_info or ()
