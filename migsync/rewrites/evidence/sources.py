"""What there is to learn about names: the files on disk and in git, the rewrites, and what databases hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from migsync.history import History, Key
from migsync.rewrites.evidence.agreement import agreed
from migsync.rewrites.evidence.database import AppRecords, DatabaseEvidence
from migsync.rewrites.evidence.evidence import Evidence, find_evidence, is_explained, is_moved
from migsync.rewrites.evidence.past_files import PastFiles
from migsync.rewrites.evidence.rendered import Renderings
from migsync.rewrites.evidence.resets import not_rendered
from migsync.rewrites.evidence.statements import KnownNames
from migsync.rewrites.file_state import FileState
from migsync.rewrites.git import GitHistory
from migsync.rewrites.rewrite import EVIDENCE, AppRewrite
from migsync.rewrites.rewrite_graph import Rewrites


@dataclass(frozen=True)
class Sources:
    """All that is asked. `renderings` asks Django for the tables that files make."""

    history: History
    rewrites: Rewrites
    databases: Sequence[DatabaseEvidence]
    git: GitHistory
    renderings: Renderings | None = None

    def evidence(self, app: str) -> Evidence:
        """What became of the names of `app`, by all databases."""
        return agreed([self._in_database(app, records) for records in self._unexplained(app)])

    def _in_database(self, app: str, records: AppRecords) -> Evidence:
        git, of_app = self.git, self.history.apps.get(app)
        render = self.renderings.of(of_app, git) if self.renderings and of_app else not_rendered
        by_hand = [each.apps[app] for each in self.rewrites.of_app(app) if each.command == EVIDENCE]
        past = PastFiles.of(git, app, by_hand)
        return find_evidence(self.history, app, records, past, self._stated.get(app, ()), render)

    def _unexplained(self, app: str) -> list[AppRecords]:
        """The records of each database that the files do not explain; each once, those with the most names first."""
        found: dict[tuple[tuple[str, ...], ...], AppRecords] = {}
        for records in (AppRecords.of(app, database) for database in self.databases):
            names = records.names
            if not is_explained(self.history, app, set(names)) or is_moved(self.history, app, names, records.presumed):
                found[records.identity] = records
        # `agreed` starts from the first. It needs one at least, also for an app that is here only because of --map.
        left = sorted(found, key=lambda each: (-len(each[0]), each))
        return [found[each] for each in left] or [AppRecords()]

    def known_names(self, app: str, unread: Mapping[str, str]) -> KnownNames:
        """All that is known of the names of `app`; `unread` are the databases that could not be read."""
        changes = [rewrite.apps[app] for rewrite in self.rewrites.of_app(app)]
        disk, past = FileState.on_disk(self.history, app), (*self.git.of(app), *self.git.abandoned(app))
        return replace(
            KnownNames.compared(disk, past, list(self._noted(app, changes))),
            app=app,
            names=frozenset(name for change in changes for name in (*change.before, *change.after)),
            databases=self.databases,
            unread=unread,
            git=self.git.reason(app),
            shallow=self.git.is_shallow(app),
        )

    @property
    def _digests(self) -> Iterator[Mapping[str, str]]:
        return (digests for database in self.databases for digests in database.digests)

    def _noted(self, app: str, changes: Iterable[AppRewrite]) -> Iterator[Mapping[str, str]]:
        """The digests that journals and rewrites have for the names as they are after all rewrites, oldest first."""
        current: dict[str, str] = {}
        left: set[str] = set()
        for change in changes:
            # Once a rewrite has given a migration another name, its old name means nothing, or something else.
            known = {**current, **change.digests_before}
            current = {name: digest for name, digest in known.items() if name not in change.sources}
            current |= change.digests_after
            left |= change.sources
        for noted in self._digests:
            names = _by_app(noted).get(app, {})
            yield {name: digest for name, digest in names.items() if name not in left}
        yield current

    @cached_property
    def _stated(self) -> dict[str, list[Mapping[str, str]]]:
        """Digests by name that rewrites and journals wrote down: for each app its states, one by one."""
        found: dict[str, list[Mapping[str, str]]] = {}
        for rewrite in self.rewrites.ordered:
            for app, change in rewrite.apps.items():
                found.setdefault(app, []).extend((change.digests_before, change.digests_after))
        for noted in self._digests:
            for app, state in _by_app(noted).items():
                found.setdefault(app, []).append(state)
        return found

    def elsewhere(self, evidence: Evidence) -> dict[Key, tuple[str, str]]:
        """The recorded names without a file that other branches have: the branch, and the file's digest."""
        app = evidence.app
        names = [name for name in evidence.recorded if Key(app, name) not in self.history.migrations]
        return {Key(app, name): found for name, found in self.git.elsewhere(app, names).items()}


def _by_app(noted: Mapping[str, str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for text, digest in noted.items():
        app, _, name = text.partition(".")
        found.setdefault(app, {})[name] = digest
    return found
