"""What all targets of the running project have in common, for a process that works on one after the other."""

from __future__ import annotations

import os
from functools import cached_property
from typing import Final

from migsync.alias import entry_of, schema_of
from migsync.companion.guard import running_project
from migsync.engines import Deadline
from migsync.engines.config import DatabaseConfig
from migsync.errors import NOTHING_CHANGED, TargetError
from migsync.project import Project
from migsync.rewrites.version_index import VersionIndex
from migsync.sync.kept_plans import KeptPlans
from migsync.sync.survey import Survey, choose, open_survey
from migsync.sync.unnamed_schemas import Schemas

KEPT_SECONDS: Final = 60.0


class ProjectFiles:
    """The files, read once in a process, and again where a migration file has come or gone; and the targets.

    Not for several threads at a time.
    """

    def __init__(self) -> None:
        self.survey: Survey | None = None
        self.stamp: tuple[int, ...] = ()
        self._known: dict[str, DatabaseConfig] = {}
        self._asked = Deadline(0)

    @cached_property
    def project(self) -> Project:
        """The project of this process."""
        return running_project()

    def read(self) -> tuple[Survey, Schemas, KeptPlans]:
        """The files, the schemas that were seen, and what is kept for the files."""
        places = [*(app.directory for app in self.project.apps), str(self.project.rewrites)]
        stamp = tuple(_changed_at(place) for place in places if place)
        if self.survey is None or stamp != self.stamp:
            self.stamp, self.survey = stamp, open_survey(self.project)
            self.schemas = Schemas()
            versions = VersionIndex(self.survey.history, self.project.cache.with_suffix(".versions"))
            self.kept = KeptPlans(self.survey.history, versions)
        return self.survey, self.schemas, self.kept

    def target(self, alias: str) -> DatabaseConfig:
        """The one target that has this alias. Raises UnknownAlias, and TargetError where several are meant.

        An entry is asked for its members once a minute, and for one that it did not have.
        """
        config = self._known.get(alias)
        if config is None or self._asked.passed:
            known = {**self.project.databases, **self.project.passed_over}
            asked = entry_of(alias) if alias not in known and schema_of(alias) else alias
            self._known |= {each.alias: each for each in choose(self.project, [asked])}
            self._asked, config = Deadline(KEPT_SECONDS), self._known.get(alias)
        if config is None or config.schemas:
            # For an unknown member, the error that lists those that there are.
            choose(self.project, [alias])
            raise TargetError(f"{alias!a} is not the alias of one database.", NOTHING_CHANGED)
        return config


FILES = ProjectFiles()


def _changed_at(directory: str) -> int:
    try:
        return os.stat(directory).st_mtime_ns  # noqa: PTH116 (for hundreds of directories, for each schema)
    except OSError:
        return 0
